"""Broadcasts of Swiss radio stations, as they are reported to SUISA."""

from bmat.aggregation.source.presets.preset import Preset, fingerprint

SUISA = Preset(
    name="suisa",
    title="SUISA radio report",
    specification="https://github.com/radiorabe/suisa_sendemeldung",
    fingerprint=fingerprint("Titel des Musikwerks", "Sendedatum", "Sendezeit"),
    columns={
        "song": ("Titel des Musikwerks",),
        "artist": ("Interpret(en)",),
        "isrc": ("ISRC",),
        "service": ("Sender",),
        "date": ("Sendedatum",),
    },
    plays="one",
)
