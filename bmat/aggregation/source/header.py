"""The first record of a file: which delimiter, which columns, and where the data begins."""

import codecs
import re
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from bmat.aggregation.errors import AggregationError, failure, shown
from bmat.aggregation.options import Bounds, Options, column_key
from bmat.aggregation.source.layout import Extent, Layout
from bmat.aggregation.source.records import record_extent, split_fields

DELIMITERS = (b",", b";", b"\t", b"|")
UTF8_BOM = b"\xef\xbb\xbf"
EMPTY_LINES = re.compile(rb"(\r?\n)+")
# ISO 8601 in its extended form, the date alone or with a time and an offset; RFC 3339 adds the
# small letters and the leap second.
DATE = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"([Tt ]([01][0-9]|2[0-3])(:[0-5][0-9](:([0-5][0-9]|60)([.,][0-9]+)?)?)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)?)?"
)
PLAYS = re.compile(r" *(?P<digits>[0-9]+)(\.0+)? *")
LARGEST_PLAYS = 2**63 - 1

# How well-known binary files start, and what a person calls them.
SIGNATURES = {
    b"PK\x03\x04": "an Excel workbook (.xlsx) or another ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"\x1f\x8b": "a gzip archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "an SQLite database",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
}


@dataclass(frozen=True)
class FirstRecord:
    """The first record under one delimiter, split into its fields (latin-1 text); `keys` are their
    names as they are compared.
    """

    delimiter: bytes
    extent: Extent
    line: int
    next_line: int
    fields: list[str]
    skipped: tuple[tuple[int, Extent], ...]

    @cached_property
    def keys(self) -> list[str]:
        """Each name is looked at once: there may be a million of them, all alike."""
        key_of = {name: column_key(utf8(name)) for name in set(self.fields)}
        return [key_of[name] for name in self.fields]


def read_layout(head: bytes, options: Options, source: Path) -> Layout:
    """The layout of UTF-8 bytes that begin with `head`: all of them, or as many as `Bounds.held`
    says. The header must end where the longest record that begins with the file would.

    Raises AggregationError `empty_file`, `not_text`, `missing_column` or `duplicate_column`,
    naming `source`.
    """
    start = len(UTF8_BOM) if head.startswith(UTF8_BOM) else 0
    delimiters = (options.delimiter.encode(),) if options.delimiter else DELIMITERS
    found = [first_record(head, start, one, options.bounds, source) for one in delimiters]
    candidates = [candidate for candidate in found if candidate is not None]
    for candidate in candidates:
        layout = headerless_layout(candidate) or header_layout(candidate, options, source)
        if layout is not None:
            return replace(layout, bounds=options.bounds)
    widest = max(candidates, key=lambda candidate: len(candidate.fields), default=None)
    raise unreadable(head, widest, options, source)


def first_record(
    head: bytes, start: int, delimiter: bytes, bounds: Bounds, source: Path
) -> FirstRecord | None:
    """The first record at or behind `start` that ends; those with an unterminated quote
    before it are skipped. None where it ends too far from the file's start.
    """
    line = 1
    skipped: list[tuple[int, Extent]] = []
    while start < len(head):
        # A file may begin with a million of them.
        empty = EMPTY_LINES.match(head, start)
        if empty is not None:
            line, start = line + empty[0].count(b"\n"), empty.end()
            continue
        extent = record_extent(head, start, delimiter, bounds)
        if extent.stop > bounds.record:
            return None
        next_line = line + head[extent.start : extent.next].count(b"\n")
        if extent.stop > extent.start:
            if extent.terminated:
                found = split_fields(head[extent.start : extent.stop], delimiter)
                return FirstRecord(delimiter, extent, line, next_line, found, tuple(skipped))
            skipped.append((line, extent))
        line, start = next_line, extent.next
    if start > bounds.record:
        return None
    if not skipped:
        raise failure("empty_file", source)
    return FirstRecord(delimiter, Extent(start, start, start, True), line, line, [], tuple(skipped))


def headerless_layout(first: FirstRecord) -> Layout | None:
    """The layout of a file whose first record is data: song, a valid date, a valid count."""
    if len(first.fields) != 3 or not is_date(first.fields[1]) or not is_plays(first.fields[2]):
        return None
    return Layout(first.delimiter, 3, 0, 1, 2, first.extent.start, first.line, first.skipped)


def is_date(field: str) -> bool:
    """Whether this is a day, perhaps with a time."""
    match = DATE.fullmatch(field)
    if match is None:
        return False
    try:
        date(int(match["year"]), int(match["month"]), int(match["day"]))
    except ValueError:
        return False
    return True


def is_plays(field: str) -> bool:
    """Whether this is a number of plays, 0 to 2^63-1."""
    match = PLAYS.fullmatch(field)
    if match is None:
        return False
    digits = match["digits"].lstrip("0")
    # Python refuses to convert a text of thousands of digits, so their number is looked at first.
    return len(digits) <= len(str(LARGEST_PLAYS)) and int(digits or "0") <= LARGEST_PLAYS


def header_layout(first: FirstRecord, options: Options, source: Path) -> Layout | None:
    """The layout under the header `first`; None where it misses a column."""
    keys = first.keys
    wanted = (options.song_column, options.date_column, options.plays_column)
    if not all(column_key(name) in keys for name in wanted):
        return None
    for name in wanted:
        if keys.count(column_key(name)) > 1:
            raise failure("duplicate_column", source, wanted=shown(name), found=column_names(first))
    song, date, plays = (keys.index(column_key(name)) for name in wanted)
    return Layout(
        delimiter=first.delimiter,
        field_count=len(keys),
        song=song,
        date=date,
        plays=plays,
        data_start=first.extent.next,
        first_line=first.next_line,
        skipped=first.skipped,
    )


def unreadable(
    head: bytes, first: FirstRecord | None, options: Options, source: Path
) -> AggregationError:
    """Why a file without a readable header cannot be read."""
    for signature, name in SIGNATURES.items():
        if head.startswith(signature):
            return failure("not_text", source, looks_like=name, advice="")
    begin = head[: options.bounds.record]
    text = begin if first is None else head[first.extent.start : first.extent.stop]
    if b"\0" in text:
        advice = " or, if it is UTF-16 without a byte order mark, name its encoding"
        return failure("not_text", source, looks_like="binary data", advice=advice)
    if not is_utf8(text, is_whole=first is not None):
        advice = " in UTF-8, or name its encoding"
        return failure("not_text", source, looks_like="bytes that are not UTF-8", advice=advice)
    if first is None:
        looks_like = "text without a header in its first MiB"
        return failure("not_text", source, looks_like=looks_like, advice=", one record on a line")
    wanted = (options.song_column, options.date_column, options.plays_column)
    missing = [shown(name) for name in wanted if column_key(name) not in first.keys]
    return failure("missing_column", source, wanted=" or ".join(missing), found=column_names(first))


def column_names(first: FirstRecord) -> str:
    """The columns found, for a message."""
    if not first.fields:
        return "no line that could be one"
    shortened = [shown(utf8(name)) for name in first.fields[:20]]
    more = len(first.fields) - len(shortened)
    return ", ".join(shortened) + (f" and {more} more" if more else "")


def utf8(name: str) -> str:
    return name.encode("latin-1").decode("utf-8", "replace")


def is_utf8(text: bytes, is_whole: bool) -> bool:
    """Whether this is UTF-8; of a text that is not whole the last character may be cut off."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True
