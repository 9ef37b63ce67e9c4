"""The list of the records that could not be counted."""

import os
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from bmat.aggregation.errors import MESSAGES, AggregationError, failure, shown
from bmat.aggregation.exchange.counts import Rejects, Totals
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import LISTED_RECORD_BYTES
from bmat.aggregation.kernels.judge import REASONS, REJECT_HEAD_BYTES
from bmat.aggregation.results import Example, NoValidRows, Summary
from bmat.aggregation.source.json_records import original_of
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.text import open_text

REJECTS_BETWEEN_CHECKS = 1000
# Of each reason, so many rejects are shown with the summary, each with so many characters.
EXAMPLES = 5
EXAMPLE_LENGTH = 200


class Reject(NamedTuple):
    """A rejected record: its physical line, from 1, and its first KiB of bytes."""

    line: int
    reason: str
    record: bytes

    def shown(self) -> str:
        """The record for a message."""
        return shown(self.record.decode("utf-8", "replace"))


def skipped_before(source: Source) -> Iterator[Reject]:
    """The records that the search for the header rejected."""
    with open_text(source) as text:
        for line, extent, reason in source.layout.skipped:
            count = min(extent.stop - extent.start, LISTED_RECORD_BYTES)
            yield Reject(source.line_of(line), reason, text.read(count, extent.start))


def listed(source: Source, rejects: Rejects) -> Iterator[Reject]:
    """The listed rejects of a stretch, in order: as the input has them."""
    if source.json is None:
        yield from as_read(source, rejects)
        return
    with source.json.path.open("rb") as file:
        for reject in as_read(source, rejects):
            line, text, path = original_of(source.json, file, reject.reason, reject.record)
            yield Reject(line, reject.reason, f"{path}: ".encode() + text if path else text)


def as_read(source: Source, rejects: Rejects) -> Iterator[Reject]:
    """The listed rejects of a stretch, in order: as they were read."""
    reading = rejects.reading
    if reading.end == source.layout.data_start and reading.start == 0:
        yield from skipped_before(source)
    if reading.rejects is None:
        return
    with reading.rejects.open("rb") as file:
        file.seek(reading.rejects_at)
        for _ in range(reading.listed):
            head = file.read(REJECT_HEAD_BYTES)
            line = int.from_bytes(head[:8], "little")
            size = int.from_bytes(head[9:], "little")
            yield Reject(source.line_of(rejects.line + line), REASONS[head[8]], file.read(size))


def first_reject(source: Source, rejects: Rejects) -> Reject:
    return next(listed(source, rejects))


def all_listed(job: Job, stretches: list[Rejects]) -> Iterator[tuple[int, Reject]]:
    """The listed rejects of these stretches, with the numbers of their inputs."""
    for rejects in stretches:
        for reject in listed(job.sources[rejects.source], rejects):
            yield rejects.source, reject


def write_rejects(job: Job, totals: Totals) -> dict[str, list[Example]]:
    """Write the list, where it is wanted; with several input files, the path as given, or the
    name, of each comes first. Returns the first examples of each reason.
    """
    sample: dict[str, list[Example]] = {reason: [] for reason in totals.rejects_by_reason}
    awaited = sum(min(count, EXAMPLES) for count in totals.rejects_by_reason.values())
    names = [csv_field(str(source.owner_path)) for source in job.sources]
    with (
        open(
            job.rejects or os.devnull, "w", encoding="utf-8", newline="", errors="surrogateescape"
        ) as file,
        job.progress_of_block(0) as progress,
    ):
        file.write("File,Line,Reason,Record\n" if len(names) > 1 else "Line,Reason,Record\n")
        listed_rejects = islice(all_listed(job, totals.rejects), job.listed_rejects)
        for number, (source, reject) in enumerate(listed_rejects):
            if number % REJECTS_BETWEEN_CHECKS == 0:
                progress.check()
            record = reject.record.decode("utf-8", "replace").replace("\0", "\ufffd")
            examples = sample[reject.reason]
            if len(examples) < EXAMPLES:
                examples.append(Example(source, reject.line, record[:EXAMPLE_LENGTH]))
                awaited -= 1
            if job.rejects is None:
                if not awaited:
                    break
                continue
            line = f"{reject.line},{reject.reason},{csv_field(record)}\n"
            file.write(f"{names[source]},{line}" if len(names) > 1 else line)
    return {reason: examples for reason, examples in sample.items() if examples}


def csv_field(value: str) -> str:
    """`value` as a field of a CSV line, quoted only where RFC 4180 demands it."""
    if any(special in value for special in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value


def strict_violation(job: Job, rejects: Rejects) -> AggregationError:
    source = job.sources[rejects.source]
    first = first_reject(source, rejects)
    details = {"line": first.line, "reason": first.reason, "record": first.shown()}
    return failure("strict_violation", source.owner_path, **details)


def raise_strictly(job: Job, rejects: Rejects) -> None:
    """Raises AggregationError `strict_violation` where there are any rejects."""
    if rejects.reading.rejected:
        raise strict_violation(job, rejects)


def no_valid_rows(job: Job, totals: Totals, summary: Summary) -> NoValidRows:
    """The error of a run in which all records were rejected."""
    counts = [f"{count} {reason}" for reason, count in totals.rejects_by_reason.items()]
    source = job.sources[totals.rejects[0].source]
    first = first_reject(source, totals.rejects[0])
    of_file = f" of {source.owner_path}" if len(job.sources) > 1 else ""
    preset = source.read_as.preset
    under = f" under the preset {preset}" if preset != "default" else ""
    found = (
        f"all {totals.rows_rejected} were rejected ({', '.join(counts)}){under}, "
        f"the first on line {first.line}{of_file} ({first.reason}): {first.shown()}"
    )
    error = NoValidRows("no_valid_rows", MESSAGES["no_valid_rows"].format(found=found))
    error.summary = summary
    return error
