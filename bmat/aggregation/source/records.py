"""Bytes into records and fields, in plain Python: what reads a file's header, by the quoting rules
of the data contract. The kernels read everything behind it by the same rules.

Each byte is looked at a bounded number of times: a file may begin with a million empty lines, or a
million records that are rejected.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bmat.aggregation.options import BOUNDS, Bounds
from bmat.aggregation.results import Extent

UNTERMINATED, MALFORMED = "unterminated_quote", "malformed_quotes"
# A file whose first bytes, so many, hold a CR and no LF is one of old line ends.
LINE_END_BYTES = 2**16
OLD_LINE_END = re.compile(rb"\r\n?|\n")
# Empty lines and byte order marks; as many as two CRs are an empty line at the end of the file. The
# quantifiers are possessive: else each line would be remembered until the last one has matched.
BEFORE_RECORD = re.compile(rb"(?:(?:\xef\xbb\xbf)*+\r{0,2}+\n)*+(?:\xef\xbb\xbf)*+(?:\r{1,2}+\Z)?+")
BEFORE_OLD_RECORD = re.compile(rb"(?:\xef\xbb\xbf|[\r\n])*+")
BEFORE = (b"\n", b"\r", b"\xef")
SPACES = re.compile(rb" *+")


@dataclass(frozen=True)
class Dialect:
    """How bytes are cut into records and fields. A quoted field spans at most
    `bounds.quoted_field` bytes, and the spaces behind it as many.
    """

    delimiter: bytes
    is_quoted: bool = True
    has_cr_ends: bool = False
    bounds: Bounds = BOUNDS


class Record(NamedTuple):
    """A record that starts on physical line `line`; the next one starts on `next_line`. One with a
    `fault`, UNTERMINATED or MALFORMED, has no fields.
    """

    extent: Extent
    line: int
    next_line: int
    fields: list[bytes]
    fault: str | None = None


def has_old_line_ends(data: bytes) -> bool:
    """Whether in a file that begins with `data` each CR ends a line."""
    begin = data[:LINE_END_BYTES]
    return b"\r" in begin and b"\n" not in begin


def records_from(data: bytes, start: int, line: int, dialect: Dialect) -> Iterator[Record]:
    """The records of `data` from byte `start` on, which is where physical line `line` begins."""
    before = BEFORE_OLD_RECORD if dialect.has_cr_ends else BEFORE_RECORD
    while True:
        # Most records have nothing before them.
        if data[start : start + 1] in BEFORE:
            match = before.match(data, start)
            assert match is not None
            line += line_ends(match[0], dialect.has_cr_ends)
            start = match.end()
        if start == len(data):
            return
        record = record_at(data, start, line, dialect)
        yield record
        start, line = record.extent.next, record.next_line


def line_ends(text: bytes, has_cr_ends: bool) -> int:
    """How many line ends are in `text`, which starts behind one and stops behind one."""
    if has_cr_ends:
        return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")
    return text.count(b"\n")


def line_end(data: bytes, start: int, has_cr_ends: bool) -> tuple[int, int]:
    """Where the line that goes on at `start` stops, and where the next one begins."""
    if has_cr_ends:
        match = OLD_LINE_END.search(data, start)
        return match.span() if match else (len(data), len(data))
    line_feed = data.find(b"\n", start)
    stop = line_feed if line_feed >= 0 else len(data)
    behind = stop + (line_feed >= 0)
    if data[stop - 1 : stop] == b"\r" and stop > start:
        stop -= 2 if data[stop - 2 : stop - 1] == b"\r" and stop - 1 > start else 1
    return stop, behind


def record_at(data: bytes, start: int, line: int, dialect: Dialect) -> Record:
    """The record that starts at `start`, with nothing before it on its line."""
    fields, fault, stop, behind = fields_at(data, start, dialect)
    lines = line_ends(data[start:behind], dialect.has_cr_ends)
    return Record(Extent(start, stop, behind), line, line + lines, fields, fault)


def fields_at(
    data: bytes, start: int, dialect: Dialect
) -> tuple[list[bytes], str | None, int, int]:
    """The fields of the record that starts at `start`, or its fault; where it stops, and where the
    next one may start.
    """
    # Looked for again only where a quoted field reaches past it: so each byte is read once.
    stop, behind = line_end(data, start, dialect.has_cr_ends)
    if not dialect.is_quoted or data.find(b'"', start, stop) < 0:
        return data[start:stop].split(dialect.delimiter), None, stop, behind
    fields, position = [], start
    while True:
        if data[position : position + 1] == b'"':
            closing = closing_quote(data, position + 1, dialect.bounds)
            if closing < 0:
                return [], UNTERMINATED, stop, behind
            of_opening = stop, behind
            if closing > stop:
                stop, behind = line_end(data, closing + 1, dialect.has_cr_ends)
            spaces = SPACES.match(data, closing + 1, closing + 1 + dialect.bounds.quoted_field)
            assert spaces is not None
            field_end = spaces.end()
            if field_end != stop and data[field_end : field_end + 1] != dialect.delimiter:
                return [], MALFORMED, *of_opening
            fields.append(data[position + 1 : closing].replace(b'""', b'"'))
        else:
            field_end = data.find(dialect.delimiter, position, stop)
            if field_end < 0:
                field_end = stop
            fields.append(data[position:field_end])
        if field_end == stop:
            return fields, None, stop, behind
        position = field_end + 1


def closing_quote(data: bytes, start: int, bounds: Bounds) -> int:
    """Where the quoted field whose content starts at `start` is closed; -1 where it is not,
    within its bounds.
    """
    end = start + bounds.quoted_field + 1
    position = data.find(b'"', start, end)
    while position >= 0 and data[position + 1 : position + 2] == b'"':
        position = data.find(b'"', position + 2, end)
    return position
