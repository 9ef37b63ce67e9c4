"""What a run found."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Summary:
    """The counts of a finished run.

    `rows_read == rows_counted + rows_rejected`, and `plays_total` (an exact integer, possibly
    past 2^63) is both the sum of the plays counted and the sum of the totals written. `groups` is
    the number of (song, date) pairs.
    """

    rows_read: int = 0
    rows_counted: int = 0
    rows_rejected: int = 0
    groups: int = 0
    plays_total: int = 0
    rejects_by_reason: dict[str, int] = field(default_factory=dict)
    bytes_read: int = 0


@dataclass(frozen=True)
class Outcome:
    """The counts of a run, and what the summary needs beside them."""

    summary: Summary
    top: list[tuple[int, bytes]]
    first_day: int
    last_day: int
    plays_by_day: dict[int, int]
