"""Batches in file order: each is read from where the one before really ended, and its lines are
counted on from there; then all of them are added up.
"""

from dataclasses import dataclass
from itertools import chain

from bmat.aggregation.errors import AggregationError, failure
from bmat.aggregation.exchange.counts import Reading, Rejects, Totals
from bmat.aggregation.exchange.hot_cells import give_pairs_back
from bmat.aggregation.exchange.rejects import first_reject
from bmat.aggregation.exchange.rows import Spilled
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.hot import add_pairs
from bmat.aggregation.kernels.judge import REASONS
from bmat.aggregation.read.batch import BatchReading, discard, read_batch
from bmat.aggregation.source.layout import Source


@dataclass(frozen=True)
class Settled:
    """A batch that was read from where its first record starts: its `readings` and `rows`. The
    next record of source number `source` starts at byte `end`, on physical line `line`.
    """

    readings: tuple[Rejects, ...]
    rows: Spilled | None
    source: int
    end: int
    line: int


def settle_batch(job: Job, number: int, before: Settled | None, guess: BatchReading) -> Settled:
    """`guess` where it was right, else the batch read again from where its first record really
    starts: where the batch before it ended.

    Raises AggregationError `strict_violation` for the first bad record of the file, in a strict
    run.
    """
    first = job.blocks[job.batches[number][0]]
    true_start = first.start
    if before is not None and first.start != job.sources[first.source].layout.data_start:
        true_start = before.end
    reading = guess
    if not guess.readings or guess.readings[0].start != true_start:
        discard(job, guess)
        reading = read_batch(job, number, true_start)
    if len(reading.pairs):
        # Batches are settled one after another, so that no two add at the same time.
        add_pairs(job.workspace.rows.cells, reading.pairs, reading.pair_count)
        give_pairs_back(job, reading.pairs)
    settled = with_lines(job, number, before, reading)
    if job.strict:
        check_strictly(job, before, settled)
    return settled


def with_lines(job: Job, number: int, before: Settled | None, reading: BatchReading) -> Settled:
    """The batch with the physical lines on which its blocks begin."""
    line = before.line if before else 1
    readings = []
    for block_number, one in zip(job.batches[number], reading.readings, strict=True):
        block = job.blocks[block_number]
        layout = job.sources[block.source].layout
        if block.start == layout.data_start:
            line = layout.first_line
        readings.append(Rejects(block.source, line, one))
        line += one.lines
    return Settled(tuple(readings), reading.rows, block.source, one.end, line)


def preamble(source: Source) -> Reading:
    """What comes before a file's data: the records that the search for its header rejected."""
    skipped = len(source.layout.skipped)
    reasons = (skipped,) + (0,) * (len(REASONS) - 1)
    return Reading(0, source.layout.data_start, source.layout.first_line - 1, reasons=reasons)


def check_strictly(job: Job, before: Settled | None, settled: Settled) -> None:
    """Raises AggregationError `strict_violation` where there is a bad record in the batch, or above
    the header of a file that begins in it or before it.
    """
    checked = before.source if before else -1
    for rejects in settled.readings:
        for number in range(checked + 1, rejects.source + 1):
            raise_strictly(job, Rejects(number, 1, preamble(job.sources[number])))
        raise_strictly(job, rejects)
        checked = rejects.source


def raise_strictly(job: Job, rejects: Rejects) -> None:
    if any(rejects.reading.reasons):
        raise strict_violation(job, rejects)


def strict_violation(job: Job, rejects: Rejects) -> AggregationError:
    source = job.sources[rejects.source]
    first = first_reject(source, rejects)
    details = {"line": first.line, "reason": first.reason, "record": first.shown()}
    return failure("strict_violation", source.owner_path, **details)


def add_up(job: Job, batches: list[Settled]) -> Totals:
    """Take all batches together.

    Raises AggregationError `strict_violation` or `no_valid_rows`.
    """
    of_source = [
        [Rejects(number, 1, preamble(source))] for number, source in enumerate(job.sources)
    ]
    for batch in batches:
        for one in batch.readings:
            of_source[one.source].append(one)
    rejects = list(chain.from_iterable(of_source))
    reasons = [0] * len(REASONS)
    for listed in rejects:
        reasons = [a + b for a, b in zip(reasons, listed.reading.reasons, strict=True)]
    if job.strict and any(reasons):
        raise strict_violation(job, next(one for one in rejects if any(one.reading.reasons)))
    by_reason = {name: count for name, count in zip(REASONS, reasons, strict=True) if count}
    totals = Totals(
        rows_counted=sum(one.reading.rows_counted for one in rejects),
        plays=sum(one.reading.plays for one in rejects),
        rejects_by_reason=dict(sorted(by_reason.items())),
        spilled=[batch.rows for batch in batches if batch.rows is not None],
        rejects=[one for one in rejects if any(one.reading.reasons)],
    )
    if not totals.rows_counted:
        raise no_valid_rows(job, totals)
    return totals


def no_valid_rows(job: Job, totals: Totals) -> AggregationError:
    if not totals.rejects:
        return failure("no_valid_rows", found="there is none below the header")
    counts = [f"{count} {reason}" for reason, count in totals.rejects_by_reason.items()]
    first = first_reject(job.sources[totals.rejects[0].source], totals.rejects[0])
    found = (
        f"all {totals.rows_rejected} were rejected ({', '.join(counts)}), "
        f"the first on line {first.line} ({first.reason}): {first.shown()}"
    )
    return failure("no_valid_rows", found=found)
