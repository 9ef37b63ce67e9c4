"""The end of a run: its counts, checked, and the summary."""

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path

from bmat.aggregation.errors import AggregationError, ConservationError, failure, shown
from bmat.aggregation.exchange.counts import Totals
from bmat.aggregation.exchange.parts import Overflow
from bmat.aggregation.exchange.rejects import write_rejects
from bmat.aggregation.job import Job
from bmat.aggregation.results import Outcome, Summary
from bmat.aggregation.write.output import Written, write_last


def list_rejects(job: Job, totals: Totals) -> None:
    """Write the rejects, where they are wanted."""
    if job.rejects is not None:
        write_rejects(job, job.rejects, totals.rejects)


def finish(job: Job, totals: Totals, written: Written, rejects: None) -> Outcome:
    """Raises AggregationError `plays_overflow`."""
    sums = written.sums
    if sums.overflow is not None:
        raise plays_overflow(sums.overflow)
    write_last(job, written)
    columns = sums.days.tolist(), sums.day_low.tolist(), sums.day_high.tolist()
    plays_by_day = {day: low + (high << 64) for day, low, high in zip(*columns, strict=True)}
    summary = Summary(
        rows_read=totals.rows_counted + totals.rows_rejected,
        rows_counted=totals.rows_counted,
        rows_rejected=totals.rows_rejected,
        groups=sums.groups,
        plays_total=sums.plays,
        rejects_by_reason=totals.rejects_by_reason,
        bytes_read=sum(source.size for source in job.sources),
    )
    check_conservation(totals.plays, summary.plays_total, plays_by_day)
    return Outcome(summary, sums.top, sums.first_day, sums.last_day, plays_by_day)


def check_conservation(plays_counted: int, plays_total: int, plays_by_day: dict[int, int]) -> None:
    """Raises ConservationError unless the totals, and the days, hold the plays counted."""
    by_day = sum(plays_by_day.values())
    if not plays_counted == plays_total == by_day:
        raise ConservationError(plays_counted, min(plays_total, by_day))


def write_summary(path: Path, outcome: Outcome) -> None:
    """Write the counts, the songs with the most plays and the plays per day as JSON."""
    days = [date_text(day) for day in outcome.plays_by_day]
    summary = asdict(outcome.summary) | {
        "first_day": date_text(outcome.first_day),
        "last_day": date_text(outcome.last_day),
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
