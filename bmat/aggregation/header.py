"""The first record of a file: which delimiter, which columns, and where the data begins."""

from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

from bmat.aggregation import fields
from bmat.aggregation.errors import AggregationError, failure, shown
from bmat.aggregation.options import Options, column_key
from bmat.aggregation.records import Extent, record_extent, split_fields

DELIMITERS = (b",", b";", b"\t", b"|")
UTF8_BOM = b"\xef\xbb\xbf"

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
class Layout:
    """How the records of one file are laid out.

    `song`, `date` and `plays` are field indexes among `field_count` fields; the first record
    starts at byte `data_start`, on
    physical line `first_line`; `skipped` are the records with an unterminated quote before
    the header, with their lines.
    """

    delimiter: bytes
    field_count: int
    song: int
    date: int
    plays: int
    data_start: int
    first_line: int
    skipped: tuple[tuple[int, Extent], ...]


@dataclass(frozen=True)
class FirstRecord:
    """The first record under one delimiter, split into its fields (latin-1 text)."""

    delimiter: bytes
    extent: Extent
    line: int
    next_line: int
    fields: list[str]
    skipped: tuple[tuple[int, Extent], ...]


def read_layout(data: mmap | bytes, options: Options, source: Path) -> Layout:
    """The layout of the UTF-8 bytes `data`.

    Raises AggregationError `empty_file`, `not_text`, `missing_column` or `duplicate_column`,
    naming `source`.
    """
    start = len(UTF8_BOM) if data[: len(UTF8_BOM)] == UTF8_BOM else 0
    delimiters = (options.delimiter.encode(),) if options.delimiter else DELIMITERS
    candidates = [first_record(data, start, delimiter, source) for delimiter in delimiters]
    for candidate in candidates:
        layout = headerless_layout(candidate) or header_layout(candidate, options, source)
        if layout is not None:
            return layout
    widest = max(candidates, key=lambda candidate: len(candidate.fields))
    raise unreadable(data, widest, options, source)


def first_record(data: mmap | bytes, start: int, delimiter: bytes, source: Path) -> FirstRecord:
    """The first record at or behind `start` that ends; those with an unterminated quote
    before it are skipped.
    """
    line = 1
    skipped: list[tuple[int, Extent]] = []
    while start < len(data):
        extent = record_extent(data, start, delimiter)
        next_line = line + data[extent.start : extent.next].count(b"\n")
        if extent.stop > extent.start:
            if extent.terminated:
                [found] = split_fields(data, [extent], delimiter)
                return FirstRecord(delimiter, extent, line, next_line, found, tuple(skipped))
            skipped.append((line, extent))
        line, start = next_line, extent.next
    if not skipped:
        raise failure("empty_file", source)
    return FirstRecord(delimiter, Extent(start, start, start, True), line, line, [], tuple(skipped))


def headerless_layout(first: FirstRecord) -> Layout | None:
    """The layout of a file whose first record is data: song, a valid date, a valid count."""
    if len(first.fields) != 3:
        return None
    try:
        fields.day(first.fields[1])
        fields.plays(first.fields[2])
    except fields.Reject:
        return None
    return Layout(first.delimiter, 3, 0, 1, 2, first.extent.start, first.line, first.skipped)


def header_layout(first: FirstRecord, options: Options, source: Path) -> Layout | None:
    """The layout under the header `first`; None where it misses a column."""
    keys = [column_key(utf8(name)) for name in first.fields]
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
    data: mmap | bytes, first: FirstRecord, options: Options, source: Path
) -> AggregationError:
    """Why a file without a readable header cannot be read."""
    for signature, name in SIGNATURES.items():
        if data[: len(signature)] == signature:
            return failure("not_text", source, looks_like=name, advice="")
    if any("\0" in name for name in first.fields):
        advice = " or, if it is UTF-16 without a byte order mark, name its encoding"
        return failure("not_text", source, looks_like="binary data", advice=advice)
    if not is_utf8(first):
        advice = " in UTF-8, or name its encoding"
        return failure("not_text", source, looks_like="bytes that are not UTF-8", advice=advice)
    keys = {column_key(name) for name in first.fields}
    wanted = (options.song_column, options.date_column, options.plays_column)
    missing = [shown(name) for name in wanted if column_key(name) not in keys]
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


def is_utf8(first: FirstRecord) -> bool:
    try:
        for name in first.fields:
            name.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
