"""Listens exported from ListenBrainz, as JSON lines."""

import re

from bmat.aggregation.source.presets.preset import JSON_BEGIN, Preset

LISTENBRAINZ = Preset(
    name="listenbrainz",
    title="ListenBrainz listens",
    specification="https://listenbrainz.readthedocs.io/en/latest/users/json.html",
    reader="json",
    head=re.compile(rb"(?s)" + JSON_BEGIN + rb'(?=.*"listened_at"\s*:).*"track_metadata"\s*:\s*\{'),
    columns={
        "song": ("track_metadata.track_name",),
        "artist": ("track_metadata.artist_name",),
        "isrc": ("track_metadata.additional_info.isrc",),
        "service": (
            "track_metadata.additional_info.music_service",
            "track_metadata.additional_info.music_service_name",
        ),
        "date": ("listened_at",),
    },
    date_format="epoch",
    plays="one",
)
