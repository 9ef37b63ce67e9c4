"""How far a run is, told to whoever asked.

How far the tasks are, and whether they should stop: a small file that all of them reach.

Each task owns 16 bytes of it: the bytes and the rows it has dealt with. The run is over for a task
that finds the file gone. So it works alike for threads and for machines that share a folder. A run
that nobody could look at meanwhile, because its tasks keep its own thread busy, has none.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np

Stage = Literal["reading", "merging", "writing"]

# The share of a whole run that reading takes, about.
READING_SHARE = 0.6
# The share that it takes to bring inputs into files of UTF-8, where one has to be.
BRINGING_SHARE = 0.2
# A stream does not say how long it is: its share rises with the bytes, half of it with so many.
HALF_A_STREAM_BYTES = 2**28


@dataclass(frozen=True)
class Progress:
    """`fraction` of the whole run, 0 to 1, never falling; `rows_read` so far, rejected ones
    among them.
    """

    stage: Stage
    fraction: float
    rows_read: int


class ProgressMeter:
    """Passes the progress of a run on, so that it never falls.

    The listener may raise: its exception ends the run and comes out of `aggregate`.
    """

    def __init__(self, listener: Callable[[Progress], None] | None) -> None:
        self._listener = listener
        self._last = Progress("reading", 0.0, 0)
        self._start = 0.0

    def bring(self, done_bytes: int, total_bytes: int | None) -> None:
        """So much of an input has been brought into a file; the total is None where it is not
        known.
        """
        of_bytes = done_bytes + HALF_A_STREAM_BYTES if total_bytes is None else total_bytes
        share = min(done_bytes / max(of_bytes, 1), 1.0)
        self._last = replace(self._last, fraction=max(self._start, BRINGING_SHARE * share))
        self._start = self._last.fraction
        self.tell()

    def update(self, share_read: float, share_written: float, rows_read: int) -> None:
        """The share of the input that has been read, and of the parts that are written."""
        share = READING_SHARE * share_read + (1.0 - READING_SHARE) * share_written
        fraction = self._start + (1.0 - self._start) * share
        stage: Stage = "reading"
        if share_read >= 1.0:
            stage = "writing" if share_written else "merging"
        self._last = Progress(
            stage,
            max(self._last.fraction, min(fraction, 1.0)),
            max(self._last.rows_read, rows_read),
        )
        self.tell()

    def tell(self) -> None:
        """Say the last news again, so that the listener can end the run."""
        if self._listener is not None:
            self._listener(self._last)


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
