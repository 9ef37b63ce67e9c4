"""Logs of portable players (`.scrobbler.log`)."""

import re

from bmat.aggregation.source.presets.preset import Keep, Preset

AUDIOSCROBBLER = Preset(
    name="audioscrobbler",
    title="Audioscrobbler log",
    specification="http://www.audioscrobbler.net/wiki/Portable_Player_Logging",
    reader="positions",
    # Times are UTC where the player knows its zone (#TZ/UTC), else (#TZ/UNKNOWN) those of its
    # clock: either way the day that was written.
    head=re.compile(rb"#AUDIOSCROBBLER/[^\n]*\n(?:#(?:TZ|CLIENT)/[^\n]*\n)*"),
    fields=("artist", "album", "track", "position", "duration", "rating", "time", "mbid"),
    columns={
        "song": ("track",),
        "artist": ("artist",),
        "date": ("time",),
        "filter": ("rating",),
    },
    delimiter="\t",
    quoting="none",
    date_format="epoch",
    plays="one",
    # The others, S, were skipped before their half.
    keep=Keep(b"L", is_prefix=False, reason="not_a_play"),
)
