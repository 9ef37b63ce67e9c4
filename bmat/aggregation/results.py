"""What a run found."""

from dataclasses import dataclass, field
from typing import NamedTuple

from bmat.aggregation.errors import AggregationError


class Extent(NamedTuple):
    """Where a record lies in the file, in bytes: `stop` is before its line end, `next` behind
    it.
    """

    start: int
    stop: int
    next: int


class Warning(NamedTuple):
    """What a person should look at; `code` is one of the data contract's and stable."""

    code: str
    message: str


class Example(NamedTuple):
    """A rejected record: its physical line in input number `file`, its text, cut."""

    file: int
    line: int
    record: str


class Record(NamedTuple):
    """A record of an input as it is read: its physical line, its bytes, why it is rejected or left
    out (None: it counts); the key, its fields joined by NUL, the day since 0001-01-01, the plays.
    """

    line: int
    text: bytes
    reason: str | None
    key: bytes
    day: int
    plays: int


@dataclass(frozen=True)
class Input:
    """How an input was read: the preset (`default` for none), its delimiter, its encoding, and the
    physical line of its header (0: none); at the end of a run its name, how many bytes of UTF-8 it
    has, and what was found in it.

    `rows_read == rows_counted + rows_rejected + rows_left_out`, as in all inputs together.
    """

    preset: str
    delimiter: str
    encoding: str
    header_line: int
    name: str = ""
    bytes_read: int = 0
    rows_read: int = 0
    rows_counted: int = 0
    rows_rejected: int = 0
    rows_left_out: int = 0
    plays: int = 0


@dataclass(frozen=True)
class Summary:
    """The counts of a finished run.

    `rows_read == rows_counted + rows_rejected + rows_left_out`, and `plays_total` (an exact
    integer, possibly past 2^63) is both the sum of the plays counted and the sum of the totals
    written. `groups` is the number of totals, `group_by` names the fields of the key in front of
    the date. Of each reason `rejects_sample` has the first records. The counts are the sums of
    those of the `inputs`.
    """

    rows_read: int = 0
    rows_counted: int = 0
    rows_rejected: int = 0
    rows_left_out: int = 0
    groups: int = 0
    plays_total: int = 0
    rejects_by_reason: dict[str, int] = field(default_factory=dict)
    left_out_by_reason: dict[str, int] = field(default_factory=dict)
    rejects_sample: dict[str, list[Example]] = field(default_factory=dict)
    warnings: tuple[Warning, ...] = ()
    group_by: tuple[str, ...] = ("song",)
    inputs: tuple[Input, ...] = ()
    bytes_read: int = 0


class NoValidRows(AggregationError):
    """All records were rejected: `summary` counts them, and the rejects are in place."""

    summary: Summary


@dataclass(frozen=True)
class Outcome:
    """The counts of a run, and what the summary needs beside them: of each of the `top` keys its
    plays and its bytes, the fields joined by NUL. Without a total there is no first or last day.
    """

    summary: Summary
    top: list[tuple[int, bytes]]
    first_day: int | None
    last_day: int | None
    plays_by_day: dict[int, int]


@dataclass(frozen=True)
class InspectedColumn:
    """A column by its name in the header, and what it is read as: a role of the key, `date`,
    `plays`, or None.
    """

    name: str
    role: str | None


@dataclass(frozen=True)
class InspectedRecord:
    """A record as it will be counted or not: its physical line and its fields; the key's fields by
    their roles, the date and the plays, unless there is a `reason` why it is rejected or left out.
    """

    line: int
    fields: list[str]
    key: dict[str, str] | None
    date: str | None
    plays: int | None
    reason: str | None


@dataclass(frozen=True)
class Inspection:
    """How an input would be read. `line_end` is `LF`, `CRLF`, `CRCRLF` or `CR`, `header_line` 0
    without a header; `is_cut`: there is more of it than was looked at.
    """

    preset: str
    encoding: str
    delimiter: str
    line_end: str
    header_line: int
    columns: list[InspectedColumn]
    records: list[InspectedRecord]
    is_cut: bool


class ColumnsNotFound(AggregationError):
    """The header lacks columns that are wanted: `inspection` has those that are there, and records
    of which nobody can say how they count.
    """

    inspection: Inspection
