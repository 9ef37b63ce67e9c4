"""What a run is about: what all of its tasks need to know, and nothing that changes on the way."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bmat.aggregation.kernels.arrays import Ints, PaddedBytes, Words
from bmat.aggregation.progress import RunProgress, TaskProgress
from bmat.aggregation.source.layout import Source
from bmat.aggregation.workspace import Sizes, Workspace

LISTED_REJECTS = 1_000_000


@dataclass(frozen=True)
class Block:
    """The records of source number `source` that start in its bytes `start` to `stop`."""

    source: int
    start: int
    stop: int


@dataclass(frozen=True)
class Splitters:
    """The songs at which partitions begin: `texts[starts[i]:starts[i + 1]]` is the first that may
    be in partition i + 1. All share their first `skip` bytes; `keys` are two
    numbers for each, of the 16 bytes behind.
    """

    keys: Words
    starts: Ints
    texts: PaddedBytes
    skip: int

    @property
    def partitions(self) -> int:
        return len(self.starts)


@dataclass(frozen=True)
class HotSongs:
    """Songs, in order, with so many rows that these are summed up as soon as they are read: in a
    table of `len(self) * days` cells, for the days from `first_day` on. `slots` is a hash table of
    them: see `kernels.hot`. Those of partition p are the numbers `firsts[p]` to `firsts[p + 1]`.
    """

    slots: Words
    starts: Ints
    texts: PaddedBytes
    first_day: int
    days: int
    firsts: Ints

    @property
    def cells(self) -> int:
        return len(self) * self.days

    def cells_of(self, partition: int) -> tuple[int, int]:
        """The first cell of a partition, and the first one behind it."""
        if not len(self):
            return 0, 0
        first, stop = self.firsts[partition : partition + 2].tolist()
        return first * self.days, stop * self.days

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True)
class Job:
    """A run, as its tasks see it. Paths must lead to the same files wherever tasks run. `batches`
    are the numbers of the blocks that one task reads. All tasks hash songs with `hash_key`, of 64
    bits; no result depends on it.
    """

    sources: tuple[Source, ...]
    blocks: tuple[Block, ...]
    batches: tuple[range, ...]
    folder: Path
    output: Path
    rejects: Path | None
    strict: bool
    workspace: Workspace
    progress: RunProgress
    splitters: Splitters
    hot: HotSongs
    hash_key: int
    listed_rejects: int

    @property
    def sizes(self) -> Sizes:
        """How much memory each task may use."""
        return self.workspace.sizes

    def progress_of_block(self, number: int) -> AbstractContextManager[TaskProgress]:
        """The progress of the task that reads this block, while the `with` block lasts."""
        return self.progress.of_task(number)

    def progress_of_part(self, number: int) -> AbstractContextManager[TaskProgress]:
        """The progress of the task that merges or writes this partition."""
        return self.progress.of_task(len(self.blocks) + number)
