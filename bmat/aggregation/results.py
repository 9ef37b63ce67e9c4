"""What a run found."""

from dataclasses import dataclass, field
from typing import NamedTuple


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
    physical line of its header (0: none).
    """

    preset: str
    delimiter: str
    encoding: str
    header_line: int


@dataclass(frozen=True)
class Summary:
    """The counts of a finished run.

    `rows_read == rows_counted + rows_rejected + rows_left_out`, and `plays_total` (an exact
    integer, possibly past 2^63) is both the sum of the plays counted and the sum of the totals
    written. `groups` is the number of totals, `group_by` names the fields of the key in front of the
    date. Of each reason `rejects_sample` has the first records.
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
