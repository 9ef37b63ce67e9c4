"""The job of a run: its blocks, its partitions, and how much memory each task may use."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from bmat.aggregation.job import LISTED_REJECTS, Block, Job
from bmat.aggregation.options import Limits, Options
from bmat.aggregation.plan.budget import MOST_BATCHES, row_memory_bytes, sizes_of
from bmat.aggregation.plan.partitions import plan_partitions
from bmat.aggregation.progress import ProgressFile, ProgressInMemory, RunProgress
from bmat.aggregation.source.layout import Source
from bmat.aggregation.workspace import RowMemory, Sizes, Workspace


def make_job(
    sources: tuple[Source, ...],
    folder: Path,
    output: Path,
    rejects: Path | None,
    *,
    options: Options,
    limits: Limits,
    is_in_process: bool,
) -> Job:
    """The job of these sources; `is_in_process`: all tasks will run in this process, and share its
    memory. Temporary files lie in `folder`.
    """
    data_bytes = sum(source.data_bytes for source in sources)
    sizes = sizes_of(limits, data_bytes, is_in_process)
    workspace = Workspace(sizes.buffers)
    # Odd, so that a product with it loses nothing.
    hash_key = secrets.randbits(64) | 1
    splitters, hot = plan_partitions(sources, sizes, workspace, hash_key)
    if is_in_process:
        workspace.rows = RowMemory(row_memory_bytes(limits), hot.cells)
    blocks = blocks_of(sources, sizes)
    readers = limits.threads if any(source.is_stream for source in sources) else 0
    tasks = len(blocks) + splitters.partitions + readers
    progress: RunProgress = (
        ProgressInMemory(tasks) if is_in_process else ProgressFile.make(folder / "progress", tasks)
    )
    return Job(
        sources=sources,
        blocks=blocks,
        batches=batches_of(blocks, sizes.block_bytes, MOST_BATCHES),
        readers=readers,
        folder=folder,
        output=output,
        rejects=rejects,
        strict=options.strict,
        group_by=options.key,
        sizes=sizes,
        workspace=workspace,
        progress=progress,
        splitters=splitters,
        hot=hot,
        hash_key=hash_key,
        listed_rejects=LISTED_REJECTS,
    )


def blocks_of(sources: tuple[Source, ...], sizes: Sizes) -> tuple[Block, ...]:
    """The blocks of all sources, in order; of those that are read forward alone there are none."""
    return tuple(
        Block(number, start, min(start + sizes.block_bytes, source.size))
        for number, source in enumerate(sources)
        if not source.is_stream
        for start in range(source.layout.data_start, source.size, sizes.block_bytes)
    )


def batches_of(blocks: Sequence[Block], least_bytes: int, most: int) -> tuple[range, ...]:
    """The numbers of the blocks in batches of consecutive ones, of at least so many bytes but for
    the last one, so that small files share a batch; at most so many batches.
    """
    total = sum(block.stop - block.start for block in blocks)
    least_bytes = max(least_bytes, total // most + 1)
    ends, batch_bytes = [0], 0
    for number, block in enumerate(blocks, 1):
        batch_bytes += block.stop - block.start
        if batch_bytes >= least_bytes or number == len(blocks):
            ends.append(number)
            batch_bytes = 0
    return tuple(map(range, ends, ends[1:]))
