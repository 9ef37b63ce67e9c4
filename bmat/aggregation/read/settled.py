"""What was read of a text, and is certain: its blocks, from where their first records start."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bmat.aggregation.exchange.counts import Reading, Rejects
from bmat.aggregation.exchange.rows import Spilled
from bmat.aggregation.job import Block
from bmat.aggregation.kernels.arrays import ParseState, number_of
from bmat.aggregation.kernels.judge import REASONS
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.text import Text


@dataclass(frozen=True)
class Settled:
    """A batch that was read from where its first record starts: its `readings` and `rows`. The
    next record of source number `source` starts at byte `end`, on physical line `line`.
    """

    readings: tuple[Rejects, ...]
    rows: Spilled | None
    source: int
    end: int
    line: int


def reading_of(state: ParseState, start: int, end: int, rejects: Path, rejects_at: int) -> Reading:
    """The outcome that the kernel's state stands for."""
    listed = int(state.rejects_listed)
    return Reading(
        start=start,
        end=end,
        lines=int(state.lines),
        rows_counted=int(state.rows_counted),
        plays=number_of(state.plays_low, state.plays_high),
        reasons=tuple(state.reasons.tolist()),
        listed=listed,
        rejects=rejects if listed else None,
        rejects_at=rejects_at,
    )


def first_line(text: Text, block: Block, source: Source) -> int:
    """Where the first line of the block starts; -1 where none does."""
    at = block.start - 1
    while at < block.stop - 1:
        data = text.read(min(2**16, block.stop - 1 - at), at)
        line_end = data.find(source.layout.line_end)
        if line_end >= 0:
            return at + line_end + 1
        if not data:
            return -1
        at += len(data)
    return -1


def preamble(source: Source) -> Reading:
    """What comes before a file's data: the records that the search for its header rejected."""
    skipped = Counter(one.reason for one in source.layout.skipped)
    reasons = tuple(skipped[reason] for reason in REASONS)
    return Reading(0, source.layout.data_start, source.layout.first_line - 1, reasons=reasons)
