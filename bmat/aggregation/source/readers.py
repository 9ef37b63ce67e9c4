"""The formats that have no ordinary header, each with its own reader; and the one of those whose
records are told by the position of their fields alone.
"""

from pathlib import Path

from bmat.aggregation.options import Options, delimiter_byte
from bmat.aggregation.progress import OnRead
from bmat.aggregation.source.dsr import open_dsr
from bmat.aggregation.source.json_records import open_json
from bmat.aggregation.source.opened import (
    Opened,
    Place,
    found_fields,
    head_of,
    layout_of,
    refuse,
)
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


def open_positions(preset: Preset, readable: Path, options: Options, source: Path) -> Opened:
    """A file whose fields have no names in it. Raises AggregationError `missing_column` where its
    first line shows that it is another one.
    """
    refuse(preset, options, "header_line")
    delimiter = delimiter_byte(options.delimiter or preset.delimiter or ",")
    fields = found_fields(preset, preset.fields, options, source)
    head, start, has_cr_ends = head_of(readable)
    assert preset.head is not None
    match = preset.head.match(head, start)
    if match is None:
        first = head[start:].lstrip(b"\r\n").split(b"\n", 1)[0]
        if first.count(delimiter) < max(fields.values()):
            raise preset.misfit(
                f"its first line has not the fields {', '.join(preset.fields)}", source
            )
    else:
        start = match.end()
    place = Place(start, 1 + head.count(b"\n", 0, start), has_cr_ends)
    layout = layout_of(preset, options, delimiter, len(preset.fields), fields, place)
    return Opened(readable, layout, preset.are_periods)
