"""How far the tasks are, and whether they should stop: a small file that all of them reach.

Each task owns 16 bytes of it: the bytes and the rows it has dealt with. The run is over for a task
that finds the file gone. So it works alike for threads and for machines that share a folder.
"""

import os
from pathlib import Path
from types import TracebackType

import numpy as np

NAME = "beacon"
SLOT = np.dtype([("bytes", "<i8"), ("rows", "<i8")])


class Stopped(Exception):
    """The run that this task belongs to has ended without it."""


class Beacon:
    """One task's place in the file."""

    def __init__(self, folder: Path, slot: int) -> None:
        self._offset = slot * SLOT.itemsize
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
        os.close(self._descriptor)

    def report(self, done_bytes: int, done_rows: int) -> None:
        """Say how far the task is. Raises Stopped where it should not go on."""
        if not os.fstat(self._descriptor).st_nlink:
            raise Stopped
        data = done_bytes.to_bytes(8, "little") + done_rows.to_bytes(8, "little")
        os.pwrite(self._descriptor, data, self._offset)


def light(folder: Path, slots: int) -> None:
    """Make the file, for so many tasks."""
    (folder / NAME).write_bytes(bytes(slots * SLOT.itemsize))


def look(folder: Path) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    """What all tasks have said so far."""
    return np.frombuffer((folder / NAME).read_bytes(), dtype=SLOT)


def put_out(folder: Path) -> None:
    """Stop all tasks of the run at their next report."""
    (folder / NAME).unlink(missing_ok=True)
