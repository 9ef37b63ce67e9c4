"""The end of a run: its counts, checked, and its by-products."""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from bmat.aggregation.errors import AggregationError, ConservationError, failure, shown
from bmat.aggregation.job import Job
from bmat.aggregation.parquet_file import write_footer
from bmat.aggregation.part import Overflow, first_of_top
from bmat.aggregation.rejects import write_rejects
from bmat.aggregation.summary import Summary
from bmat.aggregation.totals import Totals
from bmat.aggregation.writing import Written, write_last


@dataclass(frozen=True)
class Outcome:
    """The counts of a run, and what the by-products need beside them."""

    summary: Summary
    top: list[tuple[int, bytes]]
    plays_by_day: dict[int, int]


def list_rejects(job: Job, totals: Totals) -> None:
    """Write the rejects, where they are wanted."""
    if job.rejects is not None and (totals.rejects or job.empty_rejects):
        write_rejects(job, job.rejects, totals.rejects)


def finish(job: Job, totals: Totals, written: list[Written], rejects: None) -> Outcome:
    """Raises AggregationError `plays_overflow`."""
    parts = [one.part for one in written]
    for part in parts:
        if part.overflow is not None:
            raise plays_overflow(part.overflow)
    write_last(job, written[-1])
    plays_by_day: dict[int, int] = {}
    for part in parts:
        columns = part.days.tolist(), part.day_low.tolist(), part.day_high.tolist()
        for day, low, high in zip(*columns, strict=True):
            plays_by_day[day] = plays_by_day.get(day, 0) + low + (high << 64)
    summary = Summary(
        rows_read=totals.rows_counted + totals.rows_rejected,
        rows_counted=totals.rows_counted,
        rows_rejected=totals.rows_rejected,
        groups=sum(part.groups for part in parts),
        plays_total=sum(part.plays for part in parts),
        rejects_by_reason=totals.rejects_by_reason,
        bytes_read=sum(source.size for source in job.sources),
    )
    check_conservation(totals.plays, summary.plays_total, plays_by_day)
    if job.parquet is not None:
        groups = [group for part in parts for group in part.row_groups]
        write_footer(job.parquet, written[-1].parquet_end, groups)
    top = first_of_top([entry for part in parts for entry in part.top])
    return Outcome(summary, top, dict(sorted(plays_by_day.items())))


def check_conservation(plays_counted: int, plays_total: int, plays_by_day: dict[int, int]) -> None:
    """Raises ConservationError unless the totals, and the days, hold the plays counted."""
    by_day = sum(plays_by_day.values())
    if not plays_counted == plays_total == by_day:
        raise ConservationError(plays_counted, min(plays_total, by_day))


def write_summary(path: Path, outcome: Outcome) -> None:
    """Write the counts, the songs with the most plays and the plays per day as JSON."""
    days = [date_text(day) for day in outcome.plays_by_day]
    summary = asdict(outcome.summary) | {
        "first_day": min(days, default=None),
        "last_day": max(days, default=None),
        "top_songs": [
            {"song": song.decode("utf-8"), "plays": plays} for plays, song in outcome.top
        ],
        "plays_by_day": dict(zip(days, outcome.plays_by_day.values(), strict=True)),
    }
    # Without indentation: that is what the compiled encoder of `json` can do.
    path.write_text(json.dumps(summary, ensure_ascii=False), encoding="utf-8")


def plays_overflow(overflow: Overflow) -> AggregationError:
    song = shown(overflow.song.decode("utf-8"))
    day = date_text(overflow.day)
    return failure("plays_overflow", song=song, date=day, total=overflow.total)


def date_text(day: int) -> str:
    """`YYYY-MM-DD` of a day, counted from 0001-01-01."""
    return date.fromordinal(day + 1).isoformat()
