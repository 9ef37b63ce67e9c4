"""How far the tasks are, and whether they should stop: a small file that all of them reach.

Each task owns 16 bytes of it: the bytes and the rows it has dealt with. The run is over for a task
that finds the file gone. So it works alike for threads and for machines that share a folder. A run
that nobody could look at meanwhile, because its tasks keep its own thread busy, has none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np

NAME = "beacon"
SLOT = np.dtype([("bytes", "<i8"), ("rows", "<i8")])


_unlit: set[Path] = set()


class Stopped(Exception):
    """The run that this task belongs to has ended without it."""


class Beacon:
    """One task's place in the file."""

    def __init__(self, folder: Path, slot: int) -> None:
        self._offset = slot * SLOT.itemsize
        self._descriptor = -1
        if folder in _unlit:
            return
        try:
            self._descriptor = os.open(folder / NAME, os.O_WRONLY)
        except FileNotFoundError as error:
            raise Stopped from error

    def __enter__(self) -> "Beacon":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def check(self) -> None:
        """Raises Stopped where the task should not go on."""
        if self._descriptor >= 0 and not os.fstat(self._descriptor).st_nlink:
            raise Stopped

    def report(self, done_bytes: int, done_rows: int) -> None:
        """Say how far the task is. Raises Stopped where it should not go on."""
        self.check()
        if self._descriptor < 0:
            return
        data = done_bytes.to_bytes(8, "little") + done_rows.to_bytes(8, "little")
        os.pwrite(self._descriptor, data, self._offset)


def light(folder: Path, slots: int) -> None:
    """Make the file, for so many tasks."""
    (folder / NAME).write_bytes(bytes(slots * SLOT.itemsize))


@contextmanager
def unlit(folder: Path) -> Iterator[None]:
    """Tasks of the run in `folder`, all of them in this thread, need no beacon meanwhile."""
    _unlit.add(folder)
    try:
        yield
    finally:
        _unlit.remove(folder)


def look(folder: Path) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """What all tasks have said so far."""
    return np.frombuffer((folder / NAME).read_bytes(), dtype=SLOT)


def put_out(folder: Path) -> None:
    """Stop all tasks of the run at their next report."""
    (folder / NAME).unlink(missing_ok=True)
