"""What the blocks come to, taken together in file order."""

from itertools import chain

from bmat.aggregation.errors import AggregationError, failure
from bmat.aggregation.exchange.counts import Rejects, Totals
from bmat.aggregation.exchange.rejects import first_reject
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.judge import REASONS
from bmat.aggregation.read.settle import Settled, preamble, strict_violation


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
