"""Merging one partition: its rows become sorted totals. One that has no room in memory is divided
into smaller ones first, by a sample of all its rows.
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from bmat.aggregation.exchange.parts import Part
from bmat.aggregation.exchange.rows import Spilled, SpillWriter
from bmat.aggregation.exchange.splitters import choose_splitters, make_splitters, texts_of
from bmat.aggregation.exchange.waiting import Waiting, bytes_of, rows_of
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import Ints, PaddedBytes, Splitters
from bmat.aggregation.kernels.ingest import (
    N_FOUND,
    N_LEFT,
    N_SONGS,
    divide_rows,
    sample_rows,
)
from bmat.aggregation.merge.part import PartWriter
from bmat.aggregation.merge.table import Table
from bmat.aggregation.progress import TaskProgress
from bmat.aggregation.workspace import Arena, MergingMemory

# Into so many smaller partitions one is divided, by a sample of so many of its rows.
SUB_PARTITIONS = 16
SAMPLED_ROWS = 1024
SEED = 16


def take_all(table: Table, waiting: Waiting, job: Job, progress: TaskProgress) -> bool:
    """Take all rows of a partition into the table; False where it has no room for them."""
    stretches = rows_of(waiting, job, table.memory)
    try:
        stretch = next(stretches)
        while True:
            progress.check()
            taken, has_room = table.take(*stretch)
            if not has_room:
                stretches.close()
                return False
            stretch = stretches.send(taken)
    except StopIteration:
        return True


def merge_part(job: Job, spilled: list[Spilled], partitions: range) -> Part:
    """Merge partitions, one after another, to a part. The memory of its text is lent to it for as
    long as somebody has it: a cluster that has lost a worker may place and write it once more.
    """
    with (
        job.workspace.merging.borrow() as memory,
        job.progress_of_part(partitions[0]) as progress,
    ):
        text = job.workspace.texts.take()
        writer = PartWriter(job, memory, text, progress)
        for number in partitions:
            waiting = Waiting(spilled, number, job.hot.cells_of(number))
            merge_into(writer, job, waiting, memory, progress)
        part = writer.finish()
    job.workspace.texts.give_back_after(part.text, text)
    return part


def merge_into(
    writer: PartWriter, job: Job, waiting: Waiting, memory: MergingMemory, progress: TaskProgress
) -> None:
    """Merge a partition, in smaller ones where it is too large for the memory."""
    table = Table(memory, job.hash_key)
    if take_all(table, waiting, job, progress):
        if table.song_count and writer.overflow is None:
            writer.write(table)
        return
    divided = divide(job, waiting, memory, progress)
    for part in range(divided.partitions):
        merge_into(writer, job, Waiting([divided], part), memory, progress)
    divided.discard(job.workspace)


def divide(job: Job, waiting: Waiting, memory: MergingMemory, progress: TaskProgress) -> Spilled:
    """Spread the rows of a partition, which are of several songs, over smaller ones: each with
    fewer songs than it has, and most of them with a small part of its bytes, or of one song.
    """
    sampler = Sampler(memory, bytes_of(waiting, job))
    pass_all(sampler.take, job, waiting, memory, progress)
    divider = Divider(job, memory, splitters_of(sampler.songs))
    pass_all(divider.take, job, waiting, memory, progress)
    return divider.result()


def pass_all(
    take: Callable[[PaddedBytes], None],
    job: Job,
    waiting: Waiting,
    memory: MergingMemory,
    progress: TaskProgress,
) -> None:
    """Have all rows of a partition taken, extent after extent: those from `state.position` to
    `state.end`.
    """
    state = memory.table.state
    stretches = rows_of(waiting, job, memory)
    try:
        row_bytes, extents = next(stretches)
        while True:
            progress.check()
            for start, end in extents.tolist():
                state.position, state.end = start, end
                take(row_bytes)
            row_bytes, extents = stretches.send(int(state.position))
    except StopIteration:
        return


class Sampler:
    """Counts the songs of some SAMPLED_ROWS rows, which lie `size / SAMPLED_ROWS` bytes apart on
    the average. The steps are uneven, lest rows that come in turn were always the same ones. Were
    the first rows alone looked at, sorted ones would be divided into those few and all the others,
    again and again.
    """

    def __init__(self, memory: MergingMemory, size: int) -> None:
        self.songs: Counter[bytes] = Counter()
        self._state = memory.table.state
        most = 2 * size // SAMPLED_ROWS + 2
        self._steps: Ints = np.random.default_rng(SEED).integers(0, most, SAMPLED_ROWS)
        self._sampled: Ints = np.zeros(N_SONGS + 2 * SAMPLED_ROWS, dtype=np.int64)
        self._sampled[N_LEFT] = self._steps[0]

    def take(self, row_bytes: PaddedBytes) -> None:
        is_full = True
        while is_full:
            is_full = bool(sample_rows(row_bytes, self._state, self._steps, self._sampled))
            found = self._sampled[N_SONGS:].reshape(-1, 2)[: int(self._sampled[N_FOUND])]
            for start, count in found.tolist():
                self.songs[row_bytes[start : start + count].tobytes()] += 1


def splitters_of(songs: Counter[bytes]) -> Splitters:
    """Splitters that part the songs of a sample evenly. A song with the rows of a whole smaller
    partition gets one for itself: it is merged by itself then, however many rows it has.
    """
    ordered, total = sorted(songs), songs.total()
    weights = np.array([songs[song] for song in ordered], dtype=np.float64)
    even = texts_of(choose_splitters(ordered.__getitem__, weights, total / SUB_PARTITIONS))
    large = [song for song in ordered if songs[song] * SUB_PARTITIONS >= total]
    # Nothing sorts between a song and itself with a NUL behind, which no song holds.
    alone = [bound for song in large for bound in (song, song + b"\0")]
    return make_splitters(sorted({*even, *alone}))


class Divider:
    """Passes rows on into the partitions of some splitters."""

    def __init__(self, job: Job, memory: MergingMemory, splitters: Splitters) -> None:
        self._state = memory.table.state
        self._splitters = splitters
        self._arena = Arena(job.sizes.buffers.arena_bytes, job.sizes.buffers.chunk_bytes)
        self._arena.prepare(splitters.partitions)
        self._rows = SpillWriter(job.folder, job.workspace.rows, splitters.partitions)

    def take(self, row_bytes: PaddedBytes) -> None:
        arena, splitters = self._arena, self._splitters
        while divide_rows(row_bytes, self._state, splitters, arena.arrays):
            self._rows.write(arena)

    def result(self) -> Spilled:
        self._rows.write(self._arena)
        return self._rows.result()
