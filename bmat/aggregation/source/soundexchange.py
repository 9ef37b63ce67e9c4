"""Reports of use to SoundExchange: the lines before their header say of which days they are, and
how many rows they have.
"""

import csv
import re
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from bmat.aggregation.errors import shown
from bmat.aggregation.options import Options, column_key, delimiter_byte
from bmat.aggregation.progress import OnRead
from bmat.aggregation.source.opened import (
    Opened,
    Place,
    compare,
    found_fields,
    head_of,
    layout_of,
    with_line_feeds,
)
from bmat.aggregation.source.preset import Preset

DELIMITERS = (b",", b"\t", b"|", b";")
MOST_LINES_BEFORE = 20
CHUNK_BYTES = 2**20
# Lines in front of the header, counted back from it.
FIRST_DAY, LAST_DAY, ROWS, INDICATOR, DELIMITER = 7, 6, 4, 3, 2
LINE = re.compile(rb"[^\n]*\n|[^\n]+")
EMPTY_LINE = re.compile(rb"\n(?=\r{0,2}\n)")
DAY = re.compile(r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})")
# NameYYYYMMDD-YYYYMMDD_X.txt
PERIOD_IN_NAME = re.compile(r"(?<![0-9])([0-9]{8})[-_\N{EN DASH}]([0-9]{8})(?![0-9])")


class Header(NamedTuple):
    """The names of the columns, on physical line `line`, which ends at byte `stop`; `before` are
    the lines in front of it. With `has_cr_ends` each CR ends a line.
    """

    columns: list[str]
    delimiter: bytes
    text: bytes
    line: int
    stop: int
    before: list[str]
    has_cr_ends: bool

    @property
    def period(self) -> tuple[date, date] | None:
        """The first and the last day, as the lines of a report's header say, if there are any."""
        before = self.before
        return period(before[-FIRST_DAY], before[-LAST_DAY]) if len(before) >= FIRST_DAY else None


def open_soundexchange(
    preset: Preset,
    readable: Path,
    options: Options,
    source: Path,
    on_read: OnRead,
    is_whole: bool,
) -> Opened:
    """A report of use. Raises AggregationError `missing_column` where it does not say of which days
    it is, and `count_mismatch` where it has not as many rows as it says, and `is_whole`.
    """
    header = header_of(preset, readable, options, source)
    fields = found_fields(preset, header.columns, options, source)
    days = None
    if "date" not in fields:
        days = period_of(preset, header, source)
    place = Place(header.stop, header.line + 1, header.has_cr_ends)
    day = days[0] if days else None
    layout = layout_of(preset, options, header.delimiter, len(header.columns), fields, place, day)
    if header.period is not None:
        if layout.is_quoted and header.before[-INDICATOR].strip() not in ("", '"'):
            text = shown(header.before[-INDICATOR])
            raise preset.misfit(f"its texts stand between {text}, and only quotes are read", source)
        if is_whole:
            check_rows(header.before[-ROWS], readable, header, source, on_read)
    are_periods = days is not None and days[0] != days[1]
    layout = replace(layout, header=header.text)
    return Opened(readable, layout, are_periods, header.line)


def header_of(preset: Preset, path: Path, options: Options, source: Path) -> Header:
    """The first line that has the names of the columns; that of the option `header_line`, where it
    is given.
    """
    head, start, has_cr_ends = head_of(path)
    delimiters = (delimiter_byte(options.delimiter),) if options.delimiter else DELIMITERS
    before: list[bytes] = []
    for match in islice(LINE.finditer(head, start), MOST_LINES_BEFORE):
        text = match[0].rstrip(b"\r\n")
        for delimiter in delimiters if options.header_line in (None, len(before) + 1) else ():
            columns = names_in(text, delimiter)
            if preset.fingerprint <= {column_key(name) for name in columns}:
                cells = [cell_of(line, delimiter) for line in before]
                line = len(before) + 1
                return Header(columns, delimiter, text, line, match.end(), cells, has_cr_ends)
        before.append(text)
    raise preset.misfit("it has no header with a sound recording's title and artist", source)


def names_in(line: bytes, delimiter: bytes) -> list[str]:
    """The fields of a header."""
    # To the csv module a CR outside of quotes is an error.
    text = line.decode("utf-8", "replace").replace("\r", " ")
    return next(csv.reader([text], delimiter=delimiter.decode()), [])


def cell_of(line: bytes, delimiter: bytes) -> str:
    """A line in front of the header. A spreadsheet program makes it as many cells as the rows have,
    of which the first is filled.
    """
    cells = names_in(line, delimiter)
    return line.decode("utf-8", "replace") if any(cells[1:]) else "".join(cells)


def period_of(preset: Preset, header: Header, source: Path) -> tuple[date, date]:
    """The first and the last day: as the report's header says, else the file's name."""
    if header.period is not None:
        return header.period
    named = PERIOD_IN_NAME.search(source.name)
    days = period(named[1], named[2]) if named else None
    if days is None:
        raise preset.misfit(
            "neither lines before its header nor its name (SERVICE20260101-20260131.txt) say of "
            "which days it is; if it has a date, name it in date_column",
            source,
        )
    return days


def period(first: str, last: str) -> tuple[date, date] | None:
    """Two days, of which the second is not before the first."""
    matches = DAY.fullmatch(first.strip()), DAY.fullmatch(last.strip())
    try:
        days = [date(*map(int, match.groups())) for match in matches if match is not None]
    except ValueError:
        return None
    return (days[0], days[1]) if len(days) == 2 and days[0] <= days[1] else None


def check_rows(said: str, path: Path, header: Header, source: Path, on_read: OnRead) -> None:
    """Raises AggregationError `count_mismatch` where other than `said` rows are behind the header.

    A quoted field may hold line ends, and a quote may stand in a text that is not quoted: so many
    rows as there are lines will do, and as many as there are line ends outside of quotes.
    """
    lines, unquoted, total, is_inside = Rows(), Rows(), header.stop, False
    with path.open("rb") as file:
        file.seek(header.stop)
        while chunk := with_line_feeds(file.read(CHUNK_BYTES), header.has_cr_ends):
            lines.add(chunk)
            pieces = chunk.split(b'"')
            unquoted.add(b'"' * is_inside + b'""'.join(pieces[is_inside::2]))
            is_inside ^= len(pieces) % 2 == 0
            total += len(chunk)
            on_read(total)
    if said.strip() != str(lines.found):
        compare("rows", said, unquoted.found, source)


class Rows:
    """Counts lines that are not empty."""

    def __init__(self) -> None:
        self._count = 0
        self._before = b"\n"

    def add(self, chunk: bytes) -> None:
        self._count += chunk.count(b"\n") - empty_lines(self._before, chunk)
        self._before = (self._before + chunk[-3:])[-3:]

    @property
    def found(self) -> int:
        return self._count + (self._before[-1:] != b"\n")


def empty_lines(before: bytes, chunk: bytes) -> int:
    """How many lines without a byte end in `chunk`; `before` stands in front of it."""
    if b"\n\n" not in chunk and b"\n\r" not in chunk and chunk[:1] not in b"\r\n":
        return 0
    return len(EMPTY_LINE.findall(before + chunk)) - len(EMPTY_LINE.findall(before))
