"""An input becomes UTF-8, and its first record says which columns it has."""

from collections.abc import Iterator
from typing import NamedTuple

from bmat.aggregation.tests.oracle.records import (
    Bounds,
    Record,
    date_reason,
    is_utf8,
    plays_reason,
    read_record,
)

MARKS = [
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
]
UTF8_MARK = b"\xef\xbb\xbf"
WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
# The first bytes of formats that are no text.
BINARY = [
    *(b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"BZh", b"\xfd7zXZ"),
    *(b"7z\xbc\xaf", b"Rar!", b"PAR1", b"SQLite format 3", b"%PDF", b"\x89PNG", b"\xff\xd8\xff"),
    b"GIF8",
]
NOT_FILE_ENCODINGS = ("utf-7", "idna", "punycode", "unicode_escape", "charmap")


class Failed(Exception):
    """The run fails with the error `code`, which `file` is at fault for, if a single one is. The
    message holds each of the `facts`.
    """

    def __init__(self, code: str, file: int | None = None, facts: tuple[str, ...] = ()) -> None:
        super().__init__(code, file, facts)
        self.code, self.file, self.facts = code, file, facts


class Options(NamedTuple):
    """The options of a run."""

    song_column: str = "Song"
    date_column: str = "Date"
    plays_column: str = "Number of Plays"
    delimiter: str | None = None
    encoding: str | None = None
    strict: bool = False
    bounds: Bounds = Bounds()

    @property
    def columns(self) -> tuple[str, str, str]:
        return self.song_column, self.date_column, self.plays_column


class Preamble(NamedTuple):
    """What comes before the records of an input: `skipped` are the lines and records that are
    rejected, `start` and `line` where the first record to count starts. `columns` are the places
    of song, date and plays among the `width` fields of the header.
    """

    delimiter: bytes
    width: int
    columns: tuple[int, int, int]
    start: int
    line: int
    skipped: list[tuple[int, Record]]


class First(NamedTuple):
    """The first record under one delimiter."""

    delimiter: bytes
    record: Record
    line: int
    skipped: list[tuple[int, Record]]

    @property
    def fields(self) -> list[bytes]:
        return self.record.fields or []

    @property
    def names(self) -> list[str]:
        return [name.decode("utf-8", "replace") for name in self.fields]


def check_options(options: Options) -> None:
    """Raises Failed where an option cannot be followed."""
    names = [name_key(name) for name in options.columns]
    if "" in names or len(set(names)) < 3:
        raise Failed("invalid_option")
    delimiter = options.delimiter
    if delimiter is not None:
        if len(delimiter) != 1 or not "\0" < delimiter < "\x80":
            raise Failed("invalid_option")
        if delimiter.isalnum() or delimiter in " -+.:\"'\r\n":
            raise Failed("invalid_option")
    if options.encoding is not None:
        if options.encoding in NOT_FILE_ENCODINGS:
            raise Failed("unknown_encoding")
        try:
            b"\0\0\0\0".decode(options.encoding, "replace")
        except (LookupError, ValueError):
            raise Failed("unknown_encoding") from None


def name_key(name: str) -> str:
    return "".join(character for character in name.casefold() if character not in " _-")


def utf8_of(data: bytes, encoding: str | None) -> bytes:
    """The input in UTF-8, with 0xFF for what its encoding does not know."""
    for mark, marked in MARKS:
        if data.startswith(mark):
            return decoded(data[len(mark) :], marked)
    if encoding is None or encoding == "utf-8" or data.startswith(UTF8_MARK):
        return data
    return decoded(data, WITHOUT_MARK.get(encoding, encoding))


def decoded(data: bytes, encoding: str) -> bytes:
    text = b""
    while True:
        try:
            return text + data.decode(encoding).encode("utf-8")
        except UnicodeDecodeError as error:
            text += data[: error.start].decode(encoding).encode("utf-8") + b"\xff"
            data = data[error.end :]


def read_preamble(data: bytes, options: Options, file: int) -> Preamble:
    """Reads an input, in UTF-8, up to its first record to count. Raises Failed."""
    begin = len(UTF8_MARK) if data.startswith(UTF8_MARK) else 0
    if len(data) <= options.bounds.record and not any(lines_with_a_byte(data[begin:])):
        raise Failed("empty_file", file)
    delimiters = [options.delimiter] if options.delimiter else [",", ";", "\t", "|"]
    found = [first_record(data, begin, one.encode(), options.bounds) for one in delimiters]
    candidates = [first for first in found if first is not None]
    for first in candidates:
        if is_data(first):
            start = first.record.start
            return Preamble(first.delimiter, 3, (0, 1, 2), start, first.line, first.skipped)
        columns = columns_of(first, options, file)
        if columns is not None:
            record = first.record
            line = first.line + data[record.start : record.following].count(b"\n")
            width = len(first.fields)
            return Preamble(first.delimiter, width, columns, record.following, line, first.skipped)
    if not candidates or data.startswith(tuple(BINARY)):
        raise Failed("not_text", file)
    raise unreadable(data, max(candidates, key=lambda first: len(first.fields)), options, file)


def lines_with_a_byte(data: bytes) -> Iterator[bool]:
    for line in data.split(b"\n"):
        yield line.removesuffix(b"\r") != b""


def first_record(data: bytes, begin: int, delimiter: bytes, bounds: Bounds) -> First | None:
    """The first record that is closed; the end of the file, where none is. None where it ends
    behind the first MiB.
    """
    position, line = begin, 1
    skipped: list[tuple[int, Record]] = []
    while position < len(data):
        record = read_record(data, position, delimiter, bounds)
        if record.stop > bounds.record:
            return None
        if record.stop > position:
            if record.fields is not None:
                return First(delimiter, record, line, skipped)
            skipped.append((line, record))
        line += data[position : record.following].count(b"\n")
        position = record.following
    if position > bounds.record:
        return None
    return First(delimiter, Record([], position, position, position), line, skipped)


def is_data(first: First) -> bool:
    """Whether this is no header, but a record of a file without one."""
    if len(first.fields) != 3:
        return False
    _, written_date, written_plays = first.fields
    return date_reason(written_date) is None and plays_reason(written_plays) is None


def columns_of(first: First, options: Options, file: int) -> tuple[int, int, int] | None:
    """Where the three columns stand in the header; None where one is missing. Raises Failed."""
    keys = [name_key(name) for name in first.names]
    wanted = [name_key(name) for name in options.columns]
    if not set(wanted) <= set(keys):
        return None
    for name, key in zip(options.columns, wanted, strict=True):
        if keys.count(key) > 1:
            raise Failed("duplicate_column", file, (f"column {name!r} ",))
    song, day, plays = (keys.index(key) for key in wanted)
    return song, day, plays


def unreadable(data: bytes, first: First, options: Options, file: int) -> Failed:
    record = data[first.record.start : first.record.stop]
    if 0 in record or not is_utf8(record):
        return Failed("not_text", file)
    keys = [name_key(name) for name in first.names]
    missing = [repr(name) for name in options.columns if name_key(name) not in keys]
    names = [repr(name) for name in first.names[:20] if len(name) <= 200]
    return Failed("missing_column", file, (f"no column {' or '.join(missing)}:", *names))
