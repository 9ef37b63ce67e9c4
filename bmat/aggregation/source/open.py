"""An input, opened: a file of UTF-8, and the layout of its records."""

from pathlib import Path

from bmat.aggregation.options import Options
from bmat.aggregation.progress import ProgressMeter
from bmat.aggregation.results import Input
from bmat.aggregation.source.header import Misfit, Reading, read_header
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.origin import localized, origin_of

UTF_8 = "utf-8"


def open_source(
    path: Path,
    options: Options,
    utf8_path: Path,
    meter: ProgressMeter,
    *,
    is_whole: bool = True,
) -> Source:
    """Looks at an input's first records. One that is no file in UTF-8 is written to `utf8_path`
    first; no further than its first records, if it cannot be read. What a preset makes of it is
    written beside that. Without `is_whole` the file is the beginning of one.

    Raises AggregationError with a code of a file that cannot be read, and OSError.
    """
    origin = origin_of(path)
    length, readings = origin.size, list[Reading]()

    def on_read(done: int) -> None:
        meter.bring(done, length)
        if not readings and done and utf8_path.stat().st_size >= options.bounds.held:
            readings.append(read(utf8_path))

    def read(readable: Path) -> Reading:
        with readable.open("rb") as file:
            return reading_of(file.read(options.bounds.held), options, path)

    readable, encoding = localized(origin, options, utf8_path, on_read)
    size = readable.stat().st_size
    preset, layout, header_line = readings[0] if readings else read(readable)
    encoding = encoding or UTF_8
    if layout is not None:
        delimiter = layout.delimiter.decode()
        read_as = Input(preset.name, delimiter, encoding, header_line)
        return Source(readable, path, size, layout, read_as, preset.are_periods)
    # Few files need them.
    from bmat.aggregation.source.readers import open_special

    target = utf8_path.with_name(f"{utf8_path.name}-records")
    opened = open_special(
        preset,
        readable,
        target,
        path,
        options,
        lambda done: meter.bring(done, size),
        is_whole=is_whole,
    )
    # Of JSON there is none.
    delimiter = "" if opened.json else opened.layout.delimiter.decode()
    return Source(
        opened.path,
        path,
        opened.path.stat().st_size,
        opened.layout,
        Input(preset.name, delimiter, encoding, opened.header_line),
        opened.are_periods,
        opened.json,
    )


def reading_of(data: bytes, options: Options, source: Path) -> Reading:
    """How a file that begins with `data` is read: see `read_header`. Raises AggregationError
    `empty_file`, `not_text`, `missing_column` or `duplicate_column`, naming `source`.
    """
    found = read_header(data, options, source)
    if isinstance(found, Misfit):
        # Nobody needs it whose file can be read.
        from bmat.aggregation.source.unreadable import unreadable

        raise unreadable(found.head, found.preset, found.likely)
    return found
