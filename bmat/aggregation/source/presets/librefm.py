"""Plays exported from Libre.fm."""

from bmat.aggregation.source.presets.preset import Preset, fingerprint

LIBREFM = Preset(
    name="librefm",
    title="Libre.fm export",
    specification=(
        "https://github.com/metabrainz/listenbrainz-server/blob/master/"
        "listenbrainz/background/listens_importer/librefm.py"
    ),
    fingerprint=fingerprint("Artist", "Track", "Time"),
    # Lines that start with `#` may stand in front.
    has_preamble=True,
    columns={
        "song": ("Track",),
        "artist": ("Artist",),
        "date": ("Time",),
    },
    date_format="epoch",
    plays="one",
)
