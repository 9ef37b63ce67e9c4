"""A record and its fields, by the rules of docs/data-contract.md."""

from typing import NamedTuple

QUOTE, LINE_FEED, CARRIAGE_RETURN, SPACE = b'"\n\r '
MARK = b"\xef\xbb\xbf"


class Bounds(NamedTuple):
    """The most bytes of a record, of the content of a quoted field, and of a song."""

    record: int = 1_048_576
    quoted_field: int = 65_536
    song: int = 4096


class Dialect(NamedTuple):
    """How bytes are cut: `read` are the fields that somebody reads (None: all of them)."""

    delimiter: bytes
    bounds: Bounds
    has_quotes: bool = True
    has_old_ends: bool = False
    read: tuple[int, ...] | None = None


class Record(NamedTuple):
    """The record from byte `start` to byte `stop`; the next line starts at `following`. `fault` is
    why it has no `fields`; `strays` are its CRs that end no line.
    """

    fields: list[bytes]
    start: int
    stop: int
    following: int
    fault: str | None = None
    strays: int = 0


def line_end(data: bytes, position: int, has_old_ends: bool) -> bytes:
    """The line end at `position`; nothing where the line goes on, or the file ends."""
    ends = [b"\r\r\n", b"\r\n", b"\n"]
    if has_old_ends:
        ends = [b"\r\n", b"\r", b"\n"]
    elif data[position : position + 3] in (b"\r\r", b"\r"):
        return data[position : position + 3]
    for end in ends:
        if data[position : position + len(end)] == end:
            return end
    return b""


def lines_in(text: bytes, has_old_ends: bool) -> int:
    """How many lines end in a text."""
    if has_old_ends:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text.count(b"\n")


def without_marks(data: bytes, position: int) -> int:
    """The first byte from `position` on that begins no byte order mark."""
    while data[position : position + 3] == MARK:
        position += 3
    return position


def read_record(data: bytes, start: int, dialect: Dialect) -> Record:
    """The record that starts at byte `start`, which is no line end."""
    fields: list[bytes] = []
    position, strays = start, 0
    while True:
        if dialect.has_quotes and data[position : position + 1] == b'"':
            closing = find_closing(data, start, position, len(fields), dialect)
            if closing < 0:
                return rejected(data, start, position, dialect, "unterminated_quote")
            behind = closing + 1
            while data[behind : behind + 1] == b" ":
                behind += 1
            if not ends_field(data, behind, dialect) or behind - closing > 1 + most_spaces(dialect):
                return rejected(data, start, position, dialect, "malformed_quotes")
            fields.append(data[position + 1 : closing].replace(b'""', b'"'))
            position = behind
        else:
            begin = position
            while not ends_field(data, position, dialect):
                strays += data[position] == CARRIAGE_RETURN
                position += 1
            fields.append(data[begin:position])
        if position == len(data) or data[position : position + 1] != dialect.delimiter:
            following = position + len(line_end(data, position, dialect.has_old_ends))
            return Record(fields, start, position, following, None, strays)
        position += 1


def most_spaces(dialect: Dialect) -> int:
    return dialect.bounds.quoted_field


def ends_field(data: bytes, position: int, dialect: Dialect) -> bool:
    if position == len(data) or data[position : position + 1] == dialect.delimiter:
        return True
    return line_end(data, position, dialect.has_old_ends) != b""


def find_closing(data: bytes, start: int, quote: int, field: int, dialect: Dialect) -> int:
    """Where the field is closed that opens at byte `quote` of the record at `start`; -1 for never,
    within its bounds.
    """
    last = quote + 1 + dialect.bounds.quoted_field
    if dialect.read is not None and field not in dialect.read:
        last = max(last, start + dialect.bounds.record)
    position = quote + 1
    while position < len(data) and position <= last:
        if data[position] != QUOTE:
            position += 1
        elif data[position + 1 : position + 2] == b'"':
            position += 2
        else:
            return position
    return -1


def rejected(data: bytes, start: int, quote: int, dialect: Dialect, fault: str) -> Record:
    """A record whose quoted field, opened at byte `quote`, has a fault."""
    stop = quote
    while stop < len(data) and not line_end(data, stop, dialect.has_old_ends):
        stop += 1
    return Record([], start, stop, stop + len(line_end(data, stop, dialect.has_old_ends)), fault)
