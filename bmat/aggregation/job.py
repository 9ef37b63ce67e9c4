"""What a run is about: what all of its tasks need to know, and nothing that changes on the way."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bmat.aggregation.kernels.arrays import HotSongs, Splitters
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
class Job:
    """A run, as its tasks see it. Paths must lead to the same files wherever tasks run. `batches`
    are the numbers of the blocks that one task reads; what can be read forward alone is read by so
    many `readers`. All tasks hash songs with `hash_key`, of 64
    bits; no result depends on it.
    """

    sources: tuple[Source, ...]
    blocks: tuple[Block, ...]
    batches: tuple[range, ...]
    readers: int
    folder: Path
    output: Path
    rejects: Path | None
    strict: bool
    group_by: tuple[str, ...]
    sizes: Sizes
    workspace: Workspace
    progress: RunProgress
    splitters: Splitters
    hot: HotSongs
    hash_key: int
    listed_rejects: int

    def progress_of_block(self, number: int) -> AbstractContextManager[TaskProgress]:
        """The progress of the task that reads this block, while the `with` block lasts."""
        return self.progress.of_task(number)

    def progress_of_part(self, number: int) -> AbstractContextManager[TaskProgress]:
        """The progress of the task that merges or writes this partition."""
        return self.progress.of_task(len(self.blocks) + number)

    def progress_of_reader(self, number: int) -> AbstractContextManager[TaskProgress]:
        """The progress of a task that reads what can be read forward alone."""
        return self.progress.of_task(len(self.blocks) + self.splitters.partitions + number)
