"""A whole run: open the inputs, build the graph, compute it (here and nowhere else), put the
results in place.
"""

import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from mmap import ACCESS_READ, mmap
from pathlib import Path

from bmat.aggregation import beacon
from bmat.aggregation.direct import BUFFERS
from bmat.aggregation.errors import failure, naming_a_full_disk
from bmat.aggregation.finishing import Outcome, write_summary
from bmat.aggregation.graph import RESULT, build
from bmat.aggregation.header import read_layout
from bmat.aggregation.hot_cells import CELLS, PAIRS
from bmat.aggregation.job import LISTED_REJECTS, Block, Job, Source
from bmat.aggregation.memory import MERGING, READING
from bmat.aggregation.merging import TEXTS
from bmat.aggregation.options import Limits, Options
from bmat.aggregation.partition import plan_partitions
from bmat.aggregation.progress import Progress, ProgressMeter
from bmat.aggregation.row_groups import PAGES
from bmat.aggregation.row_memory import row_memory
from bmat.aggregation.scheduler import compute, is_in_process
from bmat.aggregation.sizing import row_memory_bytes, sizes_of
from bmat.aggregation.sources import localized, origin_of
from bmat.aggregation.summary import Summary
from bmat.aggregation.writing import HEADER, replacing, temporary_files

SECONDS_BETWEEN_LOOKS = 0.1
# While one task waits for the disk to take its bytes another one works.
WAITING_THREADS = 1
# Below this, threads cost more than they bring.
BYTES_FOR_ONE_THREAD = 2**18


def aggregate(
    inputs: Sequence[Path],
    output: Path,
    *,
    rejects: Path | None = None,
    empty_rejects: bool = True,
    options: Options | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    parquet: Path | None = None,
    summary_file: Path | None = None,
) -> Summary:
    """Writes the daily totals per song of all `inputs` together to `output`, and what could
    not be counted to `rejects`; without `empty_rejects`, only if there is any. `parquet` gets the
    totals once more (columns Song, Date, Plays), `summary_file` the counts, top songs and plays per
    day as JSON.

    An input may be a FIFO or another stream, and `-` is standard input: see `sources` for what that
    costs. All files appear whole, or not at all. `on_progress` is called in the caller's thread;
    what it raises ends the run and comes out of here. The formats are those of
    docs/data-contract.md.

    Raises AggregationError, with one of the codes of `bmat.aggregation.errors`.
    """
    options, limits = options or Options(), limits or Limits()
    with naming_a_full_disk(), ExitStack() as stack:
        lasting = {path for path in (output, rejects, parquet, summary_file) if path}
        temp_folder = limits.temp_folder or output.parent
        folder = stack.enter_context(temporary_files(limits.own_folder, temp_folder, lasting))
        part = stack.enter_context(replacing(output))
        rejects_part = (
            stack.enter_context(replacing(rejects, not empty_rejects)) if rejects else None
        )
        parquet_part = stack.enter_context(replacing(parquet)) if parquet else None
        summary_part = stack.enter_context(replacing(summary_file)) if summary_file else None
        meter = ProgressMeter(on_progress)
        meter.tell()
        sources = tuple(
            open_source(path, options, folder / f"input-{number}", meter)
            for number, path in enumerate(inputs)
        )
        job = plan(
            sources, folder, part, rejects_part, parquet_part, options, limits, empty_rejects
        )
        outcome = run(job, limits, meter)
        if summary_part is not None:
            write_summary(summary_part, outcome)
        meter.update(1.0, 1.0, outcome.summary.rows_read)
        return outcome.summary


def open_source(path: Path, options: Options, utf8_path: Path, meter: ProgressMeter) -> Source:
    """Looks at an input's first record. One that is no file in UTF-8 is written to `utf8_path`
    first.
    """
    origin = origin_of(path)
    length = origin.size
    readable = localized(origin, options, utf8_path, lambda done: meter.bring(done, length))
    size = readable.stat().st_size
    if size == 0:
        raise failure("empty_file", path)
    with readable.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return Source(readable, path, size, read_layout(data, options, path))


def plan(
    sources: tuple[Source, ...],
    folder: Path,
    output: Path,
    rejects: Path | None,
    parquet: Path | None,
    options: Options,
    limits: Limits,
    empty_rejects: bool,
) -> Job:
    """The job of these sources."""
    data_bytes = sum(source.size - source.layout.data_start for source in sources)
    sizes = sizes_of(limits, data_bytes, is_in_process())
    blocks = tuple(
        Block(number, start, min(start + sizes.block_bytes, source.size))
        for number, source in enumerate(sources)
        for start in range(source.layout.data_start, source.size, sizes.block_bytes)
    )
    # Odd, so that a product with it loses nothing.
    hash_key = secrets.randbits(64) | 1
    splitters, hot = plan_partitions(sources, sizes, hash_key)
    return Job(
        sources=sources,
        blocks=blocks,
        folder=folder,
        output=output,
        rejects=rejects,
        empty_rejects=empty_rejects,
        parquet=parquet,
        strict=options.strict,
        sizes=sizes,
        splitters=splitters,
        hot=hot,
        hash_key=hash_key,
        listed_rejects=LISTED_REJECTS,
    )


def run(job: Job, limits: Limits, meter: ProgressMeter) -> Outcome:
    """Compute the job's graph. Leaves no task at work, and no memory in use."""
    job.output.write_bytes(HEADER)
    is_small = sum(source.size for source in job.sources) <= BYTES_FOR_ONE_THREAD
    try:
        shared_bytes = row_memory_bytes(limits) if job.sizes.shares_cells else 0
        shared_cells = job.hot.cells if job.sizes.shares_cells else 0
        with row_memory(job.folder, shared_bytes, shared_cells):
            if is_small and is_in_process():
                return run_on_this_thread(job)
            beacon.light(job.folder, len(job.blocks) + job.splitters.partitions)
            return run_on_threads(job, limits, meter)
    finally:
        for lent in (READING, MERGING, TEXTS, PAGES, BUFFERS, PAIRS, CELLS):
            lent.clear()


def run_on_this_thread(job: Job) -> Outcome:
    """Compute the job's graph, of a few tasks, here and now."""
    with beacon.unlit(job.folder):
        outcome: Outcome = compute(build(job), RESULT, None)
        return outcome


def run_on_threads(job: Job, limits: Limits, meter: ProgressMeter) -> Outcome:
    """Compute the job's graph, and tell its progress from this thread meanwhile."""
    with (
        ThreadPoolExecutor(limits.threads + WAITING_THREADS) as pool,
        ThreadPoolExecutor(1) as submitter,
    ):
        try:
            future = submitter.submit(compute, build(job), RESULT, pool)
            follow(job, future, meter)
            outcome: Outcome = future.result()
            return outcome
        finally:
            # Tasks that are still at work stop when they find the beacon gone.
            beacon.put_out(job.folder)
            pool.shutdown(wait=True, cancel_futures=True)


def follow(job: Job, future: "Future[Outcome]", meter: ProgressMeter) -> None:
    """Tell the progress until the future is done."""
    blocks, total = len(job.blocks), sum(block.stop - block.start for block in job.blocks)
    while not future.done():
        try:
            future.exception(timeout=SECONDS_BETWEEN_LOOKS)
        except TimeoutError:
            slots = beacon.look(job.folder)
            meter.update(
                int(slots["bytes"][:blocks].sum()) / total,
                float(slots["bytes"][blocks:].mean()),
                int(slots["rows"].sum()),
            )
