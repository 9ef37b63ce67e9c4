"""The Last.fm data set of 1,000 users."""

import re

from bmat.aggregation.source.presets.preset import Preset

LASTFM_1K = Preset(
    name="lastfm_1k",
    title="Last.fm data set of 1,000 users",
    specification="http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
    reader="positions",
    head=re.compile(rb"(?=user_\d{6}\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ(?:\t[^\t\n]*){4}(?:\n|\Z))"),
    fields=("userid", "timestamp", "artid", "artname", "traid", "traname"),
    columns={
        "song": ("traname",),
        "artist": ("artname",),
        "date": ("timestamp",),
    },
    delimiter="\t",
    quoting="none",
    plays="one",
)
