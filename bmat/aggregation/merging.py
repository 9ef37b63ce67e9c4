"""Merging one partition: its rows from disk into totals, sorted, as lines of CSV."""

import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np

from bmat.aggregation.hot_cells import emptied, shared_cells
from bmat.aggregation.job import Bytes, Ints, Job, Sizes, Splitters, Words
from bmat.aggregation.kernel_bytes import SLACK_BYTES
from bmat.aggregation.kernel_fields import MONTH_STARTS
from bmat.aggregation.kernel_format import (
    FORMAT_FIELDS,
    FORMATTED,
    NUMBER_TEXTS,
    OVERFLOW,
    W_FIRST_DAY,
    W_GROUPS,
    W_KEEP_GROUPS,
    W_LAST_DAY,
    W_OVERFLOW_DAY,
    W_OVERFLOW_HIGH,
    W_OVERFLOW_LOW,
    W_PLAYS_HIGH,
    W_PLAYS_LOW,
    W_RANK,
    W_TEXT_BYTES,
    format_songs,
)
from bmat.aggregation.kernel_ingest import I_END, I_POSITION, divide_rows
from bmat.aggregation.memory import ALL_DAYS, MERGING, Arena, MergingMemory, Pool, byte_array, grown
from bmat.aggregation.parquet import Groups, save_groups
from bmat.aggregation.partition import choose_splitters
from bmat.aggregation.spill import Spilled, SpillWriter, write_all
from bmat.aggregation.splitting import NO_SPLITTERS, make_splitters
from bmat.aggregation.table import Table

SUB_PARTITIONS = 16
LEAST_TEXT_BYTES = 4096
TEXTS: Pool[Bytes] = Pool()


@dataclass(frozen=True)
class Overflow:
    """The first total, in output order, that is past the largest possible one."""

    song: bytes
    day: int
    total: int


@dataclass(frozen=True)
class Part:
    """The lines of one partition: those in the file `path` (if any), then `text[:text_bytes]`.

    `days` are the days that occur, `day_low` and `day_high` their sums in words of 64 bits;
    `top` are the songs with the most plays, with their totals; `parquet_paths` the files of the
    same totals as Parquet, where that is wanted.
    """

    text: Bytes
    text_bytes: int
    path: Path | None
    path_bytes: int
    groups: int
    plays: int
    days: Ints
    day_low: Words
    day_high: Words
    top: list[tuple[int, bytes]]
    overflow: Overflow | None
    parquet_paths: list[Path]


@dataclass(frozen=True)
class Waiting:
    """The rows of one partition that wait for their merge: number `partition` of what is
    `spilled`, and the shared cells of the hot songs `span[0]` to `span[1]`.
    """

    spilled: list[Spilled]
    partition: int
    span: tuple[int, int] = (0, 0)


def rows_of(
    waiting: Waiting, job: Job, memory: MergingMemory
) -> Generator[tuple[Bytes, Ints], int, None]:
    """The rows of a partition: yields bytes, and extents of them that hold rows. Those on disk are
    read into the memory's buffer, stretch after stretch. Send back where the first row begins that
    was not taken.
    """
    arena = memory.arena
    arena.prepare(1)
    for _ in emptied(shared_cells(job.folder), job.hot, waiting.span, NO_SPLITTERS, arena):
        yield arena.bytes, extents_of(arena)
        arena.prepare(1)
    yield arena.bytes, extents_of(arena)
    for spill in waiting.spilled:
        for kept in spill.kept:
            yield kept.bytes, kept.extents_of(waiting.partition)
    yield from rows_on_disk(waiting.spilled, waiting.partition, memory)


def extents_of(arena: Arena) -> Ints:
    """Where the rows of an arena of one partition are."""
    return np.ascontiguousarray(arena.take_chunks()[:, 1:])


def rows_on_disk(
    spilled: list[Spilled], partition: int, memory: MergingMemory
) -> Generator[tuple[Bytes, Ints], int, None]:
    """The rows of a partition that are in files."""
    filled = 0
    for spill in spilled:
        if not len(spill.runs):
            continue
        descriptor = os.open(spill.path, os.O_RDONLY)
        try:
            for run in spill.runs[:, partition : partition + 2].tolist():
                offset, end = run
                while offset < end:
                    room = len(memory.buffer) - SLACK_BYTES - filled
                    if not room:
                        taken = yield memory.buffer, np.array([[0, filled]])
                        filled = keep_rest(memory, taken, filled)
                        continue
                    view = memory.buffer.data[filled : filled + min(room, end - offset)]
                    count = os.preadv(descriptor, [view], offset)
                    if not count:
                        raise OSError("A temporary file has become shorter.")
                    offset += count
                    filled += count
        finally:
            os.close(descriptor)
    if filled:
        yield memory.buffer, np.array([[0, filled]])


def keep_rest(memory: MergingMemory, taken: int, filled: int) -> int:
    """Move the row that is not whole yet to the buffer's front. Returns its length so far."""
    rest = filled - taken
    if not taken:
        memory.buffer = grown(memory.buffer, 2 * (len(memory.buffer) - SLACK_BYTES), filled)
    else:
        memory.buffer[:rest] = memory.buffer[taken:filled].copy()
    return rest


def take_all(table: Table, waiting: Waiting, job: Job) -> bool:
    """Take all rows of a partition into the table; False where it has no room for them."""
    stretches = rows_of(waiting, job, table.memory)
    try:
        stretch = next(stretches)
        while True:
            taken, has_room = table.take(*stretch)
            if not has_room:
                stretches.close()
                return False
            stretch = stretches.send(taken)
    except StopIteration:
        return True


class PartWriter:
    """Collects the lines of one partition, and what is to be known of them."""

    def __init__(self, job: Job, memory: MergingMemory, text: Bytes) -> None:
        self._job = job
        self._memory = memory
        self._text = text
        self._path: Path | None = None
        self._path_bytes = 0
        self._text_bytes = 0
        self._groups = 0
        self._plays = 0
        self._first_day, self._last_day = ALL_DAYS, -1
        self._top: list[tuple[int, bytes]] = []
        self._parquet_paths: list[Path] = []
        self.overflow: Overflow | None = None

    def write(self, table: Table) -> None:
        """Add the totals of a table, which sort behind all that came before."""
        table.sort()
        state: Ints = np.zeros(FORMAT_FIELDS, dtype=np.int64)
        state[W_FIRST_DAY], state[W_LAST_DAY] = self._first_day, self._last_day
        state[W_TEXT_BYTES] = self._text_bytes
        state[W_KEEP_GROUPS] = self._job.parquet is not None
        groups = Groups(table.row_count if self._job.parquet else 0)
        longest = int(np.diff(self._memory.starts[: table.song_count + 1]).max(initial=0))
        if len(self._memory.prefix) < 2 * longest + 2 + SLACK_BYTES:
            self._memory.prefix = byte_array(2 * longest + 2)
        outcome = self._format(state, table, groups)
        while outcome not in (FORMATTED, OVERFLOW):
            self._make_room(state)
            outcome = self._format(state, table, groups)
        self._text_bytes = int(state[W_TEXT_BYTES])
        self._groups += int(state[W_GROUPS])
        self._plays += words_of(state, W_PLAYS_LOW, W_PLAYS_HIGH)
        self._first_day, self._last_day = int(state[W_FIRST_DAY]), int(state[W_LAST_DAY])
        if outcome == OVERFLOW:
            song = table.song(int(self._memory.order[state[W_RANK]]))
            total = words_of(state, W_OVERFLOW_LOW, W_OVERFLOW_HIGH)
            self.overflow = Overflow(song, int(state[W_OVERFLOW_DAY]), total)
            return
        self._note_top(table)
        if self._job.parquet is not None:
            path = self._job.folder / f"{uuid4().hex}.parquet"
            save_groups(path, table, groups, int(state[W_GROUPS]))
            self._parquet_paths.append(path)

    def _format(self, state: Ints, table: Table, groups: Groups) -> int:
        memory = self._memory
        return format_songs(
            state,
            memory.order,
            table.song_count,
            memory.starts,
            memory.texts,
            memory.row_starts,
            memory.gathered,
            memory.wide,
            memory.state,
            memory.cells,
            self._text,
            memory.prefix,
            memory.date_texts,
            MONTH_STARTS,
            NUMBER_TEXTS,
            memory.song_low,
            memory.song_high,
            memory.day_low,
            memory.day_high,
            groups.ranks,
            groups.days,
            groups.sums,
        )

    def _make_room(self, state: Ints) -> None:
        """Grow the text, or move it to a file where it is as large as it may be."""
        used = int(state[W_TEXT_BYTES])
        size = len(self._text) - SLACK_BYTES
        if used and size >= self._job.sizes.written_text_bytes:
            self._path = self._path or self._job.folder / f"{uuid4().hex}.part"
            descriptor = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
            try:
                view = self._text.data[:used]
                self._path_bytes = write_all(descriptor, [view], self._path_bytes)
            finally:
                os.close(descriptor)
            state[W_TEXT_BYTES] = 0
        else:
            self._text = grown(self._text, 2 * size, used)

    def _note_top(self, table: Table) -> None:
        """Keep the songs with the most plays, those first in order where plays are the same."""
        memory, songs = self._memory, table.song_count
        high, low = memory.song_high[:songs], memory.song_low[:songs]
        ranks = np.arange(songs)
        if songs > TOP_SONGS and not high.any():
            bound = np.partition(low, songs - TOP_SONGS)[songs - TOP_SONGS]
            ranks = np.flatnonzero(low >= bound)
            above = ranks[low[ranks] > bound]
            equal = ranks[low[ranks] == bound][: TOP_SONGS - len(above)]
            ranks = np.concatenate([above, equal])
        self._top += [
            (int(low[rank]) + (int(high[rank]) << 64), table.song(int(memory.order[rank])))
            for rank in ranks
        ]
        self._top = first_of_top(self._top)

    def finish(self) -> Part:
        """The part. The memory's sums by day are cleared."""
        memory = self._memory
        span = slice(self._first_day, self._last_day + 1)
        low, high = memory.day_low[span], memory.day_high[span]
        found = np.flatnonzero(low | high)
        part = Part(
            text=self._text,
            text_bytes=self._text_bytes,
            path=self._path,
            path_bytes=self._path_bytes,
            groups=self._groups,
            plays=self._plays,
            days=found + self._first_day,
            day_low=low[found],
            day_high=high[found],
            top=self._top,
            overflow=self.overflow,
            parquet_paths=self._parquet_paths,
        )
        low[:], high[:] = 0, 0
        return part


TOP_SONGS = 100


def first_of_top(top: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The songs with the most plays, at most TOP_SONGS; by name where plays are the same."""
    return sorted(top, key=lambda entry: (-entry[0], entry[1]))[:TOP_SONGS]


def words_of(state: Ints, low: int, high: int) -> int:
    """The number whose low and high 64 bits are in `state`."""
    return int(state[low : low + 1].view(np.uint64)[0]) + (int(state[high]) << 64)


def merge_part(job: Job, spilled: list[Spilled], partition: int) -> Part:
    """Merge a partition. The part's text is lent: `writing` gives it back."""
    sizes = job.sizes
    with MERGING.borrow(sizes, lambda: MergingMemory(sizes)) as memory:
        text = TEXTS.take(sizes, lambda: byte_array(first_text_bytes(sizes)))
        writer = PartWriter(job, memory, text)
        span = job.hot.cells_of(partition) if job.sizes.shares_cells else (0, 0)
        merge_into(writer, job, Waiting(spilled, partition, span), memory)
        return writer.finish()


def first_text_bytes(sizes: Sizes) -> int:
    most = min(2 * sizes.part_bytes, 4 * sizes.merge_text_bytes, sizes.written_text_bytes)
    return max(most, LEAST_TEXT_BYTES)


def merge_into(writer: PartWriter, job: Job, waiting: Waiting, memory: MergingMemory) -> None:
    """Merge a partition, in smaller ones where it is too large for the memory."""
    table = Table(memory)
    if take_all(table, waiting, job):
        if table.song_count and writer.overflow is None:
            writer.write(table)
        return
    divided = divide(job, waiting, memory, splitters_of(table))
    for part in range(divided.runs.shape[1] - 1):
        merge_into(writer, job, Waiting([divided], part), memory)
    divided.discard()


def splitters_of(table: Table) -> Splitters:
    """Splitters that part the songs of a table: at least one of them from the others."""
    table.sort()
    order = table.memory.order[: table.song_count].copy()
    weights = table.counts()[order].astype(np.float64) + 1.0
    part_weight = int(weights.sum() / SUB_PARTITIONS) + 1

    def song(number: int) -> bytes:
        return table.song(int(order[number]))

    splitters = choose_splitters(song, weights, part_weight, most_bytes=None)
    return splitters if len(splitters.keys) else make_splitters([song(len(order) // 2)])


def divide(job: Job, waiting: Waiting, memory: MergingMemory, splitters: Splitters) -> Spilled:
    """Spread the rows of a partition over smaller ones, in a new file."""
    arena = Arena(job.sizes.arena_bytes, job.sizes.chunk_bytes)
    arena.prepare(splitters.partitions)
    stretches = rows_of(waiting, job, memory)
    stretch = next(stretches)
    with SpillWriter(job.folder, splitters.partitions) as rows:
        try:
            while True:
                row_bytes, extents = stretch
                taken = 0
                for extent in extents.tolist():
                    taken = divide_stretch(memory, row_bytes, extent, splitters, arena, rows)
                stretch = stretches.send(taken)
        except StopIteration:
            rows.write(arena)
        return rows.result()


def divide_stretch(
    memory: MergingMemory,
    row_bytes: Bytes,
    extent: list[int],
    splitters: Splitters,
    arena: Arena,
    rows: SpillWriter,
) -> int:
    """Pass on the whole rows of an extent of the bytes; returns where the next one starts."""
    state = memory.state
    state[I_POSITION], state[I_END] = extent
    while divide_rows(
        row_bytes,
        state,
        splitters.keys,
        splitters.starts,
        splitters.texts,
        splitters.skip,
        arena.bytes,
        arena.state,
        arena.heads,
        arena.chunks,
    ):
        if arena.is_empty:
            arena.resize(2 * len(arena.bytes))
            arena.prepare(splitters.partitions)
        else:
            rows.write(arena)
    return int(state[I_POSITION])
