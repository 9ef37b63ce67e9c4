"""What has no room in memory: files of a run's folder, written in stretches and read back once."""

import os
from pathlib import Path
from uuid import uuid4

from bmat.aggregation import system

MOST_VIEWS = 1000
STRETCH_BYTES = 2**20
BECAME_SHORTER = "A temporary file has become shorter."


def write_all(descriptor: int, views: list[memoryview], offset: int) -> int:
    """Write all of `views`, one after another, at `offset`. Returns the offset behind them."""
    for first in range(0, len(views), MOST_VIEWS):
        batch = views[first : first + MOST_VIEWS]
        left = sum(len(view) for view in batch)
        while left:
            written = system.write_views(descriptor, batch, offset)
            offset += written
            left -= written
            while written:
                if written >= len(batch[0]):
                    written -= len(batch.pop(0))
                else:
                    batch[0] = batch[0][written:]
                    written = 0
    return offset


def write_at(path: Path, views: list[memoryview], offset: int) -> int:
    """Write all of `views` at `offset` of a file, which is made unless it is there. Returns the
    offset behind them.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o666)
    try:
        return write_all(descriptor, views, offset)
    finally:
        os.close(descriptor)


class ScratchFile:
    """A file of its own in `folder`, made with its first bytes; `size` of them are there."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self.path = folder / f"{uuid4().hex}.{suffix}"
        self.size = 0

    def append(self, views: list[memoryview]) -> None:
        """Write `views` behind what is there."""
        self.size = write_at(self.path, views, self.size)
