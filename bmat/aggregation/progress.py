"""How far a run is: its tasks report it, and the caller is told. The tasks of a run that has ended
stop when they next report.
"""

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Stage = Literal["reading", "merging", "writing"]
# Is told how many bytes are done, and may raise.
OnRead = Callable[[int], None]

# The share of a whole run that reading takes, about.
READING_SHARE = 0.6
# The share that it takes to bring inputs into files of UTF-8, where one has to be.
BRINGING_SHARE = 0.2
# A stream does not say how long it is: its share rises with the bytes, half of it with so many.
HALF_A_STREAM_BYTES = 2**28
# Of a task in the file that tells how far it is.
TASK_BYTES = 16


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


class Stopped(Exception):
    """The run that this task belongs to has ended without it."""


class TaskProgress(Protocol):
    """How far one task is."""

    def check(self) -> None:
        """Raises Stopped where the task should not go on."""

    def report(self, done_bytes: int, done_rows: int) -> None:
        """Say how many bytes and rows the task has dealt with. Raises Stopped."""


class RunProgress(Protocol):
    """How far all tasks of a run are."""

    def of_task(self, number: int) -> AbstractContextManager[TaskProgress]:
        """The progress of task `number`, to be reported while the block lasts."""

    def stop(self) -> None:
        """Stop all tasks at their next report."""

    def read(self) -> Ints:
        """What all tasks have said so far: rows of [bytes, rows]."""


class ProgressInMemory:
    """The progress of tasks that share this process."""

    def __init__(self, tasks: int) -> None:
        self.done: Ints = np.zeros((tasks, 2), dtype=np.int64)
        self.is_stopped = False

    @contextmanager
    def of_task(self, number: int) -> Iterator[TaskProgress]:
        yield TaskInMemory(self, number)

    def stop(self) -> None:
        self.is_stopped = True

    def read(self) -> Ints:
        return self.done


@dataclass(frozen=True)
class TaskInMemory:
    """One task of ProgressInMemory."""

    run: ProgressInMemory
    number: int

    def check(self) -> None:
        if self.run.is_stopped:
            raise Stopped

    def report(self, done_bytes: int, done_rows: int) -> None:
        self.check()
        self.run.done[self.number] = done_bytes, done_rows


@dataclass(frozen=True)
class ProgressFile:
    """The progress of tasks on several machines that share a folder: a small file in which each
    task owns 16 bytes. The run is over for a task that finds the file gone.
    """

    path: Path

    @classmethod
    def make(cls, path: Path, tasks: int) -> "ProgressFile":
        """The file, for so many tasks, of which none has begun."""
        path.write_bytes(bytes(tasks * TASK_BYTES))
        return cls(path)

    @contextmanager
    def of_task(self, number: int) -> Iterator[TaskProgress]:
        try:
            descriptor = os.open(self.path, os.O_WRONLY)
        except FileNotFoundError as error:
            raise Stopped from error
        try:
            yield TaskInFile(descriptor, number * TASK_BYTES)
        finally:
            os.close(descriptor)

    def stop(self) -> None:
        self.path.unlink(missing_ok=True)

    def read(self) -> Ints:
        return np.frombuffer(self.path.read_bytes(), dtype="<i8").reshape(-1, 2)


@dataclass(frozen=True)
class TaskInFile:
    """One task of a ProgressFile: its bytes lie at `offset`."""

    descriptor: int
    offset: int

    def check(self) -> None:
        if not os.fstat(self.descriptor).st_nlink:
            raise Stopped

    def report(self, done_bytes: int, done_rows: int) -> None:
        self.check()
        os.pwrite(self.descriptor, struct.pack("<qq", done_bytes, done_rows), self.offset)
