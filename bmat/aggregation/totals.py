"""What the blocks come to, taken together in file order."""

from dataclasses import dataclass

from bmat.aggregation.errors import AggregationError, failure
from bmat.aggregation.job import Job, Source
from bmat.aggregation.kernel_state import REASONS
from bmat.aggregation.reading import Reading
from bmat.aggregation.rejects import Rejects, first_reject
from bmat.aggregation.spill import Spilled


@dataclass(frozen=True)
class Totals:
    """All blocks have been read: their counts, the files of their rows and of their rejects."""

    rows_counted: int
    plays: int
    rejects_by_reason: dict[str, int]
    spilled: list[Spilled]
    rejects: list[Rejects]

    @property
    def rows_rejected(self) -> int:
        return sum(self.rejects_by_reason.values())


def preamble(source: Source) -> Reading:
    """What comes before a file's data: the records that the search for its header rejected."""
    skipped = len(source.layout.skipped)
    reasons = (skipped,) + (0,) * (len(REASONS) - 1)
    return Reading(0, source.layout.data_start, source.layout.first_line - 1, reasons=reasons)


def add_up(job: Job, readings: list[Reading]) -> Totals:
    """Take the settled readings of all blocks together.

    Raises AggregationError `strict_violation` or `no_valid_rows`.
    """
    rejects = []
    reasons = [0] * len(REASONS)
    for number, source in enumerate(job.sources):
        before = preamble(source)
        rejects.append(Rejects(number, 1, before))
        line = 1 + before.lines
        for block, reading in zip(job.blocks, readings, strict=True):
            if block.source == number:
                rejects.append(Rejects(number, line, reading))
                line += reading.lines
    for listed in rejects:
        reasons = [a + b for a, b in zip(reasons, listed.reading.reasons, strict=True)]
    if job.strict and any(reasons):
        raise strict_violation(job, next(one for one in rejects if any(one.reading.reasons)))
    by_reason = {name: count for name, count in zip(REASONS, reasons, strict=True) if count}
    totals = Totals(
        rows_counted=sum(reading.rows_counted for reading in readings),
        plays=sum(reading.plays for reading in readings),
        rejects_by_reason=dict(sorted(by_reason.items())),
        spilled=[reading.rows for reading in readings if reading.rows is not None],
        rejects=[one for one in rejects if any(one.reading.reasons)],
    )
    if not totals.rows_counted:
        raise no_valid_rows(job, totals)
    return totals


def strict_violation(job: Job, rejects: Rejects) -> AggregationError:
    source = job.sources[rejects.source]
    first = first_reject(source, rejects)
    details = {"line": first.line, "reason": first.reason, "record": first.shown()}
    return failure("strict_violation", source.owner_path, **details)


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
