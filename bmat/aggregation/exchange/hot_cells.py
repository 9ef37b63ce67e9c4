"""The sums of hot songs: pairs from the blocks into cells, and cells into rows.

Where all tasks of a run share a process they share its cells: a batch's pairs are added once it is
certain that it was read from where a record starts, and the merge reads the sums. Elsewhere the
pairs go through the file of the batch's rows, 8 bytes each, and the merge adds up those of its
partition.
"""

from collections.abc import Iterator

import numpy as np

from bmat.aggregation.exchange.rows import Spilled
from bmat.aggregation.exchange.splitters import NO_TEXTS
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import HotSongs, Ints, Words
from bmat.aggregation.kernels.hot import (
    PAIR_PLAYS_BITS,
    SLOT_FIELDS,
    add_pairs,
    empty_cells,
    group_pairs,
)
from bmat.aggregation.workspace import Arena

NO_HOT_SONGS = HotSongs(
    np.zeros(SLOT_FIELDS, np.uint64), np.zeros(1, np.int64), NO_TEXTS, 0, 0, np.zeros(2, np.int64)
)
NO_PAIRS: Words = np.zeros(0, dtype=np.uint64)


def take_pairs(job: Job) -> Words:
    """Room for the pairs of a block."""
    if not job.hot.songs:
        return NO_PAIRS
    return job.workspace.pairs.take()


def give_pairs_back(job: Job, pairs: Words) -> None:
    """The pairs are not needed any more."""
    if len(pairs):
        job.workspace.pairs.give_back(pairs)


def grouped_pairs(job: Job, pairs: Words, arena: Arena) -> tuple[Words, Ints]:
    """The pairs, partition after partition, in the bytes of the empty `arena`, and where each
    partition's begin. Sorting them would take as long as reading them did.
    """
    partitions = len(job.hot.firsts) - 1
    of_songs = np.repeat(np.arange(partitions), np.diff(job.hot.firsts))
    grouped = arena.bytes[: pairs.nbytes].view(np.uint64)
    firsts = np.zeros(partitions + 1, dtype=np.int64)
    group_pairs(pairs, job.hot.days, of_songs, grouped, firsts)
    return grouped, firsts


def add_spilled_pairs(cells: Words, spill: Spilled, partition: int, first: int) -> None:
    """Add a partition's pairs on disk to its cells, which are those from number `first` on."""
    pairs = spill.pairs_of(partition)
    pairs -= np.uint64(first << PAIR_PLAYS_BITS)
    add_pairs(cells, pairs, len(pairs))


def emptied(cells: Words, hot: HotSongs, span: tuple[int, int], arena: Arena) -> Iterator[None]:
    """Turn a span of the cells into rows of the arena. Stops where that is full, and goes on when
    it has been emptied.
    """
    cell, stop = span
    while True:
        cell = empty_cells(cell, stop, cells, hot, arena.arrays)
        if cell == stop:
            return
        yield
