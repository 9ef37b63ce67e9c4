"""Block after block, in file order, into the totals of the whole run."""

from dataclasses import dataclass, field
from itertools import islice

from bmat.aggregation.errors import AggregationError, ConservationError, failure, shown
from bmat.aggregation.results import Summary
from bmat.aggregation.source.fields import LARGEST_PLAYS
from bmat.aggregation.tests.reference.blocks import LISTED_REJECTS, Block, Reading, Source, settle


@dataclass(frozen=True)
class ListedReject:
    """A rejected record as it stands in the rejects file: `line` is the physical line of
    `file`, from 1.
    """

    file: str
    line: int
    reason: str
    record: bytes

    def shown(self) -> str:
        """The record for a message."""
        return shown(self.record.decode("utf-8", "replace"))


@dataclass
class Totals:
    """What has been read so far. The next record of the current file starts at byte
    `position`, on line `line`.
    """

    strict: bool
    position: int = 0
    line: int = 1
    bytes_read: int = 0
    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    rows_counted: int = 0
    plays_counted: int = 0
    rejects: list[ListedReject] = field(default_factory=list)
    rejects_by_reason: dict[str, int] = field(default_factory=dict)

    def open_source(self, source: Source, preamble: Reading) -> "Totals":
        """Goes on to the next file, from its first line."""
        self.line = 1
        self.bytes_read += source.size
        return self._add(source, preamble)

    def add_block(self, block: Block, guess: Reading) -> "Totals":
        """Adds the next block of the current file. Raises AggregationError `strict_violation`."""
        return self._add(block.source, settle(block, guess, self.position))

    def _add(self, source: Source, reading: Reading) -> "Totals":
        self._add_rejects(source, reading)
        for key, plays in reading.totals.items():
            self.totals[key] = self.totals.get(key, 0) + plays
        self.rows_counted += reading.rows_counted
        self.plays_counted += reading.plays
        self.position, self.line = reading.end, self.line + reading.lines
        return self

    def _add_rejects(self, source: Source, reading: Reading) -> None:
        for reason, count in reading.rejects_by_reason.items():
            self.rejects_by_reason[reason] = self.rejects_by_reason.get(reason, 0) + count
        for line, reason, record in islice(reading.rejects, LISTED_REJECTS - len(self.rejects)):
            listed = ListedReject(str(source.owner_path), self.line + line, reason, record)
            if self.strict:
                raise strict_violation(source, listed)
            self.rejects.append(listed)

    def finish(self) -> Summary:
        """The counts of the run. Raises AggregationError `no_valid_rows` or `plays_overflow`."""
        summary = Summary(
            rows_read=self.rows_counted + sum(self.rejects_by_reason.values()),
            rows_counted=self.rows_counted,
            rows_rejected=sum(self.rejects_by_reason.values()),
            groups=len(self.totals),
            plays_total=sum(self.totals.values()),
            rejects_by_reason=dict(sorted(self.rejects_by_reason.items())),
            bytes_read=self.bytes_read,
        )
        if not summary.rows_counted:
            raise self._no_valid_rows(summary)
        self._check_overflow()
        if summary.plays_total != self.plays_counted:
            raise ConservationError(self.plays_counted, summary.plays_total)
        return summary

    def _no_valid_rows(self, summary: Summary) -> AggregationError:
        if not self.rejects:
            return failure("no_valid_rows", found="there is none below the header")
        counts = [f"{count} {reason}" for reason, count in summary.rejects_by_reason.items()]
        first = self.rejects[0]
        found = (
            f"all {summary.rows_read} were rejected ({', '.join(counts)}), "
            f"the first on line {first.line} ({first.reason}): {first.shown()}"
        )
        return failure("no_valid_rows", found=found)

    def _check_overflow(self) -> None:
        past = [key for key, plays in self.totals.items() if plays > LARGEST_PLAYS]
        if past:
            song, date = min(past)
            name = song.encode("latin-1").decode("utf-8")
            total = self.totals[song, date]
            raise failure("plays_overflow", song=shown(name), date=date, total=total)


def strict_violation(source: Source, listed: ListedReject) -> AggregationError:
    details = {"line": listed.line, "reason": listed.reason, "record": listed.shown()}
    return failure("strict_violation", source.owner_path, **details)
