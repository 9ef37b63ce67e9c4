"""All presets: by name, and by what a file looks like."""

from collections.abc import Collection

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.options import Options
from bmat.aggregation.source.presets.audioscrobbler import AUDIOSCROBBLER
from bmat.aggregation.source.presets.distrokid import DISTROKID
from bmat.aggregation.source.presets.dsr import DSR
from bmat.aggregation.source.presets.lastfm_1k import LASTFM_1K
from bmat.aggregation.source.presets.librefm import LIBREFM
from bmat.aggregation.source.presets.listenbrainz import LISTENBRAINZ
from bmat.aggregation.source.presets.preset import COUNTS, DEFAULT, Preset
from bmat.aggregation.source.presets.soundexchange import SOUNDEXCHANGE
from bmat.aggregation.source.presets.spinitron import SPINITRON
from bmat.aggregation.source.presets.spotify import SPOTIFY
from bmat.aggregation.source.presets.suisa import SUISA
from bmat.aggregation.source.presets.totals import TOTALS
from bmat.aggregation.source.presets.tunecore import TUNECORE
from bmat.aggregation.source.records import has_old_line_ends

PRESETS = (
    DEFAULT,
    TOTALS,
    DSR,
    SOUNDEXCHANGE,
    SPINITRON,
    SUISA,
    LIBREFM,
    AUDIOSCROBBLER,
    LISTENBRAINZ,
    SPOTIFY,
    LASTFM_1K,
    DISTROKID,
    TUNECORE,
)
HEAD_BYTES = 2**16
UTF8_BOM = b"\xef\xbb\xbf"


def by_name(name: str) -> Preset:
    """The preset of this name. Raises AggregationError `invalid_option` where there is none."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    advice = f"use one of {', '.join(preset.name for preset in PRESETS)}"
    raise failure("invalid_option", option="preset", value=shown(name), advice=advice)


def recognised_head(head: bytes) -> Preset | None:
    """The preset of a file that begins with `head`, where it is one of those whose header does not
    tell. Looks at HEAD_BYTES.
    """
    if has_old_line_ends(head):
        head = head[:HEAD_BYTES].replace(b"\r", b"\n")
    start = len(UTF8_BOM) if head.startswith(UTF8_BOM) else 0
    for preset in PRESETS:
        if preset.head is not None and preset.head.match(head, start, HEAD_BYTES):
            return preset
    return None


def recognised_header(keys: Collection[str], options: Options) -> Preset | None:
    """The preset of a file whose header has columns with these names, as they are compared. Beside
    a column of plays a record is no single play, unless the options say so.
    """
    there = set(keys)
    has_counts = not COUNTS.isdisjoint(there) and options.plays != "one"
    for preset in PRESETS:
        if preset.reader == "header" and preset.fingerprint and preset.fingerprint <= there:
            return None if has_counts and preset.plays == "one" else preset
    return None
