"""The formats that have no ordinary header, each with its own reader."""

from pathlib import Path

from bmat.aggregation.options import Options
from bmat.aggregation.source.dsr import open_dsr
from bmat.aggregation.source.json_records import open_json
from bmat.aggregation.source.opened import OnRead, Opened, open_positions
from bmat.aggregation.source.preset import Preset
from bmat.aggregation.source.soundexchange import open_soundexchange


def open_special(
    preset: Preset,
    readable: Path,
    target: Path,
    source: Path,
    options: Options,
    on_read: OnRead,
    *,
    is_whole: bool = True,
) -> Opened:
    """A file of a preset whose reader is not `header`. `readable` has its bytes in UTF-8, `source`
    is the path that was given; `target` is written where the records must be turned into others.
    `on_read` is told how many bytes are done, and may raise. Of the beginning of a file, which is
    not `is_whole`, nothing is counted that it says of itself.

    Raises AggregationError `missing_column` where the file does not fit, `count_mismatch`,
    `duplicate_column` or `invalid_option`.
    """
    match preset.reader:
        case "dsr":
            return open_dsr(preset, readable, options, source, on_read, is_whole)
        case "soundexchange":
            return open_soundexchange(preset, readable, options, source, on_read, is_whole)
        case "json":
            return open_json(preset, readable, target, options, source, on_read)
        case _:
            return open_positions(preset, readable, options, source)
