"""A record, its fields, and what they mean."""

from datetime import date
from typing import NamedTuple

QUOTE, LINE_FEED, CARRIAGE_RETURN = b'"\n\r'
LARGEST_PLAYS = 2**63 - 1


class Bounds(NamedTuple):
    """The most bytes of a record, of the content of a quoted field, and of a song."""

    record: int = 1_048_576
    quoted_field: int = 65_536
    song: int = 4096


class Record(NamedTuple):
    """The record, or empty line, from byte `start` to byte `stop`; the next one starts at
    `following`. Without a closing quote it has no `fields`.
    """

    fields: list[bytes] | None
    start: int
    stop: int
    following: int


def read_record(data: bytes, start: int, delimiter: bytes, bounds: Bounds) -> Record:
    """The record that starts at byte `start`."""
    fields, position = [], start
    while True:
        value = b""
        if data[position : position + 1] == b'"':
            content = read_quoted(data, position + 1, bounds)
            if content is None:
                return unterminated(data, start, position)
            value, position = content
        begin = position
        while not ends_field(data, position, delimiter):
            position += 1
        fields.append(value + data[begin:position])
        if data[position : position + 1] != delimiter:
            following = position + len(line_end(data, position))
            return Record(fields, start, position, following)
        position += 1


def ends_field(data: bytes, position: int, delimiter: bytes) -> bool:
    if position == len(data):
        return True
    byte = data[position]
    if byte == CARRIAGE_RETURN:
        return line_end(data, position) != b""
    return byte == LINE_FEED or byte == delimiter[0]


def line_end(data: bytes, position: int) -> bytes:
    """The line end at `position`; nothing at the end of the file, or where the line goes on."""
    if data[position : position + 2] == b"\r\n":
        return b"\r\n"
    if data[position : position + 2] == b"\r" or data[position : position + 1] == b"\n":
        return data[position : position + 1]
    return b""


def read_quoted(data: bytes, start: int, bounds: Bounds) -> tuple[bytes, int] | None:
    """The content of a quoted field, and where the field goes on behind the closing quote."""
    value, position = bytearray(), start
    while position < len(data) and position - start <= bounds.quoted_field:
        if data[position] != QUOTE:
            value.append(data[position])
            position += 1
        elif data[position + 1 : position + 2] == b'"':
            value.append(QUOTE)
            position += 2
        else:
            return bytes(value), position + 1
    return None


def unterminated(data: bytes, start: int, quote: int) -> Record:
    """A record whose quoted field, opened at byte `quote`, is not closed."""
    stop = data.find(b"\n", quote)
    stop = stop if stop >= 0 else len(data)
    following = min(stop + 1, len(data))
    if data[start:stop].endswith(b"\r"):
        stop -= 1
    return Record(None, start, stop, following)


def song_reason(song: bytes, bounds: Bounds) -> str | None:
    """Why the song is none; None where it is one."""
    if not song:
        return "empty_song"
    if len(song) > bounds.song:
        return "too_long"
    if 0 in song:
        return "invalid_character"
    return None if is_utf8(song) else "invalid_encoding"


def is_utf8(text: bytes) -> bool:
    return text == text.decode("utf-8", "ignore").encode()


def date_reason(written: bytes) -> str | None:
    """Why the date is none; None where it is one."""
    text = written.decode("latin-1")
    shape = "".join("9" if character in "0123456789" else character for character in text[:10])
    if shape != "9999-99-99":
        return "invalid_date"
    try:
        date(int(text[:4]), int(text[5:7]), int(text[8:10]))
    except ValueError:
        return "invalid_date"
    return None if not text[10:] or is_time(text[10:]) else "invalid_date"


def is_time(text: str) -> bool:
    if text[0] not in "Tt ":
        return False
    rest = text[1:]
    for sign in "+-":
        rest, found, offset = rest.partition(sign)
        if found:
            return is_clock(rest) and is_offset(offset)
    return is_clock(rest[:-1] if rest[-1:] in ("Z", "z") else rest)


def is_clock(text: str) -> bool:
    whole, separator, fraction = text.replace(",", ".").partition(".")
    parts = whole.split(":")
    if separator and (len(parts) != 3 or not is_digits(fraction)):
        return False
    limits = (23, 59, 60)
    return len(parts) <= 3 and all(map(is_number_up_to, parts, limits))


def is_offset(text: str) -> bool:
    hours, minutes = text[:2], text[2:].removeprefix(":")
    if len(text) == 2:
        return is_number_up_to(hours, 23)
    return is_number_up_to(hours, 23) and is_number_up_to(minutes, 59)


def is_number_up_to(text: str, largest: int) -> bool:
    return len(text) == 2 and is_digits(text) and int(text) <= largest


def is_digits(text: str) -> bool:
    return bool(text) and all(character in "0123456789" for character in text)


def plays_reason(written: bytes) -> str | None:
    """Why the number of plays is none; None where it is one."""
    text = written.decode("latin-1").strip(" ")
    number = text.removeprefix("-")
    whole, point, zeros = number.partition(".")
    if not is_digits(whole) or (point and (not zeros or zeros.strip("0"))):
        return "invalid_plays"
    if text != number:
        return "negative_plays"
    return "invalid_plays" if plays_of(whole) > LARGEST_PLAYS else None


def plays_of(written: str) -> int:
    """The number of a valid count. Python refuses to convert thousands of digits."""
    digits = written.strip(" ").partition(".")[0].lstrip("0") or "0"
    return int(digits) if len(digits) < 100 else 10**99
