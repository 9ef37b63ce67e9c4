"""The memory in which rows may wait for their merge, where all tasks of a run share a process.

A task that finds none, because it runs in another process than the run was started in, or because
none is left, writes its rows to a file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock


class RowMemory:
    """So many bytes of memory, for the rows of one run."""

    def __init__(self, size: int) -> None:
        self._lock = Lock()
        self._left = size

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


NO_MEMORY = RowMemory(0)
_MEMORY: dict[Path, RowMemory] = {}


@contextmanager
def row_memory(folder: Path, size: int) -> Iterator[None]:
    """Lets the tasks of the run in `folder` keep `size` bytes of rows in memory meanwhile."""
    _MEMORY[folder] = RowMemory(size)
    try:
        yield
    finally:
        del _MEMORY[folder]


def row_memory_of(folder: Path) -> RowMemory:
    """The memory of the run in `folder`: NO_MEMORY where this process has none."""
    return _MEMORY.get(folder, NO_MEMORY)
