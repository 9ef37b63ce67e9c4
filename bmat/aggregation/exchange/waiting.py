"""The rows of one partition that wait for their merge: in memory, on disk, and in hot cells."""

import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from bmat.aggregation.exchange.hot_cells import add_spilled_pairs, emptied
from bmat.aggregation.exchange.rows import Spilled
from bmat.aggregation.exchange.scratch import BECAME_SHORTER
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import Ints, PaddedBytes, size_of
from bmat.aggregation.system import read_into
from bmat.aggregation.workspace import Arena, MergingMemory

# Of 24 KiB or less, so that whoever takes them looks for a cancel often enough.
EXTENTS_AT_A_TIME = 128


@dataclass(frozen=True)
class Waiting:
    """The rows of one partition that wait for their merge: number `partition` of what is
    `spilled`, and the cells of its hot songs, number `span[0]` to `span[1]`.
    """

    spilled: list[Spilled]
    partition: int
    span: tuple[int, int] = (0, 0)


def bytes_of(waiting: Waiting, job: Job) -> int:
    """How many bytes the rows of a partition take, at most."""
    partition, (first, stop) = waiting.partition, waiting.span
    size = 8 * (stop - first)
    for spill in waiting.spilled:
        size += int((spill.runs[:, partition + 1] - spill.runs[:, partition]).sum())
        for kept in spill.kept:
            extents = kept.extents_of(partition)
            size += int((extents[:, 1] - extents[:, 0]).sum())
    return size


def rows_of(
    waiting: Waiting, job: Job, memory: MergingMemory
) -> Generator[tuple[PaddedBytes, Ints], int, None]:
    """The rows of a partition: yields bytes, and extents of them that hold rows. Those on disk are
    read into the memory's buffer, stretch after stretch. Send back where the first row begins that
    was not taken.
    """
    arena = memory.arena
    arena.prepare(1)
    for _ in hot_rows(waiting, job, arena):
        yield arena.bytes, arena.take_extents()
        arena.prepare(1)
    yield arena.bytes, arena.take_extents()
    for spill in waiting.spilled:
        for kept in spill.kept:
            extents = kept.extents_of(waiting.partition)
            for first in range(0, len(extents), EXTENTS_AT_A_TIME):
                yield kept.bytes, extents[first : first + EXTENTS_AT_A_TIME]
    yield from rows_on_disk(waiting.spilled, waiting.partition, memory)


def hot_rows(waiting: Waiting, job: Job, arena: Arena) -> Iterator[None]:
    """Turn the sums of a partition's hot songs into rows of the arena. Stops where that is full,
    and goes on when it has been emptied; and while pairs are added up, to have the task look for a
    cancel.
    """
    cells, hot, (first, stop) = job.workspace.rows.cells, job.hot, waiting.span
    if first < stop and not len(cells):
        cells = np.zeros(stop - first, dtype=np.uint64)
        for spill in waiting.spilled:
            add_spilled_pairs(cells, spill, hot, waiting.partition)
            yield
        hot, first, stop = hot.of_partition(waiting.partition), 0, len(cells)
    yield from emptied(cells, hot, (first, stop), arena)


def rows_on_disk(
    spilled: list[Spilled], partition: int, memory: MergingMemory
) -> Generator[tuple[PaddedBytes, Ints], int, None]:
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
                    room = size_of(memory.buffer) - filled
                    if not room:
                        taken = yield memory.buffer, np.array([[0, filled]])
                        filled = keep_rest(memory, taken, filled)
                        continue
                    view = memory.buffer.data[filled : filled + min(room, end - offset)]
                    count = read_into(descriptor, view, offset)
                    if not count:
                        raise OSError(BECAME_SHORTER)
                    offset += count
                    filled += count
        finally:
            os.close(descriptor)
    if filled:
        yield memory.buffer, np.array([[0, filled]])


def keep_rest(memory: MergingMemory, taken: int, filled: int) -> int:
    """Move the row that is not whole yet to the buffer's front. Returns its length so far."""
    rest = filled - taken
    memory.buffer[:rest] = memory.buffer[taken:filled].copy()
    return rest
