"""The clean record, which most records are: read by words of eight bytes, without being split
first.

Its three fields are bare, or in quotes that hold none: the song is UTF-8 without control
characters; the date `YYYY-MM-DD`, perhaps with a time of day; the plays up to eight digits. What is
not clean may well count: the caller looks at it byte by byte.

Where a field opens with a quote, the byte behind it is looked at, too: two quotes are not clean.
For that the compiler makes a jump, which the processor foretells; the first quote alone it would
add to the place, and all that follows would wait for the sum, a tenth of the time.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import SLOT_FIELDS
from bmat.aggregation.kernels.bytes import (
    CR,
    HIGHS,
    LF,
    ONES,
    QUOTE,
    QUOTES,
    copy_bytes,
    find_field_end,
    hash_bytes,
    hash_word,
    inlined,
    is_utf8,
    load8,
    load64,
    low_bytes,
    store8,
    trailing_zeros,
    zero_bytes,
)
from bmat.aggregation.kernels.fields import day_of

LOW_24 = np.uint64(0xFFFFFF)
# That of UTF-8, as the low bytes of a word.
BYTE_ORDER_MARK = np.uint64(0xBFBBEF)
BYTE_ORDER_MARK_BYTES = 3
SPACES = np.uint64(0x2020202020202020)
ZERO_DIGITS = np.uint64(0x3030303030303030)
SEVENTY_SIXES = np.uint64(0x7676767676767676)
# `YYYY-MM-` with zeros for digits; what, added to a digit that differs from 0 in no more than its
# low bits, carries into the high bit where it is above 9, and where it is a dash that is none.
DATE_PATTERN = np.uint64(0x2D30302D30303030)
DATE_CARRIES = np.uint64(0x7F76767F76767676)
DAY_PATTERN = np.uint64(0x3030)
DAY_CARRIES = np.uint64(0x7676)
DAY_HIGHS = np.uint64(0x8080)
# `T00:00:0`, without the first byte; tens of minutes and seconds are below 6.
TIME_PATTERN = np.uint64(0x303A30303A303000)
TIME_CARRIES = np.uint64(0x7A7F767A7F767D00)
TIME_HIGHS = np.uint64(0x8080808080808000)


@inlined
def read_clean(
    buffer: Any,
    start: Any,
    end: Any,
    layout: Any,
    columns: Any,
    hash_key: Any,
    month_starts: Any,
) -> Any:
    """Of the record at `start`: (its song's first byte, length and hash, its day, its plays, where
    the next line starts); the last is -1 where the record is not clean. `columns` are the numbers
    of the three, in order.
    """
    delimiters = np.uint64(layout.delimiter) * ONES
    most_quoted = layout.most_quoted
    song = np.int64(0)
    count = np.int64(0)
    hashed = hash_key
    day = np.int64(-1)
    plays = np.int64(-1)
    at = start
    field = np.int64(0)
    for turn in range(3):
        column = columns[turn]
        if column > field:
            if at == start and starts_with_mark(buffer, at):
                at = np.int64(-1)
                break
            at = skip_fields(buffer, at, end, delimiters, most_quoted, column - field)
            if at < 0:
                break
            field = column
        if column == layout.song:
            song, count, hashed, at = read_song(buffer, at, end, delimiters, hash_key, start)
        elif column == layout.date:
            day, at = read_date(buffer, at, month_starts)
        else:
            plays, at = read_plays(buffer, at)
        if at < 0:
            break
        if turn < 2:
            if load8(buffer, at) != layout.delimiter:
                at = np.int64(-1)
                break
            at += 1
            field += 1
    left = layout.field_count - 1 - columns[2]
    follower = end_record(buffer, at, end, delimiters, most_quoted, left)
    if follower - start > layout.most_record:
        follower = np.int64(-1)
    return song, count, hashed, day, plays, follower


@inlined
def read_clean_key(
    buffer: Any,
    start: Any,
    end: Any,
    layout: Any,
    rules: Any,
    found: Any,
    hash_key: Any,
    month_starts: Any,
    room: Any,
) -> Any:
    """`read_clean` of a record whose key has several fields, none of them empty: they are put
    together, with NUL between them, at `buffer[room:]`.
    """
    delimiters = np.uint64(layout.delimiter) * ONES
    day = np.int64(-1)
    plays = np.int64(-1)
    at = np.int64(-1) if starts_with_mark(buffer, start) else start
    last = np.int64(len(rules.slots) - 1)
    field = np.int64(0)
    while at >= 0:
        slot = np.int64(rules.slots[np.uint64(field)])
        if slot < 0:
            at = skip_fields(buffer, at, end, delimiters, layout.most_quoted, 1)
            field += 1
            continue
        if slot < rules.key_fields:
            first, count, _, at = read_song(buffer, at, end, delimiters, hash_key, end)
            found.columns[SLOT_FIELDS * slot] = first
            found.columns[SLOT_FIELDS * slot + 1] = count
        elif slot == rules.date:
            day, at = read_date(buffer, at, month_starts)
        else:
            plays, at = read_plays(buffer, at)
        if at < 0 or field == last:
            break
        at = at + 1 if load8(buffer, at) == layout.delimiter else np.int64(-1)
        field += 1
    left = layout.field_count - 1 - last
    follower = end_record(buffer, at, end, delimiters, layout.most_quoted, left)
    if follower - start > layout.most_record:
        follower = np.int64(-1)
    to = room
    if follower >= 0:
        for number in range(rules.key_fields):
            if number > 0:
                store8(buffer, to, 0)
                to += 1
            count = found.columns[SLOT_FIELDS * number + 1]
            copy_bytes(buffer, to, buffer, found.columns[SLOT_FIELDS * number], count)
            to += count
    hashed = hash_bytes(buffer, room, to - room, hash_key)
    return room, to - room, hashed, day, plays, follower


@inlined
def skip_fields(
    buffer: Any, at: Any, end: Any, delimiters: Any, most_quoted: Any, count: Any
) -> Any:
    """Where the field starts that is `count` fields behind the one at `at`; -1 where one on the way
    is not clean, or the last one.
    """
    for _ in range(count):
        at = skip_field(buffer, at, end, delimiters, most_quoted)
        if at < 0 or at >= end or load8(buffer, at) == LF:
            return np.int64(-1)
        at += 1
    return at


@inlined
def starts_with_mark(buffer: Any, at: Any) -> Any:
    """Whether the bytes at `at` are a byte order mark."""
    return load64(buffer, at) & LOW_24 == BYTE_ORDER_MARK


@inlined
def skip_field(buffer: Any, at: Any, end: Any, delimiters: Any, most_quoted: Any) -> Any:
    """Where the delimiter or LF behind the field at `at` stands; -1 where it is not clean."""
    if load8(buffer, at) != QUOTE:
        at = find_stop(buffer, at, end, delimiters)
        byte = load8(buffer, at)
        if np.uint64(byte) == (delimiters & np.uint64(0xFF)) or byte == LF or at >= end:
            return at
        return at + 1 if byte == CR and load8(buffer, at + 1) == LF else np.int64(-1)
    closing = find_field_end(buffer, at + 1, end, QUOTES)
    behind = closing + 1
    if closing >= end or closing - at - 1 > most_quoted or load8(buffer, closing) != QUOTE:
        return np.int64(-1)
    byte = load8(buffer, behind)
    if byte == CR:
        behind += 1
        byte = load8(buffer, behind)
        return behind if byte == LF else np.int64(-1)
    is_end = byte == LF or np.uint64(byte) == (delimiters & np.uint64(0xFF))
    return behind if is_end else np.int64(-1)


@inlined
def find_stop(buffer: Any, start: Any, end: Any, delimiters: Any) -> Any:
    """Where the first delimiter or control character, as LF and CR are, stands in
    `buffer[start:end]`; `end` for none.
    """
    at = start
    while at < end:
        word = load64(buffer, at)
        stops = zero_bytes(word ^ delimiters) | ((word - SPACES) & ~word & HIGHS)
        if stops != np.uint64(0):
            return min(at + (trailing_zeros(stops) >> 3), end)
        at += 8
    return end


@inlined
def read_song(buffer: Any, at: Any, end: Any, delimiters: Any, hash_key: Any, record: Any) -> Any:
    """Of the song at `at`: (first byte, its length, its hash, where the byte behind the field
    stands); the last is -1 where it is not clean. The record starts at `record`.
    """
    quotes = np.int64(0)
    ends = delimiters
    start = at
    if load8(buffer, at) == QUOTE:
        quotes = np.int64(1)
        ends = QUOTES
        start += 1
        if load8(buffer, start) == QUOTE:
            return start, np.int64(0), hash_key, np.int64(-1)
    scan = start
    hashed = hash_key
    highs = np.uint64(0)
    while True:
        word = load64(buffer, scan)
        hits = zero_bytes(word ^ ends)
        controls = (word - SPACES) & ~word & HIGHS
        if (hits | controls) != np.uint64(0) or scan >= end:
            break
        highs |= word
        hashed = hash_word(hashed, word, hash_key)
        scan += 8
    tail = trailing_zeros(hits) >> 3
    mask = low_bytes(tail)
    count = scan + tail - start
    is_clean = hits != np.uint64(0) and (controls & mask) == np.uint64(0) and count > 0
    hashed = hash_word(hashed, word & mask, hash_key)
    if ((highs | (word & mask)) & HIGHS) != np.uint64(0):
        is_clean = is_clean and is_utf8(buffer, start, start + count)
        is_clean = is_clean and not (start == record and starts_with_mark(buffer, start))
    behind = start + count + quotes if is_clean else np.int64(-1)
    return start, count, hashed, behind


@inlined
def read_date(buffer: Any, at: Any, month_starts: Any) -> Any:
    """Of the date at `at`: (day, where the byte behind the field stands); the last is -1 where it
    is not clean.
    """
    quotes = np.int64(0)
    if load8(buffer, at) == QUOTE:
        quotes = np.int64(1)
        at += 1
        if load8(buffer, at) == QUOTE:
            return np.int64(-1), np.int64(-1)
    digits = load64(buffer, at) ^ DATE_PATTERN
    rest = load64(buffer, at + 8) ^ DAY_PATTERN
    bad = (digits | (digits + DATE_CARRIES)) & HIGHS
    bad |= (rest | (rest + DAY_CARRIES)) & DAY_HIGHS
    behind = at + 10
    mark = np.int64((rest >> np.uint64(16)) & np.uint64(0xFF))
    if mark == 84 or mark == 32 or mark == 116:
        behind = skip_time(buffer, behind)
    # In each byte, the number of the two digits that begin there.
    numbers = digits * np.uint64(10) + (digits >> np.uint64(8))
    year = np.int64(
        (numbers & np.uint64(0xFF)) * np.uint64(100)
        + ((numbers >> np.uint64(16)) & np.uint64(0xFF))
    )
    month = np.int64((numbers >> np.uint64(40)) & np.uint64(0xFF))
    of_month = np.int64((rest * np.uint64(10) + (rest >> np.uint64(8))) & np.uint64(0xFF))
    if bad != np.uint64(0) or behind < 0:
        return np.int64(-1), np.int64(-1)
    day = day_of(year, month, of_month, month_starts)
    if day < 0 or (quotes and load8(buffer, behind) != QUOTE):
        return np.int64(-1), np.int64(-1)
    return day, behind + quotes


@inlined
def skip_time(buffer: Any, at: Any) -> Any:
    """Where the byte behind a time `T12:34:56` or `T12:34:56Z` at `at` stands; -1 for any other."""
    word = (load64(buffer, at) ^ TIME_PATTERN) & ~np.uint64(0xFF)
    bad = (word | (word + TIME_CARRIES)) & TIME_HIGHS
    hours = ((word >> np.uint64(8)) & np.uint64(15)) * np.uint64(10)
    hours += (word >> np.uint64(16)) & np.uint64(15)
    second = load8(buffer, at + 8) - 48
    if bad != np.uint64(0) or hours > np.uint64(23) or second < 0 or second > 9:
        return np.int64(-1)
    zone = load8(buffer, at + 9)
    return at + 10 if zone == 90 or zone == 122 else at + 9


@inlined
def read_plays(buffer: Any, at: Any) -> Any:
    """Of the plays at `at`: (their number, where the byte behind the field stands); the last is -1
    where they are not clean.
    """
    quotes = np.int64(0)
    if load8(buffer, at) == QUOTE:
        quotes = np.int64(1)
        at += 1
        if load8(buffer, at) == QUOTE:
            return np.int64(-1), np.int64(-1)
    number = load64(buffer, at) ^ ZERO_DIGITS
    ends = (number | (number + SEVENTY_SIXES)) & HIGHS
    length = trailing_zeros(ends) >> 3
    if ends == np.uint64(0) or length == 0:
        return np.int64(-1), np.int64(-1)
    behind = at + length
    if quotes and load8(buffer, behind) != QUOTE:
        return np.int64(-1), np.int64(-1)
    return np.int64(eight_digits(number << np.uint64(64 - 8 * length))), behind + quotes


@inlined
def eight_digits(digits: Any) -> Any:
    """The number of eight decimal digits, one per byte, the first in the lowest byte."""
    pairs = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (fours * np.uint64(10000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)


@inlined
def end_record(
    buffer: Any, at: Any, end: Any, delimiters: Any, most_quoted: Any, fields: Any
) -> Any:
    """Where the next line starts, with at most `fields` fields between `at`, where the last field
    that is read has ended, and its LF; -1 where the rest is not clean.
    """
    while at >= 0 and at < end:
        byte = load8(buffer, at)
        if byte == LF:
            return at + 1
        if byte == CR and at + 1 < end and load8(buffer, at + 1) == LF:
            return at + 2
        if np.uint64(byte) != (delimiters & np.uint64(0xFF)):
            break
        if fields > 0:
            at = skip_field(buffer, at + 1, end, delimiters, most_quoted)
            fields -= 1
        else:
            # What is empty behind the last field is none.
            at += 1
            byte = load8(buffer, at)
            is_empty = byte == LF or byte == CR or np.uint64(byte) == (delimiters & np.uint64(0xFF))
            if not is_empty:
                break
    return np.int64(-1)
