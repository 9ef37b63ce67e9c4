"""Reading one block: its bytes through the parsing kernel, its rows and rejects to files."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

import numpy as np

from bmat.aggregation.beacon import Beacon
from bmat.aggregation.hot_cells import (
    NO_PAIRS,
    give_pairs_back,
    shared_cells,
    sum_up,
    take_pairs,
)
from bmat.aggregation.job import Block, HotSongs, Ints, Job, Source, Splitters, Words
from bmat.aggregation.kernel_bytes import SLACK_BYTES
from bmat.aggregation.kernel_cells import add_pairs
from bmat.aggregation.kernel_fields import MONTH_STARTS
from bmat.aggregation.kernel_parse import (
    ARENA_FULL,
    DONE,
    NEEDS_BYTES,
    P_BUCKET_WIDTH,
    P_DATE,
    P_DAYS,
    P_DELIMITER,
    P_END,
    P_FIELD_COUNT,
    P_FIRST_DAY,
    P_HOT_SONGS,
    P_IS_LAST,
    P_LINES,
    P_MOST_LISTED,
    P_PAIRS,
    P_PLAYS,
    P_PLAYS_HIGH,
    P_PLAYS_LOW,
    P_POSITION,
    P_REASONS,
    P_REJECT_BYTES,
    P_REJECTS_LISTED,
    P_ROWS_COUNTED,
    P_SCRATCH,
    P_SONG,
    P_SPLITTER_SKIP,
    P_STOP,
    PARSE_FIELDS,
    parse_block,
)
from bmat.aggregation.memory import READING, ReadingMemory
from bmat.aggregation.spill import Spilled, SpillWriter, write_all
from bmat.aggregation.splitting import buckets_of


@dataclass(frozen=True)
class Reading:
    """What a block came to. It reaches from byte `start` to byte `end`, where the next record
    starts; both are -1 where the block was found to start no record.

    `reasons` are the rejects by reason, in the order of REASONS; `listed` of them are described
    in the file `rejects`, lines counted from the block's start. `pairs` are those of hot songs
    where they wait for the cells that the run's tasks share.
    """

    start: int
    end: int
    lines: int = 0
    rows_counted: int = 0
    plays: int = 0
    reasons: tuple[int, ...] = (0,) * (PARSE_FIELDS - P_REASONS)
    listed: int = 0
    rejects: Path | None = None
    rows: Spilled | None = None
    pairs: Words = field(default_factory=lambda: NO_PAIRS)
    pair_count: int = 0


class BlockReader:
    """Drives the parsing kernel over a file, in the memory it is lent.

    `on_arena` is called with rows when the arena is full, and must empty it; `on_rejects` with
    the number of bytes of listed rejects.
    """

    def __init__(
        self,
        memory: ReadingMemory,
        source: Source,
        splitters: Splitters,
        hot: HotSongs,
        pairs: Words,
        on_arena: Callable[[], None],
        on_rejects: Callable[[int], None],
        most_listed: int,
    ) -> None:
        self.memory = memory
        self.pairs = pairs
        self.size = source.size
        self._on_arena = on_arena
        self._on_rejects = on_rejects
        self._splitters = splitters
        self._buckets = buckets_of(splitters)
        self._hot = hot
        state = self.state = memory.state
        layout = source.layout
        state[:] = 0
        state[P_MOST_LISTED] = most_listed
        state[P_SCRATCH] = memory.read_bytes + SLACK_BYTES
        state[P_DELIMITER], state[P_FIELD_COUNT] = layout.delimiter[0], layout.field_count
        state[P_SONG], state[P_DATE], state[P_PLAYS] = layout.song, layout.date, layout.plays
        state[P_SPLITTER_SKIP] = splitters.skip
        state[P_BUCKET_WIDTH] = self._buckets.width
        state[P_HOT_SONGS] = len(hot)
        state[P_FIRST_DAY], state[P_DAYS] = hot.first_day, hot.days
        memory.arena.prepare(splitters.partitions)

    def read(self, descriptor: int, start: int, stop: int, beacon: Beacon | None) -> int:
        """Read the records that start in the file's bytes `start` to `stop`. Returns where the
        next record starts.
        """
        memory, state = self.memory, self.state
        offset, filled = start, 0
        state[P_POSITION] = 0
        while True:
            filled += self._fill(descriptor, offset + filled, filled)
            state[P_STOP], state[P_END] = stop - offset, filled
            state[P_IS_LAST] = offset + filled >= self.size
            outcome = self._parse()
            if outcome == DONE:
                return offset + int(state[P_POSITION])
            used = int(state[P_POSITION])
            if used == 0 and filled == memory.read_bytes:
                memory.grow_buffer(filled)
                state[P_SCRATCH] = memory.read_bytes + SLACK_BYTES
            filled -= used
            memory.buffer[:filled] = memory.buffer[used : used + filled].copy()
            offset += used
            state[P_POSITION] = 0
            if beacon is not None:
                beacon.report(offset - start, self.rows_read)

    @property
    def pair_count(self) -> int:
        return int(self.state[P_PAIRS])

    @property
    def rows_read(self) -> int:
        return int(self.state[P_ROWS_COUNTED] + self.state[P_REASONS:].sum())

    def _fill(self, descriptor: int, offset: int, filled: int) -> int:
        """Read on at the file's `offset` into the buffer's free part; returns how many bytes."""
        room = min(self.memory.read_bytes - filled, self.size - offset)
        view = self.memory.buffer.data[filled : filled + room]
        count = os.preadv(descriptor, [view], offset)
        if not count:
            raise OSError(f"A file of {self.size} bytes has become shorter while it was read.")
        return count

    def _parse(self) -> int:
        """Call the kernel until it is done, or needs bytes."""
        memory, hot, splitters = self.memory, self._hot, self._splitters
        arena = memory.arena
        while True:
            outcome = parse_block(
                memory.buffer,
                self.state,
                MONTH_STARTS,
                self._buckets.keys,
                self._buckets.starts,
                splitters.keys,
                splitters.starts,
                splitters.texts,
                hot.slots,
                hot.texts,
                memory.seen,
                self.pairs,
                arena.bytes,
                arena.state,
                arena.heads,
                arena.chunks,
                memory.rejects,
            )
            if outcome in (DONE, NEEDS_BYTES):
                return outcome
            if outcome == ARENA_FULL:
                self.make_room()
            else:
                self.flush_rejects()

    def make_room(self) -> None:
        """Empty the arena, or make a larger one where it is empty."""
        arena = self.memory.arena
        if arena.is_empty:
            arena.resize(2 * len(arena.bytes))
            arena.prepare(self._splitters.partitions)
        else:
            self._on_arena()

    def flush_rejects(self) -> None:
        count = int(self.state[P_REJECT_BYTES])
        if count:
            self._on_rejects(count)
        self.state[P_REJECT_BYTES] = 0

    def flush_rows(self) -> None:
        """Pass on what is left in the arena."""
        if not self.memory.arena.is_empty:
            self._on_arena()


def read_block(job: Job, number: int, true_start: int | None = None) -> Reading:
    """Read block `number`: from `true_start`, where its first record is known to start, or on the
    guess that its first line starts one.
    """
    block = job.blocks[number]
    source = job.sources[block.source]
    descriptor = os.open(source.path, os.O_RDONLY)
    try:
        start = first_line(descriptor, block, source) if true_start is None else true_start
        if not 0 <= start < block.stop:
            with Beacon(job.folder, number) as beacon:
                beacon.report(block.stop - block.start, 0)
            return Reading(start=start, end=start)
        return read_records(job, number, descriptor, start)
    finally:
        os.close(descriptor)


def first_line(descriptor: int, block: Block, source: Source) -> int:
    """Where the first line of the block starts; -1 where none does."""
    if block.start == source.layout.data_start:
        return block.start
    at = block.start - 1
    while at < block.stop - 1:
        data = os.pread(descriptor, min(2**16, block.stop - 1 - at), at)
        line_feed = data.find(b"\n")
        if line_feed >= 0:
            return at + line_feed + 1
        if not data:
            return -1
        at += len(data)
    return -1


def read_records(job: Job, number: int, descriptor: int, start: int) -> Reading:
    """Read the records of a block from byte `start` on."""
    block = job.blocks[number]
    source = job.sources[block.source]
    rejects_path = job.folder / f"{uuid4().hex}.rejects"
    with (
        READING.borrow(job.sizes, lambda: ReadingMemory(job.sizes)) as memory,
        SpillWriter(job.folder, job.splitters.partitions) as rows,
        Beacon(job.folder, number) as beacon,
    ):
        reader = BlockReader(
            memory,
            source,
            job.splitters,
            job.hot,
            take_pairs(job),
            lambda: rows.write(memory.arena),
            lambda count: append_rejects(rejects_path, memory, count),
            job.listed_rejects,
        )
        end = reader.read(descriptor, start, block.stop, beacon)
        if len(reader.pairs) and not job.sizes.shares_cells:
            for _ in sum_up(job, reader.pairs, reader.pair_count, memory.arena):
                reader.make_room()
        reader.flush_rows()
        reader.flush_rejects()
        beacon.report(block.stop - block.start, reader.rows_read)
        spilled = rows.result()
        reading = reading_of(
            reader.state, start, end, rejects_path, None if spilled.is_empty else spilled
        )
        if job.sizes.shares_cells:
            return replace(reading, pairs=reader.pairs, pair_count=reader.pair_count)
        give_pairs_back(job, reader.pairs)
        return reading


def append_rejects(path: Path, memory: ReadingMemory, count: int) -> None:
    """Write listed rejects behind those that are in the file already."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        end = os.fstat(descriptor).st_size
        write_all(descriptor, [memory.rejects.data[:count]], end)
    finally:
        os.close(descriptor)


def reading_of(state: Ints, start: int, end: int, rejects: Path, rows: Spilled | None) -> Reading:
    """The outcome that the kernel's state stands for."""
    low = int(state[P_PLAYS_LOW : P_PLAYS_LOW + 1].view(np.uint64)[0])
    listed = int(state[P_REJECTS_LISTED])
    return Reading(
        start=start,
        end=end,
        lines=int(state[P_LINES]),
        rows_counted=int(state[P_ROWS_COUNTED]),
        plays=low + (int(state[P_PLAYS_HIGH]) << 64),
        reasons=tuple(int(count) for count in state[P_REASONS:]),
        listed=listed,
        rejects=rejects if listed else None,
        rows=rows,
    )


def settle_block(job: Job, number: int, before: Reading | None, guess: Reading) -> Reading:
    """`guess` where it was right, else the block read again from where its first record really
    starts: where the block before it ended.
    """
    block = job.blocks[number]
    true_start = job.sources[block.source].layout.data_start
    if before is not None and job.blocks[number - 1].source == block.source:
        true_start = before.end
    reading = guess
    if guess.start != true_start:
        if guess.rows is not None:
            guess.rows.discard()
        give_pairs_back(job, guess.pairs)
        reading = read_block(job, number, true_start)
    return with_pairs_added(job, reading)


def with_pairs_added(job: Job, reading: Reading) -> Reading:
    """The reading once its pairs are in the shared cells. Blocks are settled one after another, so
    that no two add at the same time.
    """
    if not len(reading.pairs):
        return reading
    add_pairs(shared_cells(job.folder), reading.pairs, reading.pair_count)
    give_pairs_back(job, reading.pairs)
    return replace(reading, pairs=NO_PAIRS, pair_count=0)


__all__ = ["BlockReader", "Reading", "read_block", "settle_block"]
