"""DDEX sales reports: the day is that of the whole file, and its last record says how many there
are.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from os import SEEK_END
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bmat.aggregation.errors import AggregationError
from bmat.aggregation.options import Options, delimiter_byte
from bmat.aggregation.progress import OnRead
from bmat.aggregation.source.opened import (
    Opened,
    Place,
    compare,
    found_fields,
    head_of,
    layout_of,
    refuse,
    with_line_feeds,
)
from bmat.aggregation.source.preset import Preset

CHUNK_BYTES = 2**20
# A footer is short, and at most comments and empty lines are behind it.
TAIL_BYTES = 2**16
# Cells, from 0, of the headers HEAD and SRHE, of the footer FOOT, and of SRFO, which has fewer.
FILES, FIRST_DAY, LAST_DAY = 7, 8, 9
FOOT_LINES, FOOT_SUMMARIES, FOOT_BLOCKS = 1, 3, 4
SRFO_LINES, SRFO_SUMMARIES = 1, 2

HEAD = re.compile(rb"^(?:HEAD|SRHE)\t[^\r\n]*", re.MULTILINE)
FOOT = re.compile(rb"^(?:FOOT|SRFO)(?:\t[^\r\n]*)?\r*$", re.MULTILINE)
PERIOD = re.compile(r"([0-9]{4})(?:-?([0-9]{2})(?:-?([0-9]{2}))?)?")

# Bytes behind a line's end that tell what record follows.
LOOKED_AT = 4
LF, CR, HASH, S, Y, R, ZERO, TWO = b"\n\r#SYR02"


@dataclass
class Counts:
    """How many lines of each kind a file has. `others` are records of other kinds than these, the
    header and the footer.
    """

    lines: int = 0
    summaries: int = 0
    sales: int = 0
    comments: int = 0
    empty: int = 0

    @property
    def others(self) -> int:
        return self.lines - self.summaries - self.sales - self.comments - self.empty - 2

    def add(self, window: npt.NDArray[np.uint8]) -> None:
        """Counts the lines that begin behind a line end in `window`, but for its last LOOKED_AT
        bytes.
        """
        ends = np.flatnonzero(window[:-LOOKED_AT] == LF)
        first, second = window[ends + 1], window[ends + 2]
        self.lines += len(ends)
        self.summaries += int(np.count_nonzero((first == S) & (second == Y)))
        may_be_sales = ends[(first == S) & (second == R)]
        is_02 = (window[may_be_sales + 3] == ZERO) & (window[may_be_sales + 4] == TWO)
        self.sales += int(np.count_nonzero(is_02))
        self.comments += int(np.count_nonzero(first == HASH))
        # A line end may have two CRs.
        is_cr, is_lf_behind = first == CR, window[ends + 3] == LF
        is_end = (first == LF) | is_cr & ((second == LF) | (second == CR) & is_lf_behind)
        self.empty += int(np.count_nonzero(is_end))


def open_dsr(
    preset: Preset,
    readable: Path,
    options: Options,
    source: Path,
    on_read: OnRead,
    is_whole: bool,
) -> Opened:
    """A sales report whose records are SR02. Raises AggregationError `missing_column` where it has
    none, or no period, and `count_mismatch` where its footer is missing, or tells other numbers.
    Of the beginning of a report the records are not asked for.
    """
    refuse(preset, options, "header_line")
    head, start, has_cr_ends = head_of(readable)
    place = Place(start, 1, has_cr_ends)
    found = HEAD.search(head[start:])
    if found is None:
        raise preset.misfit("it has no HEAD record", source)
    header = cells_of(found[0])
    fields = found_fields(preset, preset.fields, options, source)
    first, last = period_of(header, preset, source)
    if is_whole:
        counts = counts_of(readable, place, on_read)
        if not counts.sales:
            others = "its records are of other kinds, which are not read"
            raise preset.misfit(f"it has no SR02 record: {others}", source)
        check(header, footer_of(readable, has_cr_ends), counts, source)
    delimiter = delimiter_byte(options.delimiter or preset.delimiter or "\t")
    is_dated = "date" in fields
    day = None if is_dated else first
    layout = layout_of(preset, options, delimiter, len(preset.fields), fields, place, day)
    return Opened(readable, layout, are_periods=not is_dated and first != last)


def cells_of(record: bytes) -> list[str]:
    """The cells of a header or footer; those that it leaves out are empty."""
    cells = record.decode("utf-8", "replace").strip("\r").split("\t")
    return [*cells, *[""] * (LAST_DAY + 1 - len(cells))]


def period_of(header: list[str], preset: Preset, source: Path) -> tuple[date, date]:
    """The first and the last day that the header names."""
    first, last = days_of(header[FIRST_DAY]), days_of(header[LAST_DAY])
    if first is None or last is None or last[1] < first[0]:
        days = f"{header[FIRST_DAY]!r} to {header[LAST_DAY]!r}"
        raise preset.misfit(f"its HEAD record names no period of days, but {days}", source)
    return first[0], last[1]


def days_of(text: str) -> tuple[date, date] | None:
    """The first and the last day of what is written as `YYYY[-MM[-DD]]`."""
    match = PERIOD.fullmatch(text.strip(" "))
    if match is None:
        return None
    year, month, day = (int(part) if part else 0 for part in match.groups())
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        return first, first
    last_month = month or 12
    return first, date(year, last_month, monthrange(year, last_month)[1])


def footer_of(path: Path, has_cr_ends: bool) -> tuple[list[str] | None, int]:
    """The cells of the last record that is a footer, and how many empty lines are behind it, where
    nothing else is.
    """
    with path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(max(size - TAIL_BYTES, 0))
        tail = with_line_feeds(file.read(), has_cr_ends)
    found = list(FOOT.finditer(tail))
    if not found:
        return None, 0
    behind = tail[found[-1].end() :]
    return cells_of(found[-1][0]), 0 if behind.strip() else max(behind.count(b"\n") - 1, 0)


def counts_of(path: Path, place: Place, on_read: OnRead) -> Counts:
    """What lines there are from `place` on, in one pass over all bytes. `on_read` is told how
    many have been passed, and may raise.
    """
    counts = Counts()
    # A line end waits for the bytes behind it: those of the next chunk. One is before the first.
    window = np.zeros(LOOKED_AT + CHUNK_BYTES, dtype=np.uint8)
    window[LOOKED_AT - 1] = LF
    with path.open("rb", buffering=0) as file:
        file.seek(place.start)
        while size := file.readinto(window[LOOKED_AT:].data):
            if place.has_cr_ends:
                window[window == CR] = LF
            counts.add(window[: LOOKED_AT + size])
            window[:LOOKED_AT] = window[size : LOOKED_AT + size].copy()
            on_read(file.tell())
    has_last_end = window[LOOKED_AT - 1] == LF
    counts.add(np.append(window[:LOOKED_AT], np.zeros(LOOKED_AT, dtype=np.uint8)))
    counts.lines -= bool(has_last_end)
    return counts


def check(
    header: list[str], found: tuple[list[str] | None, int], counts: Counts, source: Path
) -> None:
    """Compares what the footer that was `found` says. Raises AggregationError `count_mismatch`."""
    footer, behind = found
    if footer is None:
        message = "The report has no FOOT record at its end: it is incomplete. Get it again."
        raise AggregationError("count_mismatch", message, source)
    said = footer[SRFO_LINES if footer[0] == "SRFO" else FOOT_LINES]
    # Empty lines at the very end are in the number, or are not.
    lines = counts.lines if said == str(counts.lines) else counts.lines - behind
    compare("lines", said, lines, source)
    # Of several files the footer counts the summaries of all.
    if header[FILES] in ("", "1"):
        cell = SRFO_SUMMARIES if footer[0] == "SRFO" else FOOT_SUMMARIES
        compare("summary records", footer[cell], counts.summaries, source)
    # Where all blocks are of one record, they may be counted, too.
    if footer[0] == "FOOT" and footer[FOOT_BLOCKS] and not counts.others:
        compare("blocks", footer[FOOT_BLOCKS], counts.sales, source)
