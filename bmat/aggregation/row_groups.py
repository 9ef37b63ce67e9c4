"""The totals of a part as row groups of Parquet, encoded by the task that merges it."""

from collections.abc import Iterator

import numpy as np

from bmat.aggregation.job import Bytes, Job, Sizes
from bmat.aggregation.kernel_parquet import (
    BLOCK_VALUES,
    PACKED_BLOCK_BYTES,
    PACKED_HEAD_BYTES,
    encode_numbers,
    encode_songs,
    measure_songs,
)
from bmat.aggregation.memory import Groups, MergingMemory
from bmat.aggregation.padded import large_padded_bytes
from bmat.aggregation.parquet_format import DATE, PLAYS, SONG, Column, RowGroup, page_header
from bmat.aggregation.pool import Pool
from bmat.aggregation.scratch import NOTHING, ScratchFile, Stored, stored
from bmat.aggregation.table import Table

# Days from 0001-01-01 to 1970-01-01, from which Parquet counts.
EPOCH_DAY = 719_162
# Whoever looks a song up reads a row group: a millisecond or two.
ROWS_PER_GROUP = 2**16
# What the songs of a row group may take as they are read, each row with its own.
TEXT_BYTES_PER_GROUP = 2**24
# Longer ones are not repeated in the footer, which whoever opens the file reads whole.
MOST_BOUND_BYTES = 4096


# Not from Python's own memory: pages of all sizes, freed by other threads, would leave it in holes.
PAGES: Pool[Bytes] = Pool()


class RowGroupWriter:
    """Encodes totals, and keeps the pages: in a file where they are past the budget."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._file = ScratchFile(job.folder, "pages")
        self._buffer = NOTHING.buffer
        self._size = 0
        self.row_groups: list[RowGroup] = []

    @property
    def pages(self) -> Stored:
        """The pages so far. Their buffer is lent: `writing` gives it back."""
        return stored(self._file, self._buffer, self._size)

    def write(self, table: Table, count: int) -> None:
        """Add the first `count` totals of the memory's groups; their songs are the table's."""
        start = 0
        while start < count:
            stop = self._measured(table, start, min(start + ROWS_PER_GROUP, count))
            rows, bounds = stop - start, self._bounds(table, start, stop)
            sizes = [
                self._keep(page_header(column, rows, len(page)), page)
                for column, page in self._pages(table, start, stop)
            ]
            self.row_groups.append(RowGroup(rows, tuple(sizes), bounds))
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

    def _pages(self, table: Table, start: int, stop: int) -> Iterator[tuple[Column, Bytes]]:
        """The columns of a row group, each a page, which is there until the next one is."""
        memory, groups = table.memory, table.memory.groups
        text_bytes = int(groups.suffixes[start:stop].sum())
        page = groups.page_of(text_bytes + 2 * packed_bytes(stop - start))
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
        yield SONG, page[:size]
        size = encode_numbers(groups.days, start, stop, -EPOCH_DAY, page, groups.scratch)
        yield DATE, page[:size]
        size = encode_numbers(groups.sums, start, stop, 0, page, groups.scratch)
        yield PLAYS, page[:size]

    def _bounds(self, table: Table, start: int, stop: int) -> tuple[bytes, bytes] | None:
        """The first and the last song of a row group, unless one of them is too long."""
        order, ranks = table.memory.order, table.memory.groups.ranks
        first, last = (table.song(int(order[ranks[row]])) for row in (start, stop - 1))
        return (first, last) if max(len(first), len(last)) <= MOST_BOUND_BYTES else None

    def _keep(self, header: bytes, page: Bytes) -> int:
        """Put a page behind those before it; returns how many bytes it takes with its header."""
        size = len(header) + len(page)
        if not len(self._buffer):
            sizes = self._job.sizes
            self._buffer = PAGES.take(sizes, lambda: large_padded_bytes(sizes.kept_page_bytes))
        if self._size + size > len(self._buffer):
            self._file.append([self._buffer.data[: self._size]])
            self._size = 0
        if size > len(self._buffer):
            self._file.append([memoryview(header), page.data])
            return size
        start = self._size + len(header)
        self._size += size
        self._buffer[start - len(header) : start] = np.frombuffer(header, dtype=np.uint8)
        self._buffer[start : self._size] = page
        return size


def give_page_buffer_back(sizes: Sizes, pages: Stored) -> None:
    """The buffer of the pages is not needed any more."""
    if len(pages.buffer):
        PAGES.give_back(sizes, pages.buffer)


def make_room(memory: MergingMemory, rows: int) -> None:
    """Make room for so many totals; whatever was there is lost."""
    if len(memory.groups) < rows:
        memory.groups = Groups(rows)


def packed_bytes(values: int) -> int:
    """What so many packed numbers take at most."""
    return PACKED_HEAD_BYTES + (values // BLOCK_VALUES + 1) * PACKED_BLOCK_BYTES
