"""A whole run: open the inputs, build the graph, compute it (here and nowhere else), put the
results in place.
"""

import os
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import gettempdir

from bmat.aggregation.errors import failure, naming_a_full_disk
from bmat.aggregation.exchange.hot_cells import CELLS, PAIRS
from bmat.aggregation.graph import RESULT, build
from bmat.aggregation.job import LISTED_REJECTS, Block, Job, Source
from bmat.aggregation.merge.merge import TEXTS
from bmat.aggregation.options import Limits, Options
from bmat.aggregation.plan.budget import MOST_BATCHES, WAITING_THREADS, row_memory_bytes, sizes_of
from bmat.aggregation.plan.partitions import plan_partitions
from bmat.aggregation.progress import Progress, ProgressMeter, light, look, put_out, unlit
from bmat.aggregation.results import Summary
from bmat.aggregation.scheduler import compute, is_in_process
from bmat.aggregation.source.header import read_layout
from bmat.aggregation.source.layout import Layout
from bmat.aggregation.source.origin import localized, origin_of
from bmat.aggregation.workspace import MERGING, READING, row_memory
from bmat.aggregation.write.direct import BUFFERS
from bmat.aggregation.write.files import is_stream, refuse_shared_paths, whole
from bmat.aggregation.write.output import HEADER, temporary_files
from bmat.aggregation.write.summary import Outcome, write_summary

SECONDS_BETWEEN_LOOKS = 0.1
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
    summary_file: Path | None = None,
) -> Summary:
    """Writes the daily totals per song of all `inputs` together to `output`, and what could
    not be counted to `rejects`; without `empty_rejects`, only if there is any. `summary_file` gets
    the counts, top songs and plays per day as JSON.

    An input may be a FIFO or another stream, and `-` is standard input: see `source.origin` for what that
    costs. All files appear whole, or not at all: see `write.files` for what replaces which file.
    `on_progress` is called in the caller's thread; what it raises ends the run and comes out of
    here. The formats are those of docs/data-contract.md.

    Raises AggregationError, with one of the codes of `bmat.aggregation.errors`, and OSError for
    paths that cannot be read or written.
    """
    options, limits = options or Options(), limits or Limits()
    outputs = {"output": output, "rejects": rejects, "summary": summary_file}
    refuse_shared_paths(inputs, outputs)
    with naming_a_full_disk(), ExitStack() as stack:
        lasting = {path for path in (output, rejects, summary_file) if path}
        temp_folder = limits.temp_folder or default_temp_folder(output)
        folder = stack.enter_context(temporary_files(limits.own_folder, temp_folder, lasting))
        part = stack.enter_context(whole(output, folder))
        rejects_part = (
            stack.enter_context(whole(rejects, folder, is_optional=not empty_rejects))
            if rejects
            else None
        )
        summary_part = stack.enter_context(whole(summary_file, folder)) if summary_file else None
        meter = ProgressMeter(on_progress)
        meter.tell()
        sources = tuple(
            open_source(path, options, folder / f"input-{number}", meter)
            for number, path in enumerate(inputs)
        )
        job = plan(sources, folder, part, rejects_part, options, limits, empty_rejects)
        outcome = run(job, limits, meter)
        if summary_part is not None:
            write_summary(summary_part, outcome)
        meter.update(1.0, 1.0, outcome.summary.rows_read)
        return outcome.summary


def default_temp_folder(output: Path) -> Path:
    """The output's folder; the system's where the output is no file in a folder."""
    return Path(gettempdir()) if is_stream(output) else Path(os.path.realpath(output)).parent


def open_source(path: Path, options: Options, utf8_path: Path, meter: ProgressMeter) -> Source:
    """Looks at an input's first record. One that is no file in UTF-8 is written to `utf8_path`
    first; no further than its first record, if that is none.
    """
    origin = origin_of(path)
    length, layouts = origin.size, list[Layout]()

    def on_read(done: int) -> None:
        meter.bring(done, length)
        if not layouts and done and utf8_path.stat().st_size >= options.bounds.held:
            layouts.append(layout_of(utf8_path))

    def layout_of(readable: Path) -> Layout:
        with readable.open("rb") as file:
            return read_layout(file.read(options.bounds.held), options, path)

    readable = localized(origin, options, utf8_path, on_read)
    size = readable.stat().st_size
    if size == 0:
        raise failure("empty_file", path)
    return Source(readable, path, size, layouts[0] if layouts else layout_of(readable))


def plan(
    sources: tuple[Source, ...],
    folder: Path,
    output: Path,
    rejects: Path | None,
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
        batches=batches_of(len(blocks), MOST_BATCHES),
        folder=folder,
        output=output,
        rejects=rejects,
        empty_rejects=empty_rejects,
        strict=options.strict,
        sizes=sizes,
        splitters=splitters,
        hot=hot,
        hash_key=hash_key,
        listed_rejects=LISTED_REJECTS,
    )


def batches_of(blocks: int, most: int) -> tuple[range, ...]:
    """The numbers of so many blocks in batches of consecutive ones, at most so many batches."""
    count = min(blocks, most)
    return tuple(range(blocks * n // count, blocks * (n + 1) // count) for n in range(count))


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
            light(job.folder, len(job.blocks) + job.splitters.partitions)
            return run_on_threads(job, limits, meter)
    finally:
        for lent in (READING, MERGING, TEXTS, BUFFERS, PAIRS, CELLS):
            lent.clear()


def run_on_this_thread(job: Job) -> Outcome:
    """Compute the job's graph, of a few tasks, here and now."""
    with unlit(job.folder):
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
            put_out(job.folder)
            pool.shutdown(wait=True, cancel_futures=True)


def follow(job: Job, future: "Future[Outcome]", meter: ProgressMeter) -> None:
    """Tell the progress until the future is done."""
    blocks, total = len(job.blocks), sum(block.stop - block.start for block in job.blocks)
    while not future.done():
        try:
            future.exception(timeout=SECONDS_BETWEEN_LOOKS)
        except TimeoutError:
            slots = look(job.folder)
            meter.update(
                int(slots["bytes"][:blocks].sum()) / total,
                float(slots["bytes"][blocks:].mean()),
                int(slots["rows"].sum()),
            )
