"""The streaming history that Spotify gives its users, extended or of the last year."""

import re

from bmat.aggregation.source.presets.preset import JSON_BEGIN, Listening, Preset

SPOTIFY = Preset(
    name="spotify",
    title="Spotify streaming history",
    specification="https://support.spotify.com/article/understanding-my-data/",
    reader="json",
    head=re.compile(rb"(?s)" + JSON_BEGIN + rb'.*"(?:ms_played|msPlayed)"\s*:'),
    columns={
        "song": ("master_metadata_track_name", "trackName"),
        "artist": ("master_metadata_album_artist_name", "artistName"),
        "territory": ("conn_country",),
        "date": ("ts", "endTime"),
        "filter": ("ms_played", "msPlayed"),
    },
    plays="one",
    listening=Listening(
        least=30_000,
        # Those of the extended history, and those that the last year's has in files of their own.
        instead=("episode_name", "audiobook_title", "episodeName", "audiobookName"),
    ),
)
