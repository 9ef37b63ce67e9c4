"""A second opinion on the data contract: one byte after the other, no blocks, no csv module, no
regular expressions.

Slow and plain on purpose. It shares no code with what it judges.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple


class Most(NamedTuple):
    """The most bytes of a record, of the content of a quoted field, and of a song."""

    record: int = 1_048_576
    quoted_field: int = 65_536
    song: int = 4096


MOST = Most()


@dataclass
class Verdict:
    """Totals by (song, day), and the rejects as (line, reason, record)."""

    totals: Counter[tuple[bytes, bytes]] = field(default_factory=Counter)
    groups: set[tuple[bytes, bytes]] = field(default_factory=set)
    rejects: list[tuple[int, str, bytes]] = field(default_factory=list)
    rows_counted: int = 0


def judge(data: bytes, delimiter: bytes = b",", most: Most = MOST) -> Verdict:
    """What becomes of `data`, which follows the header `Song,Date,Number of Plays` on line 1."""
    verdict = Verdict()
    position, line = 0, 2
    while position < len(data):
        fields, stop, following = read_record(data, position, delimiter, most)
        record = data[position:stop]
        if record:
            reason = add(verdict, fields, len(record), most)
            if reason:
                verdict.rejects.append((line, reason, record))
        line += data[position:following].count(b"\n")
        position = following
    return verdict


def read_record(
    data: bytes, start: int, delimiter: bytes, most: Most
) -> tuple[list[bytes] | None, int, int]:
    """The fields (None for an unterminated quote), where the record stops, and where the next
    one starts.
    """
    fields, value, position = [], bytearray(), start
    at_field_start = True
    while True:
        byte = data[position : position + 1]
        if at_field_start and byte == b'"':
            content = quoted(data, position + 1, most)
            if content is None:
                line_feed = data.find(b"\n", position)
                stop = line_feed if line_feed >= 0 else len(data)
                return None, without_carriage_return(data, start, stop), min(stop + 1, len(data))
            text, position = content
            value += text
            at_field_start = False
            continue
        at_field_start = False
        last_carriage_return = byte == b"\r" and data[position + 1 : position + 2] in (b"", b"\n")
        if byte in (b"", b"\n") or last_carriage_return:
            fields.append(bytes(value))
            stop = position
            return fields, stop, min(stop + last_carriage_return + 1, len(data))
        if byte == delimiter:
            fields.append(bytes(value))
            value.clear()
            at_field_start = True
        else:
            value += byte
        position += 1


def without_carriage_return(data: bytes, start: int, stop: int) -> int:
    return stop - 1 if stop > start and data[stop - 1 : stop] == b"\r" else stop


def quoted(data: bytes, start: int, most: Most) -> tuple[bytes, int] | None:
    """The content of a quoted field and where it goes on behind the closing quote."""
    value, position = bytearray(), start
    while position < len(data) and position - start <= most.quoted_field:
        if data[position] != ord('"'):
            value.append(data[position])
            position += 1
        elif data[position + 1 : position + 2] == b'"':
            value.append(ord('"'))
            position += 2
        else:
            return bytes(value), position + 1
    return None


def add(verdict: Verdict, fields: list[bytes] | None, size: int, most: Most) -> str | None:
    """Counts a record, or says why it cannot be counted."""
    if fields is None:
        return "unterminated_quote"
    if size > most.record:
        return "too_long"
    if len(fields) != 3:
        return "extra_field" if len(fields) > 3 else "missing_field"
    song, written_date, written_plays = fields
    reason = (
        song_reason(song, most.song) or date_reason(written_date) or plays_reason(written_plays)
    )
    if reason is None:
        key = song, written_date[:10]
        verdict.groups.add(key)
        verdict.totals[key] += int(written_plays.strip(b" ").split(b".")[0])
        verdict.rows_counted += 1
    return reason


def song_reason(song: bytes, most_bytes: int) -> str | None:
    if not song:
        return "empty_song"
    if len(song) > most_bytes:
        return "too_long"
    if 0 in song:
        return "invalid_character"
    return None if song == song.decode("utf-8", "ignore").encode() else "invalid_encoding"


def date_reason(written: bytes) -> str | None:
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
        if found and not is_offset(offset):
            return False
        if found:
            return is_clock(rest)
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
    text = written.decode("latin-1").strip(" ")
    number = text.removeprefix("-")
    whole, point, zeros = number.partition(".")
    if not is_digits(whole) or (point and (not zeros or zeros.strip("0"))):
        return "invalid_plays"
    if text != number:
        return "negative_plays"
    return "invalid_plays" if int(whole) > 2**63 - 1 else None
