"""The sums of hot songs: pairs from the blocks into cells, and cells into rows.

Where all tasks of a run share a process they share its cells: a batch's pairs are added once it is
certain that it was read from where a record starts, and the merge reads the sums. Elsewhere the
pairs go through the file of the batch's rows, most of them packed into 4 bytes, and the merge adds
up those of its partition.
"""

from collections.abc import Iterator

import numpy as np

from bmat.aggregation.exchange.rows import Spilled
from bmat.aggregation.exchange.splitters import NO_TEXTS
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import HotSongs, Ints, UInt32s, Words
from bmat.aggregation.kernels.hot import SLOT_FIELDS
from bmat.aggregation.kernels.pairs import add_packed_pairs, empty_cells, pack_pairs
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


def packed_pairs(job: Job, pairs: Words, arena: Arena) -> tuple[UInt32s, Ints]:
    """The pairs, packed partition after partition in the bytes of the empty `arena`, and where each
    partition's begin. Sorting them would take as long as reading them did.
    """
    hot = job.hot
    partitions = range(len(hot.firsts) - 1)
    of_songs = np.repeat(partitions, np.diff(hot.firsts))
    first_cells = (hot.firsts * hot.days).astype(np.uint64)
    plays_bits = np.array([packed_plays_bits(hot, number) for number in partitions], np.uint64)
    packed = arena.bytes[: pairs.nbytes].view(np.uint32)
    firsts = np.zeros(len(hot.firsts), dtype=np.int64)
    pack_pairs(pairs, hot.days, of_songs, first_cells, plays_bits, packed, firsts)
    return packed[: firsts[-1]], firsts


def packed_plays_bits(hot: HotSongs, partition: int) -> int:
    """How many of the 32 bits of a partition's packed pairs are left for the plays."""
    first, stop = hot.cells_of(partition)
    return 32 - max(stop - first - 1, 0).bit_length()


def add_spilled_pairs(cells: Words, spill: Spilled, hot: HotSongs, partition: int) -> None:
    """Add a partition's pairs on disk to its cells."""
    add_packed_pairs(cells, spill.pairs_of(partition), packed_plays_bits(hot, partition))


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
