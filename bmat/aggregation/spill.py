"""Rows on disk, between the tasks that read blocks and those that merge partitions."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from uuid import uuid4

import numpy as np

from bmat.aggregation.job import Ints
from bmat.aggregation.memory import Arena

MOST_VIEWS = 1000


def write_all(descriptor: int, views: list[memoryview], offset: int) -> int:
    """Write all of `views`, one after another, at `offset`. Returns the offset behind them."""
    for first in range(0, len(views), MOST_VIEWS):
        batch = views[first : first + MOST_VIEWS]
        left = sum(len(view) for view in batch)
        while left:
            written = os.pwritev(descriptor, batch, offset)
            offset += written
            left -= written
            while written:
                if written >= len(batch[0]):
                    written -= len(batch.pop(0))
                else:
                    batch[0] = batch[0][written:]
                    written = 0
    return offset


@dataclass(frozen=True)
class Spilled:
    """A file of rows: partition p's are, for each row of `runs`, the bytes `run[p]` to
    `run[p + 1]`.
    """

    path: Path
    runs: Ints


class SpillWriter:
    """Writes full arenas to a file of its own, made when the first one comes."""

    def __init__(self, folder: Path, partitions: int) -> None:
        self._path = folder / f"{uuid4().hex}.rows"
        self._partitions = partitions
        self._descriptor = -1
        self._offset = 0
        self._runs: list[Ints] = []

    def __enter__(self) -> "SpillWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def write(self, arena: Arena) -> None:
        """Write what is in the arena, and empty it."""
        chunks = arena.take_chunks()
        if not len(chunks):
            return
        if self._descriptor < 0:
            self._descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        view = arena.bytes.data
        sizes = np.zeros(self._partitions + 1, dtype=np.int64)
        np.add.at(sizes, chunks[:, 0] + 1, chunks[:, 2] - chunks[:, 1])
        self._runs.append(self._offset + np.cumsum(sizes))
        views = [view[start:end] for _, start, end in chunks.tolist()]
        self._offset = write_all(self._descriptor, views, self._offset)

    def result(self) -> Spilled:
        """What was written."""
        runs = self._runs or [np.zeros(self._partitions + 1, dtype=np.int64)]
        return Spilled(self._path, np.stack(runs))
