"""An input becomes UTF-8, and its first record says which columns it has."""

import unicodedata
from typing import NamedTuple

from bmat.aggregation.tests.oracle.looks import looks_like
from bmat.aggregation.tests.oracle.records import (
    Bounds,
    Dialect,
    Record,
    line_end,
    lines_in,
    read_record,
    without_marks,
)
from bmat.aggregation.tests.oracle.values import day_of, is_utf8, plays_of

MARKS = [
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
]
UTF8_MARK = b"\xef\xbb\xbf"
WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
NOT_FILE_ENCODINGS = ("utf-7", "idna", "punycode", "unicode_escape", "charmap")


class Failed(Exception):
    """The run fails with the error `code`, which `file` is at fault for, if a single one is. The
    message holds each of the `facts`. Where a run leaves its `rejects`, these are their file.
    """

    def __init__(
        self,
        code: str,
        file: int | None = None,
        facts: tuple[str, ...] = (),
        rejects: bytes | None = None,
    ) -> None:
        super().__init__(code, file, facts)
        self.code, self.file, self.facts, self.rejects = code, file, facts, rejects


class Options(NamedTuple):
    """The options of a run."""

    song_column: str = "Song"
    artist_column: str = "Artist"
    isrc_column: str = "ISRC"
    territory_column: str = "Territory"
    service_column: str = "Service"
    date_column: str = "Date"
    plays_column: str = "Number of Plays"
    group_by: str = "song"
    delimiter: str | None = None
    encoding: str | None = None
    date_format: str = "iso"
    thousands: str | None = None
    quoting: str = "csv"
    header_line: int | None = None
    plays: str = "column"
    strict: bool = False
    bounds: Bounds = Bounds()

    @property
    def key(self) -> list[str]:
        """The roles that make the key."""
        return [role.strip() for role in self.group_by.split(",")]

    @property
    def wanted(self) -> dict[str, str]:
        """The columns that are read, by their roles."""
        roles = [*self.key, "date", *(["plays"] if self.plays == "column" else [])]
        return {role: getattr(self, f"{role}_column") for role in roles}

    @property
    def delimiters(self) -> list[bytes]:
        """Those that may separate fields, the likeliest first; none where nobody names one."""
        if self.delimiter is None:
            return []
        return [b"\t" if self.delimiter in ("tab", "\\t") else self.delimiter.encode()]


class Preamble(NamedTuple):
    """What comes before the records of an input: `skipped` are the lines and records that are
    rejected, `start` and `line` where the first record to count starts; `header` is the text of the
    header. `columns` are the places of the roles among the `width` fields of the header.
    """

    dialect: Dialect
    width: int
    columns: dict[str, int]
    start: int
    line: int
    skipped: list[tuple[int, Record]]
    header: bytes
    header_line: int


class First(NamedTuple):
    """The first record under one delimiter."""

    dialect: Dialect
    record: Record
    line: int
    skipped: list[tuple[int, Record]]

    @property
    def fields(self) -> list[bytes]:
        return self.record.fields

    @property
    def names(self) -> list[str]:
        return [name.decode("utf-8", "replace") for name in self.fields]


ROLES = ("song", "artist", "isrc", "territory", "service")


# Options of which each value is one of these.
CHOICES = {
    "date_format": ("iso", "dmy", "mdy", "ymd", "epoch", "epoch_ms"),
    "thousands": (None, ",", ".", "'", "space"),
    "quoting": ("csv", "none"),
    "plays": ("column", "one"),
}


def check_options(options: Options) -> None:
    """Raises Failed where an option cannot be followed."""
    for name, values in CHOICES.items():
        if getattr(options, name) not in values:
            raise Failed("invalid_option", None, (name,))
    if options.header_line is not None and options.header_line < 1:
        raise Failed("invalid_option", None, ("header_line",))
    if not set(options.key) <= set(ROLES) or len(set(options.key)) < len(options.key):
        raise Failed("invalid_option")
    names = [name_key(name) for name in options.wanted.values()]
    given = [getattr(options, f"{role}_column") for role in (*ROLES, "date", "plays")]
    if "" in map(name_key, given) or len(set(names)) < len(names):
        raise Failed("invalid_option")
    if options.delimiter is not None and options.delimiter not in ("tab", "\\t"):
        check_delimiter(options.delimiter)
    if options.encoding is not None:
        if options.encoding in NOT_FILE_ENCODINGS:
            raise Failed("unknown_encoding")
        try:
            b"\0\0\0\0".decode(options.encoding, "replace")
        except (LookupError, ValueError):
            raise Failed("unknown_encoding") from None


def check_delimiter(delimiter: str) -> None:
    if len(delimiter) != 1 or not "\0" < delimiter < "\x80":
        raise Failed("invalid_option")
    if delimiter.isalnum() or delimiter in " -+.:\"'\r\n":
        raise Failed("invalid_option")


def name_key(name: str) -> str:
    """A column's name as it is compared."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(one for one in folded if not is_ignored(one))


def is_ignored(character: str) -> bool:
    if character == "\0":
        return False
    if character in "_-" or character.isspace():
        return True
    return unicodedata.category(character) in ("Cc", "Cf")


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
    has_old_ends = b"\r" in data[:65_536] and b"\n" not in data[:65_536]
    sep, start = sep_line(data, has_old_ends)
    delimiters = options.delimiters or sep or [b",", b";", b"\t", b"|"]
    dialects = [
        Dialect(delimiter, options.bounds, options.quoting == "csv", has_old_ends)
        for delimiter in delimiters
    ]
    if len(data) <= options.bounds.record and is_blank(data, has_old_ends):
        raise Failed("empty_file", file)
    found = [first_record(data, start, dialect, options) for dialect in dialects]
    # Those last before which records were rejected.
    candidates = sorted(
        (first for first in found if first is not None), key=lambda first: bool(first.skipped)
    )
    for first in candidates:
        columns = columns_without_header(first, options)
        if columns is not None:
            width = len(trimmed(first.fields))
            at = first.record.start
            read = first.dialect._replace(read=tuple(columns.values()))
            return Preamble(read, width, columns, at, first.line, first.skipped, b"", 0)
        columns = columns_of(first, options, file)
        if columns is not None:
            record = first.record
            text = data[record.start : record.following]
            read = first.dialect._replace(read=tuple(columns.values()))
            return Preamble(
                read,
                len(first.fields),
                columns,
                record.following,
                first.line + lines_in(text, has_old_ends),
                first.skipped,
                data[record.start : record.stop],
                first.line,
            )
    looks = looks_like(data)
    if looks is not None:
        raise Failed("not_text", file, (looks,))
    if not candidates:
        raise Failed("not_text", file)
    raise unreadable(data, max(candidates, key=lambda first: len(first.fields)), options, file)


def is_blank(data: bytes, has_old_ends: bool) -> bool:
    """Whether there is nothing but byte order marks and line ends."""
    position = 0
    while position < len(data):
        behind = without_marks(data, position)
        behind += len(line_end(data, behind, has_old_ends))
        if behind == position:
            return False
        position = behind
    return True


def sep_line(data: bytes, has_old_ends: bool) -> tuple[list[bytes], tuple[int, int]]:
    """The delimiter that Excel's first line names; where the next line starts, and its number."""
    start = without_marks(data, 0)
    stop = start
    while stop < len(data) and not line_end(data, stop, has_old_ends):
        stop += 1
    text = data[start:stop]
    if text[:1] == text[-1:] == b'"' and len(text) == 7:
        text = text[1:-1]
    if len(text) == 5 and text[:4].lower() == b"sep=" and text[4] < 128:
        try:
            check_delimiter(text[4:].decode())
        except Failed:
            return [], (0, 1)
        return [text[4:]], (stop + len(line_end(data, stop, has_old_ends)), 2)
    return [], (0, 1)


def first_record(
    data: bytes, start: tuple[int, int], dialect: Dialect, options: Options
) -> First | None:
    """The first record without a fault, or the one on the line that is named; an empty one where
    there is none. None where it ends behind the first MiB.
    """
    position, line = start
    if options.header_line is not None:
        return named_record(data, dialect, options.header_line)
    nothing = First(dialect, Record([], len(data), len(data), len(data)), line, [])
    skipped: list[tuple[int, Record]] = []
    while True:
        position = without_marks(data, position)
        if position == len(data):
            return None if len(data) > dialect.bounds.record else nothing._replace(skipped=skipped)
        end = line_end(data, position, dialect.has_old_ends)
        if end:
            position, line = position + len(end), line + 1
            continue
        record = read_record(data, position, dialect)
        if record.stop > dialect.bounds.record:
            return None
        if record.fault is None:
            return First(dialect, record, line, skipped)
        skipped.append((line, record))
        line += lines_in(data[position : record.following], dialect.has_old_ends)
        position = record.following


def named_record(data: bytes, dialect: Dialect, number: int) -> First | None:
    """The record that starts on line `number`; an empty one where none does."""
    position, line = 0, 1
    while line < number and position < len(data):
        end = line_end(data, position, dialect.has_old_ends)
        position, line = (position + len(end), line + 1) if end else (position + 1, line)
    nothing = First(dialect, Record([], len(data), len(data), len(data)), line, [])
    is_long = len(data) > dialect.bounds.record
    if position == len(data) or position > dialect.bounds.record:
        return None if is_long else nothing
    position = without_marks(data, position)
    if position == len(data) or line_end(data, position, dialect.has_old_ends):
        return nothing
    record = read_record(data, position, dialect)
    if record.stop > dialect.bounds.record:
        return None
    return First(dialect, record, line, []) if record.fault is None else nothing


def trimmed(fields: list[bytes]) -> list[bytes]:
    """The fields up to the last one that holds something."""
    while fields and not fields[-1]:
        fields = fields[:-1]
    return fields


def columns_without_header(first: First, options: Options) -> dict[str, int] | None:
    """The columns where this is no header, but a record of a file without one."""
    fields = trimmed(first.fields)
    if options.key != ["song"] or options.header_line is not None:
        return None
    roles = ["song", "date", "plays"][: 3 if options.plays == "column" else 2]
    if len(fields) != len(roles) or day_of(fields[1], options.date_format) is None:
        return None
    if options.plays == "column" and isinstance(plays_of(fields[2], options.thousands), str):
        return None
    return {role: place for place, role in enumerate(roles)}


def columns_of(first: First, options: Options, file: int) -> dict[str, int] | None:
    """Where the columns stand in the header; None where one is missing. Raises Failed."""
    keys = [name_key(name) for name in first.names]
    wanted = {role: name_key(name) for role, name in options.wanted.items()}
    if not set(wanted.values()) <= set(keys):
        return None
    for key in wanted.values():
        if keys.count(key) > 1:
            raise Failed("duplicate_column", file, (repr(first.names[keys.index(key)]),))
    return {role: keys.index(key) for role, key in wanted.items()}


def unreadable(data: bytes, first: First, options: Options, file: int) -> Failed:
    record = data[first.record.start : first.record.stop]
    if 0 in record or not is_utf8(record):
        return Failed("not_text", file)
    keys = [name_key(name) for name in first.names]
    missing = [repr(name) for name in options.wanted.values() if name_key(name) not in keys]
    names = [repr(name) for name in first.names[:20] if len(name) <= 200]
    return Failed("missing_column", file, (*missing, *names))
