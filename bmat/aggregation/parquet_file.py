"""The totals as one Parquet file: the row groups of the parts behind one another, and a footer."""

from pathlib import Path

from bmat.aggregation.parquet_format import MAGIC, RowGroup, footer
from bmat.aggregation.scratch import Stored, write_at


def append_pages(path: Path, end: int, pages: Stored) -> int:
    """Write the pages of a part behind byte `end` of the file, which has none where that is 0;
    returns where they end.
    """
    for stretch in pages.stretches():
        before = [] if end else [memoryview(MAGIC)]
        end = write_at(path, [*before, stretch.data], end)
    return end


def write_footer(path: Path, end: int, groups: list[RowGroup]) -> None:
    """Write what belongs behind the last row group: the file is whole then."""
    write_at(path, [memoryview(footer(groups))], end)
