"""Playlists of radio stations, as Spinitron exports them."""

from bmat.aggregation.source.presets.preset import Preset, fingerprint

SPINITRON = Preset(
    name="spinitron",
    title="Spinitron playlist",
    specification="https://spinitron.com/",
    fingerprint=fingerprint("Date-time", "Artist", "Song"),
    # Six lines of title, DJ and times, and an empty one.
    has_preamble=True,
    columns={
        "song": ("Song",),
        "artist": ("Artist",),
        "isrc": ("ISRC",),
        "date": ("Date-time",),
    },
    plays="one",
)
