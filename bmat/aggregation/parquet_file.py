"""The totals as one Parquet file: the row groups of the parts behind one another, and a footer."""

import os
from pathlib import Path

from bmat.aggregation.parquet_format import MAGIC, RowGroup, footer
from bmat.aggregation.row_groups import Pages
from bmat.aggregation.spill import write_all

COPY_BYTES = 2**20


def append_pages(path: Path, end: int, pages: Pages) -> int:
    """Write the pages of a part behind byte `end` of the file, which has none where that is 0;
    returns where they end. A file that they were in is gone.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o666)
    try:
        end = end or write_all(descriptor, [memoryview(MAGIC)], 0)
        if pages.path is not None:
            end = append_file(descriptor, end, pages.path)
        return write_all(descriptor, [pages.buffer.data[: pages.size]], end)
    finally:
        os.close(descriptor)


def append_file(descriptor: int, end: int, path: Path) -> int:
    """Copy a file behind byte `end`, and remove it; returns where it ends."""
    with path.open("rb") as file:
        while data := file.read(COPY_BYTES):
            end = write_all(descriptor, [memoryview(data)], end)
    path.unlink()
    return end


def write_footer(path: Path, end: int, groups: list[RowGroup]) -> None:
    """Write what belongs behind the last row group: the file is whole then."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        write_all(descriptor, [memoryview(footer(groups))], end)
    finally:
        os.close(descriptor)
