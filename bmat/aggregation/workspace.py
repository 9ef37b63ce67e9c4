"""What the tasks of a run work in: sizes, tables and buffers, kept from one task to the next.

Fresh memory is dear: the kernel clears each page at its first touch. Arrays may be made larger
than needed: what is not touched costs nothing. A workspace belongs to one run in one process, and
goes with it; another process that takes part in the run has one of its own, and keeps it.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, mmap
from threading import Lock
from typing import Any, Generic, TypeVar
from weakref import finalize

import numpy as np
import numpy.typing as npt

from bmat.aggregation import system
from bmat.aggregation.kernels.arrays import (
    CHUNK_FIELDS,
    DATE_TEXT_BYTES,
    HEAD_FIELDS,
    INGESTED_FIELDS,
    INGESTED_ROWS,
    LISTED_RECORD_BYTES,
    MOST_SLOTS,
    SEEN_BATCH,
    SEEN_FIELDS,
    SLACK_BYTES,
    ArenaArrays,
    ArenaState,
    Bytes,
    Ints,
    PaddedBytes,
    SortedArrays,
    SumArrays,
    TableArrays,
    TableState,
    Words,
    padded_bytes,
    size_of,
)
from bmat.aggregation.options import BOUNDS

T = TypeVar("T")


FIRST_SLOTS = 4096
FIRST_WIDE = 1024
HUGE_BYTES = 2**22
# Of what is written past the page cache.
PAGE_BUFFER_BYTES = 2**22
# What was needed once, where many parts waited in one process, is not held for good.
MOST_FREE = 8
ALL_DAYS = 3_652_059 + 1

N = TypeVar("N", bound=np.generic)


@dataclass(frozen=True)
class BufferSizes:
    """How large the buffers are that each task works in, in bytes, or in rows."""

    read_bytes: int
    reject_bytes: int
    arena_bytes: int
    chunk_bytes: int
    merge_rows: int
    merge_songs: int
    merge_text_bytes: int
    written_text_bytes: int
    pairs: int
    run_bytes: int


@dataclass(frozen=True)
class Sizes:
    """How the work is divided, and the memory for it. No task reads more than `batches_ahead`
    batches ahead of the first one that is not settled (0: any number), or merges more than
    `parts_ahead` parts ahead of the first one that is not written.
    """

    block_bytes: int
    stream_block_bytes: int
    part_bytes: int
    cells: int
    batches_ahead: int
    parts_ahead: int
    buffers: BufferSizes


def sparse_array(size: int, dtype: type[N]) -> npt.NDArray[N]:
    """`size` zeros, of which few will be used: in small pages, where NumPy would take huge ones."""
    return np.frombuffer(mmap(-1, size * np.dtype(dtype).itemsize), dtype=dtype)


def large_padded_bytes(size: int) -> PaddedBytes:
    """`size` zeros and the slack, in huge pages, where there are such, and straight from the
    system, so that those never used take no memory.
    """
    area = mmap(-1, size + SLACK_BYTES, MAP_PRIVATE | MAP_ANONYMOUS)
    if size >= HUGE_BYTES:
        system.use_huge_pages(area)
    return PaddedBytes(np.frombuffer(area, dtype=np.uint8))


def large_words(size: int) -> Words:
    """`size` zeros of 64 bits, as in `large_padded_bytes`."""
    return large_padded_bytes(8 * size)[: 8 * size].view(np.uint64)


class Arena:
    """Rows on their way into partitions: see `kernels.rows`."""

    def __init__(self, arena_bytes: int, chunk_bytes: int) -> None:
        self.chunk_bytes = chunk_bytes
        self.state = ArenaState.new()
        self.resize(arena_bytes)
        self.prepare(1)

    def resize(self, arena_bytes: int) -> None:
        self.bytes = large_padded_bytes(arena_bytes)

    def prepare(self, partitions: int) -> None:
        """Empty the arena, for rows of so many partitions."""
        arena_bytes = size_of(self.bytes)
        chunk_bytes = max(min(self.chunk_bytes, arena_bytes // (8 * partitions)), 256)
        most = 2 * (arena_bytes // chunk_bytes) + 2 * partitions + 16
        self.state.next_byte, self.state.chunks = 0, 0
        self.state.arena_bytes, self.state.chunk_bytes = arena_bytes, chunk_bytes
        self.state.most_chunks = most
        self.chunks: Ints = np.zeros(CHUNK_FIELDS * (most + partitions), dtype=np.int64)
        self.heads: Ints = np.zeros(HEAD_FIELDS * partitions, dtype=np.int64)

    @property
    def arrays(self) -> ArenaArrays:
        """What kernels take."""
        return ArenaArrays(self.bytes, self.state, self.heads, self.chunks)

    @property
    def used_bytes(self) -> int:
        return int(self.state.next_byte)

    def hand_over(self) -> PaddedBytes:
        """The arena's bytes, for good: the arena goes on with others."""
        full = self.bytes
        self.resize(size_of(full))
        return full

    def take_chunks(self) -> Ints:
        """The filled chunks, as rows of [partition, start, end] sorted by partition; the arena is
        empty afterwards, but its bytes stay as they are until the next row.
        """
        heads = self.heads.reshape(-1, HEAD_FIELDS)
        count = int(self.state.chunks)
        full = self.chunks[: CHUNK_FIELDS * count].reshape(-1, CHUNK_FIELDS)
        is_open = np.flatnonzero(heads[:, 0] > heads[:, 2])
        last = np.stack([is_open, heads[is_open, 2], heads[is_open, 0]], axis=1)
        chunks = np.concatenate([full, last])
        heads[:] = 0
        self.state.next_byte, self.state.chunks = 0, 0
        return chunks[np.argsort(chunks[:, 0], kind="stable")]

    def take_extents(self) -> Ints:
        """The same where there is one partition: rows of [start, end]."""
        return np.ascontiguousarray(self.take_chunks()[:, 1:])


class ReadingMemory:
    """What a task needs to read a block."""

    def __init__(self, sizes: BufferSizes) -> None:
        self.read_bytes = sizes.read_bytes
        # Room for the longest record, twice: read there, unquoted behind. What a record has never
        # reached takes no memory.
        self.scratch = max(BOUNDS.held, sizes.read_bytes) + SLACK_BYTES
        self.buffer = padded_bytes(2 * self.scratch)
        self.text = padded_bytes(LISTED_RECORD_BYTES)
        self.arena = Arena(sizes.arena_bytes, sizes.chunk_bytes)
        self.rejects = padded_bytes(sizes.reject_bytes)
        self.seen: Ints = np.zeros(SEEN_BATCH * SEEN_FIELDS, dtype=np.int64)


class MergingMemory:
    """What a task needs to merge and write a partition."""

    def __init__(self, sizes: BufferSizes) -> None:
        rows, songs = sizes.merge_rows, sizes.merge_songs + 1
        slots = FIRST_SLOTS
        while slots < 2 * songs:
            slots *= 4
        self.buffer = padded_bytes(max(sizes.read_bytes, 4 * BOUNDS.song))
        self.arena = Arena(sizes.run_bytes, sizes.chunk_bytes)
        self.seen: Ints = np.zeros(INGESTED_ROWS * INGESTED_FIELDS, dtype=np.int64)
        self.table = TableArrays(
            state=TableState.new(),
            slots=np.zeros(slots, dtype=np.uint64),
            hashes=np.zeros(songs, dtype=np.uint64),
            starts=np.zeros(songs + 1, dtype=np.int64),
            texts=padded_bytes(sizes.merge_text_bytes),
            counts=np.zeros(songs, dtype=np.int64),
            row_songs=np.zeros(rows, dtype=np.uint32),
            values=np.zeros(rows, dtype=np.uint64),
            wide=np.zeros(FIRST_WIDE, dtype=np.uint64),
        )
        self.ordered = SortedArrays(
            order=np.zeros(songs, dtype=np.int64),
            row_starts=np.zeros(songs + 1, dtype=np.int64),
            gathered=np.zeros(rows, dtype=np.uint64),
            places=np.zeros(songs, dtype=np.int64),
            keys=np.zeros(songs, dtype=np.uint64),
            cells=sparse_array(ALL_DAYS, np.uint64),
        )
        self.sums = SumArrays(
            song_low=np.zeros(songs, dtype=np.uint64),
            song_high=np.zeros(songs, dtype=np.uint64),
            day_low=sparse_array(ALL_DAYS, np.uint64),
            day_high=sparse_array(ALL_DAYS, np.uint64),
        )
        self.prefix = padded_bytes(2 * (BOUNDS.song + MOST_SLOTS))
        self.dates = sparse_array(DATE_TEXT_BYTES * ALL_DAYS, np.uint8)
        self.clear()

    def resize_rows(self, rows: int) -> None:
        """Make room for so many rows; keeps those that are there."""
        self.table = self.table._replace(
            row_songs=longer(self.table.row_songs, rows), values=longer(self.table.values, rows)
        )
        self.ordered = self.ordered._replace(gathered=np.zeros(rows, dtype=np.uint64))

    def resize_wide(self, size: int) -> None:
        """Make room for so many wide values; keeps those that are there."""
        self.table = self.table._replace(wide=longer(self.table.wide, size))

    def clear(self) -> None:
        """Forget all rows and songs."""
        state = self.table.state
        state.position = state.end = state.extent = 0
        state.songs = state.text_bytes = state.rows = state.wide = 0
        state.slots = FIRST_SLOTS
        self.table.slots[:FIRST_SLOTS] = 0


class WritingMemory:
    """What a task needs to write a part: `pages` of memory, and by how many seconds the disk has
    been faster than it must be to be written to directly, less than 0 where it was slower.
    """

    def __init__(self) -> None:
        self.pages: Bytes = np.frombuffer(mmap(-1, PAGE_BUFFER_BYTES), dtype=np.uint8)
        self.lead_seconds = 0.0


def longer(array: npt.NDArray[N], size: int) -> npt.NDArray[N]:
    """A copy of an array, with zeros behind it up to `size`."""
    copy = np.zeros(size, dtype=array.dtype)
    copy[: len(array)] = array
    return copy


class Pool(Generic[T]):
    """Things that tasks borrow and give back: as many as there are at work at a time. Of those that
    are free, MOST_FREE are kept.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        # Its methods are atomic.
        self._free: deque[T] = deque(maxlen=MOST_FREE)

    def take(self) -> T:
        """One that is free; a new one where there is none."""
        try:
            return self._free.pop()
        except IndexError:
            return self._make()

    def give_back(self, thing: T) -> None:
        self._free.append(thing)

    def give_back_after(self, holder: object, thing: T) -> None:
        """Takes the thing back when nobody has the `holder` any more."""
        finalize(holder, self.give_back, thing).atexit = False

    @contextmanager
    def borrow(self) -> Iterator[T]:
        """Lends one for the block. What an error has left in an unknown state does not return."""
        thing = self.take()
        yield thing
        self.give_back(thing)


class RowMemory:
    """So many bytes of memory, in which rows may wait for their merge; `cells` of 8 bytes, those of
    the hot songs, are part of it.
    """

    def __init__(self, size: int, cells: int) -> None:
        self._lock = Lock()
        self._left = size - 8 * cells
        self.cells: Words = large_words(cells) if cells else np.zeros(0, np.uint64)

    def take(self, size: int) -> bool:
        """Whether there are `size` bytes left; they are taken then."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


class Workspace:
    """The buffers that the tasks of one run borrow in this process, and the memory that they share.

    A task that finds no memory in `rows` writes its rows to a file, and one that finds no cells
    there its pairs. So it is in another process than the one that made the workspace: what is sent
    there has the same sizes, and nothing to share.
    """

    def __init__(self, sizes: BufferSizes) -> None:
        self.sizes = sizes
        self.rows = RowMemory(0, 0)
        self.reading = Pool(lambda: ReadingMemory(sizes))
        self.merging = Pool(lambda: MergingMemory(sizes))
        self.texts = Pool(lambda: large_padded_bytes(sizes.written_text_bytes))
        self.writing = Pool(WritingMemory)
        self.pairs = Pool(lambda: np.zeros(sizes.pairs, dtype=np.uint64))

    def __reduce__(self) -> tuple[Any, ...]:
        return workspace_of, (self.sizes,)


def workspace_of(sizes: BufferSizes) -> Workspace:
    """The workspace in this process for a run that another one has started."""
    return kept_workspace(sizes) if sizes.arena_bytes >= HUGE_BYTES else Workspace(sizes)


@lru_cache(maxsize=1)
def kept_workspace(sizes: BufferSizes) -> Workspace:
    """A large workspace, which stays for the next run of the same sizes: all large inputs have
    these. Where a virtual machine gives its free memory back to the host, to touch it again takes
    dozens of times as long.
    """
    return Workspace(sizes)
