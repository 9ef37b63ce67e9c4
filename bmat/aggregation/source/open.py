"""An input, opened: a file of UTF-8, and the layout of its records."""

from pathlib import Path

from bmat.aggregation.errors import failure
from bmat.aggregation.options import Options
from bmat.aggregation.progress import ProgressMeter
from bmat.aggregation.source.header import read_layout
from bmat.aggregation.source.layout import Layout, Source
from bmat.aggregation.source.origin import localized, origin_of


def open_source(path: Path, options: Options, utf8_path: Path, meter: ProgressMeter) -> Source:
    """Looks at an input's first record. One that is no file in UTF-8 is written to `utf8_path`
    first; no further than its first record, if that is none.
    """
    origin = origin_of(path)
    length, layouts = origin.size, list[Layout]()

    def on_read(done: int) -> None:
        meter.bring(done, length)
        if not layouts and done and utf8_path.stat().st_size >= options.bounds.held:
            layouts.append(layout_of(utf8_path))

    def layout_of(readable: Path) -> Layout:
        with readable.open("rb") as file:
            return read_layout(file.read(options.bounds.held), options, path)

    readable = localized(origin, options, utf8_path, on_read)
    size = readable.stat().st_size
    if size == 0:
        raise failure("empty_file", path)
    return Source(readable, path, size, layouts[0] if layouts else layout_of(readable))
