"""DDEX sales reports: the day is that of the whole file, and its last record says how many there
are.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from os import SEEK_END
from pathlib import Path

from bmat.aggregation.errors import AggregationError
from bmat.aggregation.options import Options, delimiter_byte
from bmat.aggregation.source.opened import (
    UTF8_BOM,
    OnRead,
    Opened,
    Place,
    compare,
    empty_lines,
    found_fields,
    head_of,
    layout_of,
    refuse,
)
from bmat.aggregation.source.presets.preset import Preset

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


def open_dsr(
    preset: Preset,
    readable: Path,
    options: Options,
    source: Path,
    on_read: OnRead,
    *,
    is_whole: bool,
) -> Opened:
    """A sales report whose records are SR02. Raises AggregationError `missing_column` where it has
    none, or no period, and `count_mismatch` where its footer is missing, or tells other numbers.
    """
    refuse(preset, options, "header_line")
    head = head_of(readable)
    start = len(UTF8_BOM) if head.startswith(UTF8_BOM) else 0
    found = HEAD.search(head[start:])
    if found is None:
        raise preset.misfit("it has no HEAD record", source)
    header = cells_of(found[0])
    fields = found_fields(preset, preset.fields, options, source)
    first, last = period_of(header, preset, source)
    footer, behind = footer_of(readable)
    counts = counts_of(readable, has_blocks(footer), on_read)
    # Empty lines at the very end are in the number, or are not.
    if footer is not None and footer[lines_cell(footer)] != str(counts.lines):
        counts.lines -= behind
    if not counts.sales:
        others = "its records are of other kinds, which are not read"
        raise preset.misfit(f"it has no SR02 record: {others}", source)
    if is_whole:
        check(header, footer, counts, source)
    delimiter = delimiter_byte(options.delimiter or preset.delimiter or "\t")
    is_dated = "date" in fields
    place, day = Place(start, 1), None if is_dated else first
    layout = layout_of(preset, options, delimiter, preset.fields, fields, place, day)
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


def footer_of(path: Path) -> tuple[list[str] | None, int]:
    """The cells of the last record that is a footer, and how many empty lines are behind it, where
    nothing else is.
    """
    with path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(max(size - TAIL_BYTES, 0))
        tail = file.read()
    found = list(FOOT.finditer(tail))
    if not found:
        return None, 0
    behind = tail[found[-1].end() :]
    return cells_of(found[-1][0]), 0 if behind.strip() else max(behind.count(b"\n") - 1, 0)


def lines_cell(footer: list[str]) -> int:
    """The cell of a footer that says how many lines the file has."""
    return SRFO_LINES if footer[0] == "SRFO" else FOOT_LINES


def has_blocks(footer: list[str] | None) -> bool:
    """Whether a footer says how many blocks there are. That of reports whose blocks are all of one
    record, SRFO, does not.
    """
    return footer is not None and footer[0] == "FOOT" and footer[FOOT_BLOCKS] != ""


def counts_of(path: Path, with_blocks: bool, on_read: OnRead) -> Counts:
    """What lines there are, in one pass that looks at no single one; comments and empty lines only
    where blocks are counted. `on_read` is told how many bytes have been passed, and may raise.
    """
    counts, before, total = Counts(), b"\n", 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            total += len(chunk)
            if total == len(chunk):
                chunk = chunk.removeprefix(UTF8_BOM)
            counts.lines += chunk.count(b"\n")
            counts.summaries += lines_with(b"SY", before, chunk)
            counts.sales += lines_with(b"SR02", before, chunk)
            if with_blocks:
                counts.comments += lines_with(b"#", before, chunk)
                counts.empty += empty_lines(before, chunk)
            before = (before + chunk[-4:])[-4:]
            on_read(total)
    # The last line may have no end.
    counts.lines += before[-1:] != b"\n"
    return counts


def lines_with(prefix: bytes, before: bytes, chunk: bytes) -> int:
    """How many lines start with `prefix` in `chunk`, or in `before`, behind which it stands, with
    an end in `chunk`.
    """
    line, length = b"\n" + prefix, len(prefix)
    return (before[-length:] + chunk[:length]).count(line) + chunk.count(line)


def check(header: list[str], footer: list[str] | None, counts: Counts, source: Path) -> None:
    """Compares what the footer says. Raises AggregationError `count_mismatch`."""
    if footer is None:
        message = "The report has no FOOT record at its end: it is incomplete. Get it again."
        raise AggregationError("count_mismatch", message, source)
    compare("lines", footer[lines_cell(footer)], counts.lines, source)
    # Of several files the footer counts the summaries of all.
    if header[FILES] in ("", "1"):
        cell = SRFO_SUMMARIES if footer[0] == "SRFO" else FOOT_SUMMARIES
        compare("summary records", footer[cell], counts.summaries, source)
    if has_blocks(footer) and not counts.others:
        compare("blocks", footer[FOOT_BLOCKS], counts.sales, source)
