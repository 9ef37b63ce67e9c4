"""The end of a run: its counts, checked, and the summary."""

import json
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from bmat.aggregation.errors import AggregationError, ConservationError, failure, shown
from bmat.aggregation.exchange.counts import Counts, Totals
from bmat.aggregation.exchange.parts import Overflow
from bmat.aggregation.exchange.rejects import no_valid_rows
from bmat.aggregation.job import Job
from bmat.aggregation.results import Example, Input, Outcome, Summary
from bmat.aggregation.source.layout import Source
from bmat.aggregation.write.output import Placed, write_last
from bmat.aggregation.write.warnings import warnings_of


def finish(
    job: Job,
    totals: Totals,
    last: Placed,
    rejects_sample: dict[str, list[Example]],
    written: list[None],
) -> Outcome:
    """The outcome, `last` being the last part, and all of them `written`.

    Raises AggregationError `plays_overflow`, or `no_valid_rows` with the summary.
    """
    sums = last.sums
    if sums.overflow is not None:
        raise plays_overflow(sums.overflow)
    write_last(job, last)
    columns = sums.days.tolist(), sums.day_low.tolist(), sums.day_high.tolist()
    plays_by_day = {day: low + (high << 64) for day, low, high in zip(*columns, strict=True)}
    summary = Summary(
        rows_read=totals.rows_read,
        rows_counted=totals.rows_counted,
        rows_rejected=totals.rows_rejected,
        rows_left_out=totals.rows_left_out,
        groups=sums.groups,
        plays_total=sums.plays,
        rejects_by_reason=totals.rejects_by_reason,
        left_out_by_reason=totals.left_out_by_reason,
        rejects_sample=rejects_sample,
        group_by=job.group_by,
        inputs=tuple(map(input_of, job.sources, totals.inputs)),
        bytes_read=sum(source.input_bytes for source in job.sources),
    )
    check_conservation(totals.plays, summary.plays_total, plays_by_day)
    summary = replace(summary, warnings=tuple(warnings_of(job, totals, sums, plays_by_day)))
    if totals.rows_rejected and not totals.rows_counted:
        raise no_valid_rows(job, totals, summary)
    has_days = sums.groups > 0
    return Outcome(
        summary,
        sums.top,
        sums.first_day if has_days else None,
        sums.last_day if has_days else None,
        plays_by_day,
    )


def input_of(source: Source, counts: Counts) -> Input:
    """How an input was read, and what it came to."""
    return replace(
        source.read_as,
        name=str(source.owner_path),
        bytes_read=source.input_bytes,
        rows_read=counts.rows_read,
        **asdict(counts),
    )


def check_conservation(plays_counted: int, plays_total: int, plays_by_day: dict[int, int]) -> None:
    """Raises ConservationError unless the totals, and the days, hold the plays counted."""
    by_day = sum(plays_by_day.values())
    if not plays_counted == plays_total == by_day:
        raise ConservationError(plays_counted, min(plays_total, by_day))


def write_summary(path: Path, outcome: Outcome) -> None:
    """Write the counts, the keys with the most plays and the plays per day as JSON."""
    summary = outcome.summary
    days = [date_text(day) for day in outcome.plays_by_day]
    first, last = outcome.first_day, outcome.last_day
    content = asdict(summary) | {
        "rejects_sample": {
            reason: [example_of(example, len(summary.inputs)) for example in examples]
            for reason, examples in summary.rejects_sample.items()
        },
        "warnings": [warning._asdict() for warning in summary.warnings],
        "first_day": None if first is None else date_text(first),
        "last_day": None if last is None else date_text(last),
        "top_songs": [
            {**fields_of_key(key, summary.group_by), "plays": plays} for plays, key in outcome.top
        ],
        "plays_by_day": dict(zip(days, outcome.plays_by_day.values(), strict=True)),
    }
    # Without indentation: that is what the compiled encoder of `json` can do.
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def example_of(example: Example, inputs: int) -> dict[str, object]:
    """An example as JSON has it: with the number of its input where there are several."""
    where = {"file": example.file} if inputs > 1 else {}
    return where | {"line": example.line, "record": example.record}


def fields_of_key(key: bytes, group_by: tuple[str, ...]) -> dict[str, str]:
    """The fields of a key by their names."""
    texts = key.decode("utf-8").split("\0")
    return dict(zip(group_by, texts, strict=True))


def plays_overflow(overflow: Overflow) -> AggregationError:
    song = ", ".join(map(shown, overflow.song.decode("utf-8").split("\0")))
    day = date_text(overflow.day)
    return failure("plays_overflow", song=song, date=day, total=overflow.total)


def date_text(day: int) -> str:
    """`YYYY-MM-DD` of a day, counted from 0001-01-01."""
    return date.fromordinal(day + 1).isoformat()
