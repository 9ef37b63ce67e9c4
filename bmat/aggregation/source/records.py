"""Bytes into records, with Python's `csv` module: the definition of the quoting rules of the data
contract.
"""

import csv
import sys

from bmat.aggregation.options import Bounds
from bmat.aggregation.source.layout import Extent

# The module's own limit of 131,072 characters a field would fail a file for one long, perfectly
# readable line.
csv.field_size_limit(sys.maxsize)

# Stands for a CR while the csv module looks at a record: it would take a CR in an unquoted field
# for a line's end.
CR_STAND_IN = "\u0100"


def record_extent(data: bytes, start: int, delimiter: bytes, bounds: Bounds) -> Extent:
    """The record (or empty line) that starts at `start`."""
    line_feed = find_line_feed(data, start)
    position = start
    quote = data.find(b'"', position, line_feed)
    while quote >= 0:
        if quote == position:
            closing = closing_quote(data, position + 1, bounds)
            if closing < 0:
                return line_extent(data, start, find_line_feed(data, position), terminated=False)
            position = closing + 1
            # Looked for only where the last one found lies behind: so each byte is read once.
            if line_feed < position:
                line_feed = find_line_feed(data, position)
        field_end = data.find(delimiter, position, line_feed)
        if field_end < 0:
            break
        position = field_end + 1
        if quote < position:
            quote = data.find(b'"', position, line_feed)
    return line_extent(data, start, line_feed, terminated=True)


def find_line_feed(data: bytes, start: int) -> int:
    line_feed = data.find(b"\n", start)
    return line_feed if line_feed >= 0 else len(data)


def closing_quote(data: bytes, start: int, bounds: Bounds) -> int:
    """Where the quoted field whose content starts at `start` is closed; -1 where it is not,
    within its bounds.
    """
    end = start + bounds.quoted_field + 1
    position = data.find(b'"', start, end)
    while position >= 0 and data[position + 1 : position + 2] == b'"':
        position = data.find(b'"', position + 2, end)
    return position


def line_extent(data: bytes, start: int, line_feed: int, *, terminated: bool) -> Extent:
    carriage_return = line_feed > start and data[line_feed - 1 : line_feed] == b"\r"
    next_start = min(line_feed + 1, len(data))
    return Extent(start, line_feed - carriage_return, next_start, terminated)


def split_fields(record: bytes, delimiter: bytes) -> list[str]:
    """The fields of a record, as latin-1 text: one code point per byte."""
    text = record.decode("latin-1").replace("\r", CR_STAND_IN)
    [fields] = csv.reader([text], delimiter=delimiter.decode("ascii"))
    return [field.replace(CR_STAND_IN, "\r") for field in fields]
