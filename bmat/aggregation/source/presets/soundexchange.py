"""Reports of use of sound recordings to SoundExchange."""

import re

from bmat.aggregation.source.presets.preset import Preset, fingerprint

SOUNDEXCHANGE = Preset(
    name="soundexchange",
    title="SoundExchange report of use",
    specification="https://www.ecfr.gov/current/title-37/section-370.4",
    reader="soundexchange",
    # The header, on the first line or behind the report header's dozen.
    head=re.compile(
        rb"""(?:[^\n]*\n){0,20}?["^]?NAME[_ ]OF[_ ]SERVICE[^\n]*SOUND[_ ]RECORDING[_ ]TITLE""",
        re.IGNORECASE,
    ),
    fingerprint=fingerprint("Featured Artist", "Sound Recording Title"),
    columns={
        "song": ("SOUND_RECORDING_TITLE",),
        "artist": ("FEATURED_ARTIST",),
        "isrc": ("ISRC",),
        "service": ("NAME_OF_SERVICE",),
        # Performances are plays times listeners: they stand in where plays are not told.
        "plays": ("PLAY_FREQUENCY", "ACTUAL_TOTAL_PERFORMANCES"),
    },
)
