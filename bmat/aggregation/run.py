"""A whole run: open the inputs, plan, compute the graph (here and nowhere else), put the results in
place.
"""

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

from bmat.aggregation.errors import AggregationError, failure, naming_a_full_disk
from bmat.aggregation.graph import RESULT, URGENT, build, job_in_file
from bmat.aggregation.job import Job
from bmat.aggregation.options import MOST_INPUTS, InputFile, Limits, Options
from bmat.aggregation.plan.budget import task_threads
from bmat.aggregation.plan.plan import make_job
from bmat.aggregation.progress import Progress, ProgressMeter
from bmat.aggregation.results import NoValidRows, Outcome, Summary
from bmat.aggregation.scheduler import compute, is_in_process
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.open import HeadRoom, Opener
from bmat.aggregation.write.files import is_stream, refuse_shared_paths, whole
from bmat.aggregation.write.summary import write_summary

SECONDS_BETWEEN_LOOKS = 0.1
# The part of the budget that may be taken by texts, and beginnings of texts, that wait.
HEAD_SHARE = 8
# Below this, threads cost more than they bring.
BYTES_FOR_ONE_THREAD = 2**18


def aggregate(
    inputs: Sequence[Path | InputFile],
    output: Path,
    *,
    rejects: Path | None = None,
    options: Options | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    summary_file: Path | None = None,
) -> Summary:
    """Writes the daily totals per song of all `inputs` together to `output`, and what could not be
    counted to `rejects`. `summary_file` gets the counts, top songs and plays per day as JSON.

    Inputs are paths, or InputFiles, which have names and options of their own; with the files of
    archives they are MOST_INPUTS at most. A path may be a FIFO or another stream, and `-` is
    standard input: see `source.origin` for what that costs. All files appear whole, or not at all:
    see `write.files` for what replaces which file. `on_progress` is called in the caller's thread;
    what it raises ends the run and comes out of here. The formats are those of
    docs/data-contract.md.

    Raises AggregationError, with one of the codes of `bmat.aggregation.errors`, and OSError for
    paths that cannot be read or written.
    """
    options, limits = options or Options(), limits or Limits()
    given = [one if isinstance(one, InputFile) else InputFile(one) for one in inputs]
    if len(given) > MOST_INPUTS:
        raise failure("too_many_inputs", count=len(given), most=MOST_INPUTS)
    outputs = {"output": output, "rejects": rejects, "summary": summary_file}
    refuse_shared_paths([one.path for one in given], outputs)
    with naming_a_full_disk(), naming(given), ExitStack() as stack:
        folder = Path(stack.enter_context(temporary_folder(limits, output)))
        rejects_part = stack.enter_context(whole(rejects, folder)) if rejects else None
        try:
            return aggregate_in(
                folder, given, output, rejects_part, summary_file, options, limits, on_progress
            )
        except NoValidRows as error:
            # The rejects are what there is to look at, and stay.
            failed = error
    raise failed


def aggregate_in(
    folder: Path,
    inputs: Sequence[InputFile],
    output: Path,
    rejects_part: Path | None,
    summary_file: Path | None,
    options: Options,
    limits: Limits,
    on_progress: Callable[[Progress], None] | None,
) -> Summary:
    """`aggregate`, with temporary files in `folder`, and the rejects in a file that stays there."""
    with ExitStack() as stack:
        part = stack.enter_context(whole(output, folder))
        summary_part = stack.enter_context(whole(summary_file, folder)) if summary_file else None
        meter = ProgressMeter(on_progress)
        meter.tell()
        # On a cluster all texts are in files.
        room = HeadRoom(limits.memory_budget_bytes // HEAD_SHARE) if is_in_process() else None
        opener = stack.enter_context(closing(Opener(options, limits, meter, room)))
        job = make_job(
            tuple(sources_in(opener, inputs, folder)),
            folder,
            part,
            rejects_part,
            options=options,
            limits=limits,
            is_in_process=is_in_process(),
        )
        outcome = run(job, limits, meter)
        if summary_part is not None:
            write_summary(summary_part, outcome)
        meter.update(1.0, 1.0, outcome.summary.rows_read)
        return outcome.summary


def sources_in(opener: Opener, inputs: Sequence[InputFile], folder: Path) -> list[Source]:
    """The inputs, opened, and those that are in them. Raises AggregationError `too_many_inputs`
    where these are, and what the opener raises.
    """
    last, sources = last_stream(inputs), list[Source]()
    for number, one in enumerate(inputs):
        target = folder / f"input-{number}"
        sources += opener.sources(one, target, can_stream=number >= last)
        if len(sources) > MOST_INPUTS:
            raise failure("too_many_inputs", count=f"at least {len(sources)}", most=MOST_INPUTS)
    return sources


@contextmanager
def naming(inputs: Sequence[InputFile]) -> Iterator[None]:
    """Lets an error about an input name what is shown in place of its path."""
    try:
        yield
    except AggregationError as error:
        found = next((one for one in inputs if one.has(error.source)), None)
        if found is not None and error.source is not None:
            error.source = found.shown(error.source)
        raise


def last_stream(inputs: Sequence[InputFile]) -> int:
    """The number of the last input that can be read once alone. Those before it are read whole
    first: whoever writes them may write one after another.
    """
    streams = [number for number, one in enumerate(inputs) if is_stream(one.path)]
    return max(streams, default=0)


def temporary_folder(limits: Limits, output: Path) -> "TemporaryDirectory[str]":
    """A new folder for temporary files. Raises FileNotFoundError where there is no folder to make
    it in.
    """
    parent = limits.temp_folder or default_temp_folder(output)
    if not parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(parent))
    return TemporaryDirectory(prefix=".bmat-", dir=parent)


def default_temp_folder(output: Path) -> Path:
    """The output's folder; the system's where the output is no file in a folder."""
    return Path(gettempdir()) if is_stream(output) else Path(os.path.realpath(output)).parent


def run(job: Job, limits: Limits, meter: ProgressMeter) -> Outcome:
    """Compute the job's graph: a few tasks here and now, more of them on threads. Leaves no task at
    work.
    """
    job.output.touch()
    graph = build(job)
    if not is_in_process():
        graph |= job_in_file(job)
    is_small = sum(source.size for source in job.sources) <= BYTES_FOR_ONE_THREAD
    if is_small and is_in_process() and not job.readers:
        outcome: Outcome = compute(graph, RESULT, None, URGENT)
        return outcome
    return run_on_threads(job, graph, limits, meter)


def run_on_threads(
    job: Job, graph: Mapping[Any, Any], limits: Limits, meter: ProgressMeter
) -> Outcome:
    """Compute the job's graph, and tell its progress from this thread meanwhile."""
    with (
        ThreadPoolExecutor(task_threads(limits)) as pool,
        ThreadPoolExecutor(1) as submitter,
    ):
        try:
            future = submitter.submit(compute, graph, RESULT, pool, URGENT)
            follow(job, future, meter)
            outcome: Outcome = future.result()
            return outcome
        finally:
            # Tasks that are still at work stop when they look.
            job.progress.stop()
            windows = [source.window for source in job.sources if source.window is not None]
            for window in windows:
                window.stop()
            pool.shutdown(wait=True, cancel_futures=True)
            for window in windows:
                window.close()


def follow(job: Job, future: "Future[Outcome]", meter: ProgressMeter) -> None:
    """Tell the progress until the future is done."""
    blocks, parts = len(job.blocks), len(job.blocks) + job.splitters.partitions
    streams = [source for source in job.sources if source.is_stream]
    in_blocks = sum(block.stop - block.start for block in job.blocks)
    total = in_blocks + sum(source.data_bytes for source in streams)
    while not future.done():
        try:
            future.exception(timeout=SECONDS_BETWEEN_LOOKS)
        except TimeoutError:
            done = job.progress.read()
            of_streams = sum(source.share * source.data_bytes for source in streams)
            meter.update(
                (int(done[:blocks, 0].sum()) + of_streams) / max(total, 1),
                float(done[blocks:parts, 0].mean()),
                int(done[:, 1].sum()),
            )
