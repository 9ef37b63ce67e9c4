"""Sales that DistroKid reports to artists and labels."""

from bmat.aggregation.source.presets.preset import Keep, Preset, fingerprint

DISTROKID = Preset(
    name="distrokid",
    title="DistroKid sales",
    specification=(
        "https://github.com/SuperHyperInstantFutureTime/TrackShift/wiki/"
        "Column-Definitions:-Distrokid"
    ),
    fingerprint=fingerprint("Reporting Date", "Sale Month", "Store", "Title", "Quantity"),
    columns={
        "song": ("Title",),
        "artist": ("Artist",),
        "isrc": ("ISRC",),
        "territory": ("Country of Sale",),
        "service": ("Store",),
        "date": ("Sale Month",),
        "plays": ("Quantity",),
        "filter": ("Song/Album",),
    },
    date_format="month",
    are_periods=True,
    # The title of an album is no song.
    keep=Keep(b"Song", is_prefix=False, reason="not_a_play"),
)
