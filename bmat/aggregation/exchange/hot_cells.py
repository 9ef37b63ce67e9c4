"""The sums of hot songs: pairs from the blocks into cells, and cells into rows.

Where all tasks of a run share a process they share its cells: a block's pairs are added once it is
certain that it was read from where a record starts, and the merge reads the sums. Elsewhere each
block adds up its own pairs, and passes the sums on among its rows.
"""

from collections.abc import Iterator

import numpy as np

from bmat.aggregation.exchange.splitters import NO_TEXTS
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import HotSongs, Splitters, Words
from bmat.aggregation.kernels.hot import SLOT_FIELDS, add_pairs, empty_cells
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


def sum_up(job: Job, pairs: Words, count: int, arena: Arena) -> Iterator[None]:
    """Turn the pairs of a block into rows of the arena. Stops where that is full, and goes on when
    it has been emptied.
    """
    cells = job.workspace.cells.take()
    add_pairs(cells, pairs, count)
    yield from emptied(cells, job.hot, (0, job.hot.cells), job.splitters, arena)
    cells[: job.hot.cells] = 0
    job.workspace.cells.give_back(cells)


def emptied(
    cells: Words, hot: HotSongs, span: tuple[int, int], splitters: Splitters, arena: Arena
) -> Iterator[None]:
    """Turn a span of the cells into rows of the arena. Stops where that is full, and goes on when
    it has been emptied.
    """
    cell, stop = span
    while True:
        cell = empty_cells(cell, stop, cells, hot, splitters, arena.arrays)
        if cell == stop:
            return
        yield
