"""The totals of a part as row groups of Parquet, encoded by the task that merges it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bmat.aggregation.job import Bytes, Job
from bmat.aggregation.kernel_parquet import (
    BLOCK_VALUES,
    PACKED_BLOCK_BYTES,
    PACKED_HEAD_BYTES,
    encode_numbers,
    encode_songs,
    measure_songs,
)
from bmat.aggregation.memory import Groups, MergingMemory
from bmat.aggregation.parquet_format import DATE, PLAYS, SONG, Column, RowGroup, page_header
from bmat.aggregation.spill import write_all
from bmat.aggregation.table import Table

# Days from 0001-01-01 to 1970-01-01, from which Parquet counts.
EPOCH_DAY = 719_162
# Whoever looks a song up reads a row group: a millisecond or two.
ROWS_PER_GROUP = 2**16
# What the songs of a row group may take as they are read, each row with its own.
TEXT_BYTES_PER_GROUP = 2**24
# Longer ones are not repeated in the footer, which whoever opens the file reads whole.
MOST_BOUND_BYTES = 4096


@dataclass(frozen=True)
class Pages:
    """The row groups' bytes: those in the file `path` (if any), then those in `kept`."""

    path: Path | None
    kept: list[bytes]


NO_PAGES = Pages(None, [])


class RowGroupWriter:
    """Encodes totals, and keeps the pages: in a file where they are past the budget."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._path: Path | None = None
        self._path_bytes = 0
        self._kept: list[bytes] = []
        self.row_groups: list[RowGroup] = []

    @property
    def pages(self) -> Pages:
        return Pages(self._path, self._kept)

    def write(self, table: Table, count: int) -> None:
        """Add the first `count` totals of the memory's groups; their songs are the table's."""
        start = 0
        while start < count:
            stop = self._measured(table, start, min(start + ROWS_PER_GROUP, count))
            chunks = list(self._chunks(table, start, stop))
            sizes = tuple(len(chunk) for chunk in chunks)
            self.row_groups.append(RowGroup(stop - start, sizes, self._bounds(table, start, stop)))
            self._keep(chunks)
            start = stop

    def _measured(self, table: Table, start: int, stop: int) -> int:
        """Measure the songs of the next row group; returns where it ends."""
        memory, groups = table.memory, table.memory.groups
        return measure_songs(
            groups.ranks,
            start,
            stop,
            TEXT_BYTES_PER_GROUP,
            memory.order,
            memory.starts,
            memory.texts,
            groups.prefixes,
            groups.suffixes,
        )

    def _chunks(self, table: Table, start: int, stop: int) -> Iterator[bytes]:
        """The columns of a row group, each a page."""
        memory, groups, rows = table.memory, table.memory.groups, stop - start
        text_bytes = int(groups.suffixes[start:stop].sum())
        page = groups.page_of(text_bytes + 2 * packed_bytes(rows))
        size = encode_songs(
            groups.ranks,
            start,
            stop,
            memory.order,
            memory.starts,
            memory.texts,
            groups.prefixes,
            groups.suffixes,
            page,
            groups.scratch,
        )
        yield chunk(SONG, rows, page[:size])
        size = encode_numbers(groups.days, start, stop, -EPOCH_DAY, page, groups.scratch)
        yield chunk(DATE, rows, page[:size])
        size = encode_numbers(groups.sums, start, stop, 0, page, groups.scratch)
        yield chunk(PLAYS, rows, page[:size])

    def _bounds(self, table: Table, start: int, stop: int) -> tuple[bytes, bytes] | None:
        """The first and the last song of a row group, unless one of them is too long."""
        order, ranks = table.memory.order, table.memory.groups.ranks
        first, last = (table.song(int(order[ranks[row]])) for row in (start, stop - 1))
        return (first, last) if max(len(first), len(last)) <= MOST_BOUND_BYTES else None

    def _keep(self, chunks: list[bytes]) -> None:
        self._kept += chunks
        if sum(map(len, self._kept)) <= self._job.sizes.kept_page_bytes:
            return
        self._path = self._path or self._job.folder / f"{uuid4().hex}.pages"
        descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            views = [memoryview(one) for one in self._kept]
            self._path_bytes = write_all(descriptor, views, self._path_bytes)
        finally:
            os.close(descriptor)
        self._kept = []


def make_room(memory: MergingMemory, rows: int) -> None:
    """Make room for so many totals; whatever was there is lost."""
    if len(memory.groups) < rows:
        memory.groups = Groups(rows)


def packed_bytes(values: int) -> int:
    """What so many packed numbers take at most."""
    return PACKED_HEAD_BYTES + (values // BLOCK_VALUES + 1) * PACKED_BLOCK_BYTES


def chunk(column: Column, rows: int, page: Bytes) -> bytes:
    return b"".join((page_header(column, rows, len(page)), page.data))
