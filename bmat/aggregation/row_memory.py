"""What the tasks of a run share where they share a process: the memory in which rows may wait for
their merge, and the cells of the hot songs.

A task that finds no memory, because it runs in another process than the run was started in, or
because none is left, writes its rows to a file; one that finds no cells sums up by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from bmat.aggregation.job import Words
from bmat.aggregation.memory import large_words


class RowMemory:
    """So many bytes of memory, for the rows of one run; `cells` of 8 bytes are part of it."""

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


NO_MEMORY = RowMemory(0, 0)
_MEMORY: dict[Path, RowMemory] = {}


@contextmanager
def row_memory(folder: Path, size: int, cells: int) -> Iterator[None]:
    """Lets the tasks of the run in `folder` share `size` bytes meanwhile, `cells` among them."""
    _MEMORY[folder] = RowMemory(size, cells)
    try:
        yield
    finally:
        del _MEMORY[folder]


def row_memory_of(folder: Path) -> RowMemory:
    """The memory of the run in `folder`: NO_MEMORY where this process has none."""
    return _MEMORY.get(folder, NO_MEMORY)
