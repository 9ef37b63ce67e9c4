"""Sales that TuneCore reports to artists and labels."""

from bmat.aggregation.source.presets.preset import Preset, fingerprint

TUNECORE = Preset(
    name="tunecore",
    title="TuneCore sales",
    specification=(
        "https://github.com/SuperHyperInstantFutureTime/TrackShift/wiki/"
        "Column-Definitions:-Tunecore"
    ),
    fingerprint=fingerprint("Sales Period", "Posted Date", "Store Name", "Song Title"),
    columns={
        "song": ("Song Title",),
        "artist": ("Artist",),
        "isrc": ("Optional ISRC", "ISRC"),
        "territory": ("Country Of Sale",),
        "service": ("Store Name",),
        "date": ("Sales Period",),
        "plays": ("# Units Sold",),
    },
    are_periods=True,
)
