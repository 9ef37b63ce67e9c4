"""What the blocks came to: how many rows and plays, and what could not be counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bmat.aggregation.exchange.rows import Spilled
from bmat.aggregation.kernels.arrays import REASON_COUNT
from bmat.aggregation.kernels.judge import FIRST_LEFT_OUT
from bmat.aggregation.results import Record


@dataclass(frozen=True)
class Reading:
    """What a block came to. It reaches from byte `start` to byte `end`, where the next record
    starts.

    `reasons` are the rejects, and what was left out, by reason, in the order of REASONS; `listed`
    of them are described in the file `rejects`, from its byte `rejects_at` on, lines counted from
    the block's start.
    """

    start: int
    end: int
    lines: int = 0
    rows_counted: int = 0
    plays: int = 0
    reasons: tuple[int, ...] = (0,) * REASON_COUNT
    listed: int = 0
    rejects: Path | None = None
    rejects_at: int = 0

    @property
    def rejected(self) -> int:
        """How many records were rejected."""
        return sum(self.reasons[:FIRST_LEFT_OUT])


@dataclass(frozen=True)
class Rejects:
    """The rejects of one stretch of source number `source`, which begins on line `line`."""

    source: int
    line: int
    reading: Reading


@dataclass(frozen=True)
class Counts:
    """What the blocks of one input came to."""

    rows_counted: int
    rows_rejected: int
    rows_left_out: int
    plays: int

    @property
    def rows_read(self) -> int:
        return self.rows_counted + self.rows_rejected + self.rows_left_out

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> "Counts":
        """All of these together."""
        return cls(
            rows_counted=sum(one.rows_counted for one in readings),
            rows_rejected=sum(one.rejected for one in readings),
            rows_left_out=sum(sum(one.reasons) - one.rejected for one in readings),
            plays=sum(one.plays for one in readings),
        )


@dataclass(frozen=True)
class Totals:
    """All blocks have been read: their counts, those of each input, the files of their rows and of
    their rejects; the last record of each input, where it counts and was found.
    """

    inputs: list[Counts]
    rejects_by_reason: dict[str, int]
    left_out_by_reason: dict[str, int]
    spilled: list[Spilled]
    rejects: list[Rejects]
    last_records: list[Record | None]

    @property
    def rows_counted(self) -> int:
        return sum(one.rows_counted for one in self.inputs)

    @property
    def rows_rejected(self) -> int:
        return sum(self.rejects_by_reason.values())

    @property
    def rows_left_out(self) -> int:
        return sum(self.left_out_by_reason.values())

    @property
    def rows_read(self) -> int:
        return self.rows_counted + self.rows_rejected + self.rows_left_out

    @property
    def plays(self) -> int:
        return sum(one.plays for one in self.inputs)
