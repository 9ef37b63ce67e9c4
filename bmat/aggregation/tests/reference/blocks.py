"""Cutting a file into blocks that are read side by side, and reading one of them.

A block's border may fall into a quoted field. So each block is read on the guess that its first
line starts a record, and
says where its last record really ended; `settle` compares that with the next block's guess and
reads the (rare) wrong one again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.source import fields
from bmat.aggregation.source.layout import Extent, Layout
from bmat.aggregation.source.records import find_line_feed, record_extent, split_fields

LISTED_REJECTS = 1_000_000
LISTED_RECORD_BYTES = 1024


@dataclass(frozen=True)
class Source:
    """One input file as it is read: `path` holds its bytes in UTF-8, `owner_path` is the path
    that was given.
    """

    path: Path
    owner_path: Path
    size: int
    layout: Layout


@dataclass(frozen=True)
class Block:
    """The records of `source` that start in the bytes `start` to `stop`."""

    source: Source
    start: int
    stop: int


class Rejected(NamedTuple):
    """A rejected record: its line (from 0, counted from where the reading began), reason, and
    first KiB of bytes.
    """

    line: int
    reason: str
    record: bytes


@dataclass
class Reading:
    """What the records of a block come to. It reaches from byte `start` to byte `end`, where
    the next record starts.
    """

    start: int
    end: int
    lines: int = 0
    totals: dict[tuple[str, str], int] = field(default_factory=dict)
    rows_counted: int = 0
    plays: int = 0
    rejects: list[Rejected] = field(default_factory=list)
    rejects_by_reason: dict[str, int] = field(default_factory=dict)


def plan(source: Source, block_bytes: int) -> list[Block]:
    """The blocks of a file, in order; none for a file without data."""
    starts = range(source.layout.data_start, source.size, block_bytes)
    return [Block(source, start, min(start + block_bytes, source.size)) for start in starts]


def read_preamble(source: Source) -> Reading:
    """What comes before a file's data: nothing that counts, but the records that the search
    for the header rejected.
    """
    reading = Reading(start=0, end=source.layout.data_start, lines=source.layout.first_line - 1)
    with source.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        for line, extent in source.layout.skipped:
            record = data[extent.start : extent.stop]
            list_reject(reading, line - 1, "unterminated_quote", record)
    return reading


def read_block(block: Block) -> Reading:
    """Reads a block on the guess that its first line start, which may lie behind its stop,
    starts a record.
    """
    with block.source.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        guess = block.start
        if guess > block.source.layout.data_start and data[guess - 1 : guess] != b"\n":
            guess = min(find_line_feed(data, guess) + 1, block.source.size)
        return read_records(data, guess, block)


def settle(block: Block, reading: Reading, true_start: int) -> Reading:
    """`reading` where its guess was right, else the block read again from where its first
    record really starts.
    """
    if reading.start == true_start:
        return reading
    with block.source.path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        return read_records(data, true_start, block)


def read_records(data: mmap, start: int, block: Block) -> Reading:
    layout = block.source.layout
    found, end = find_records(data, start, block.stop, layout)
    reading = Reading(start, end, lines=data[start:end].count(b"\n"))
    lines = line_numbers(data, start, found)
    most = layout.bounds.record
    whole = [one for one in found if one.terminated and one.stop - one.start <= most]
    split = split_fields(data, whole, layout.delimiter)
    for line, extent in zip(lines, found, strict=True):
        try:
            if not extent.terminated:
                raise fields.Reject("unterminated_quote")
            if extent.stop - extent.start > most:
                raise fields.Reject("too_long")
            count(reading, next(split), layout)
        except fields.Reject as reject:
            list_reject(reading, line, str(reject), data[extent.start : extent.stop])
    return reading


def find_records(
    data: mmap | bytes, start: int, stop: int, layout: Layout
) -> tuple[list[Extent], int]:
    """The records that start in `data[start:stop]`, and where the line behind the last of
    them starts.

    The last record may reach past `stop`. Empty lines are passed over.
    """
    found = []
    while start < stop:
        extent = record_extent(data, start, layout.delimiter, layout.bounds)
        if extent.stop > extent.start:
            found.append(extent)
        start = extent.next
    return found, start


def line_numbers(data: mmap, start: int, found: list[Extent]) -> Iterator[int]:
    """The line of each record, counted from 0 at `start`."""
    line = 0
    for extent in found:
        line += data[start : extent.start].count(b"\n")
        yield line
        start = extent.start


def count(reading: Reading, record: list[str], layout: Layout) -> None:
    """Adds a record to the totals. Raises Reject, and leaves the totals as they were, where
    it cannot be counted.
    """
    if len(record) > layout.field_count:
        raise fields.Reject("extra_field")
    if len(record) <= max(layout.song, layout.date, layout.plays):
        raise fields.Reject("missing_field")
    song = fields.song(record[layout.song], layout.bounds.song)
    key = song, fields.day(record[layout.date])
    plays = fields.plays(record[layout.plays])
    reading.totals[key] = reading.totals.get(key, 0) + plays
    reading.rows_counted += 1
    reading.plays += plays


def list_reject(reading: Reading, line: int, reason: str, record: bytes) -> None:
    """Counts a rejected record, and lists it where the list is not full yet."""
    reading.rejects_by_reason[reason] = reading.rejects_by_reason.get(reason, 0) + 1
    if len(reading.rejects) < LISTED_REJECTS:
        reading.rejects.append(Rejected(line, reason, record[:LISTED_RECORD_BYTES]))
