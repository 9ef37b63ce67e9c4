"""The kernel that writes a partition as lines of CSV: sums and bytes in one pass."""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    DATE_TEXT_BYTES,
    DAY_SHIFT,
    INDEX_FLAG,
    VALUE_MASK,
    FormatState,
    Int64,
    LineTexts,
    PaddedBytes,
    SortedArrays,
    SumArrays,
    TableArrays,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import (
    LINE_FEEDS,
    QUOTES,
    RETURNS,
    copy_bytes,
    find_byte,
    inlined,
    load8,
    load64,
    low_bytes,
    store8,
    store64,
    zero_bytes,
)
from bmat.aggregation.kernels.clean import BYTE_ORDER_MARK_BYTES, starts_with_mark
from bmat.aggregation.kernels.fields import MOST_PLAYS
from bmat.aggregation.kernels.sums import FEW, sort_few, sum_by_day

# The texts of the numbers below 10,000 with an LF behind; the length is in the highest byte.
NUMBER_TEXTS = np.array(
    [
        int.from_bytes(b"%d\n" % number, "little") | (len(str(number)) + 1) << 56
        for number in range(10000)
    ],
    dtype=np.uint64,
)

COMMAS = np.uint64(0x2C2C2C2C2C2C2C2C)


@inlined
def needs_quotes(texts: Any, start: Any, count: Any) -> Any:
    """Whether a field must be quoted: it holds a comma, a quote, CR or LF, or begins with a byte
    order mark, which in front of a record is no part of it.
    """
    if count >= BYTE_ORDER_MARK_BYTES and starts_with_mark(texts, start):
        return True
    at = 0
    while at < count:
        word = load64(texts, start + at)
        hits = zero_bytes(word ^ COMMAS) | zero_bytes(word ^ QUOTES)
        hits |= zero_bytes(word ^ RETURNS) | zero_bytes(word ^ LINE_FEEDS)
        if (hits & low_bytes(count - at)) != np.uint64(0):
            return True
        at += 8
    return False


@inlined
def write_quoted(target: Any, to: Any, texts: Any, start: Any, count: Any) -> Any:
    """Write a field in quotes, those in it doubled. Returns where it ends."""
    store8(target, to, 34)
    to += 1
    for at in range(start, start + count):
        byte = load8(texts, at)
        if byte == 34:
            store8(target, to, 34)
            to += 1
        store8(target, to, byte)
        to += 1
    store8(target, to, 34)
    return to + 1


@inlined
def write_key(target: Any, texts: Any, start: Any, count: Any) -> Any:
    """Write the fields of a key, which NULs part, with commas between them, and those in quotes
    that must be. Returns where it ends.
    """
    to = np.int64(0)
    at = start
    stop = start + count
    while True:
        end = find_byte(texts, at, stop, np.uint64(0))
        if needs_quotes(texts, at, end - at):
            to = write_quoted(target, to, texts, at, end - at)
        else:
            copy_bytes(target, to, texts, at, end - at)
            to += end - at
        if end == stop:
            return to
        store8(target, to, 44)
        to += 1
        at = end + 1


@inlined
def fill_date(date_texts: Any, at: Any, day: Any, month_starts: Any) -> None:
    """Write `,YYYY-MM-DD,` of a day number."""
    # The mean length of a year gives the year, or the one before it.
    year = np.int64(day * 400 // 146097) + 1
    while np.int64(month_starts[year * 12 + 12]) <= day:
        year += 1
    month = 0
    while np.int64(month_starts[year * 12 + month + 1]) <= day:
        month += 1
    of_month = day - np.int64(month_starts[year * 12 + month]) + 1
    store8(date_texts, at, 44)
    store8(date_texts, at + 1, 48 + year // 1000)
    store8(date_texts, at + 2, 48 + year // 100 % 10)
    store8(date_texts, at + 3, 48 + year // 10 % 10)
    store8(date_texts, at + 4, 48 + year % 10)
    store8(date_texts, at + 5, 45)
    store8(date_texts, at + 6, 48 + (month + 1) // 10)
    store8(date_texts, at + 7, 48 + (month + 1) % 10)
    store8(date_texts, at + 8, 45)
    store8(date_texts, at + 9, 48 + of_month // 10)
    store8(date_texts, at + 10, 48 + of_month % 10)
    store8(date_texts, at + 11, 44)


@inlined
def write_number(target: Any, to: Any, number: Any, number_texts: Any) -> Any:
    """Write a number in decimal digits and an LF behind it. Returns where the line ends."""
    if number < np.uint64(10000):
        text = number_texts[number]
        store64(target, to, text)
        return to + np.int64(text >> np.uint64(56))
    digits = 5
    bound = np.uint64(100000)
    while digits < 19 and number >= bound:
        digits += 1
        bound *= np.uint64(10)
    at = to + digits
    store8(target, at, 10)
    left = number
    while at > to:
        at -= 1
        next_left = left // np.uint64(10)
        store8(target, at, 48 + np.int64(left - next_left * np.uint64(10)))
        left = next_left
    return to + digits + 1


@inlined
def write_tail(text: Any, to: Any, lines: Any, day: Any, plays: Any) -> Any:
    """Write what follows the song: the date, the total, LF. Returns where the line ends."""
    date = DATE_TEXT_BYTES * day
    if load8(lines.dates, date) == 0:
        fill_date(lines.dates, date, day, lines.month_starts)
    store64(text, to, load64(lines.dates, date))
    store64(text, to + 8, load64(lines.dates, date + 8))
    return write_number(text, to + 12, plays, lines.numbers)


# What made `format_songs` return.
FORMATTED, TEXT_FULL, OVERFLOW = range(3)

# A line's most bytes behind the song: `,YYYY-MM-DD,` and 19 digits and LF, and room to overwrite.
LINE_TAIL_BYTES = 80


@kernel
def format_songs(
    state: FormatState,
    table: TableArrays,
    ordered: SortedArrays,
    sums: SumArrays,
    lines: LineTexts,
    text: PaddedBytes,
) -> Int64:
    """Write the totals of the songs from `state.rank` on to `text`; returns what stopped it: the
    next call goes on with the same song, if it was begun. Adds what it writes to the sums.
    """
    starts = table.starts
    texts = table.texts
    gathered = ordered.gathered
    row_starts = ordered.row_starts
    rank = state.rank
    at = state.text_bytes
    groups = state.groups
    first_day = state.first_day
    last_day = state.last_day
    outcome = FORMATTED
    while rank < table.state.songs:
        song = ordered.order[np.uint64(rank)]
        start = starts[np.uint64(song)]
        count = starts[np.uint64(song + 1)] - start
        low = row_starts[np.uint64(rank)]
        high = row_starts[np.uint64(rank + 1)]
        total_low = np.uint64(0)
        total_high = np.uint64(0)
        row = low
        if state.is_begun != 0:
            state.is_begun = 0
            row = state.row
            high = state.row_stop
            total_low = state.song_low
            total_high = state.song_high
        # What follows adds up neighbours of the same day: a few values need no more than order.
        elif high - low > FEW:
            high = sum_by_day(ordered, table.wide, table.state, low, high)
        else:
            sort_few(gathered, low, high)
        last_at = len(text) - (2 * (count + lines.key_fields) + LINE_TAIL_BYTES)
        quoted_bytes = np.int64(0)
        if lines.key_fields > 1:
            quoted_bytes = write_key(lines.prefix, texts, start, count)
        elif needs_quotes(texts, start, count):
            quoted_bytes = write_quoted(lines.prefix, 0, texts, start, count)
        while row < high:
            if at > last_at:
                outcome = TEXT_FULL
                break
            value = gathered[np.uint64(row)]
            day = np.int64(value >> DAY_SHIFT)
            sum_low = np.uint64(0)
            sum_high = np.uint64(0)
            while True:
                plays = value & VALUE_MASK
                if value & INDEX_FLAG:
                    plays = table.wide[plays]
                sum_low += plays
                if sum_low < plays:
                    sum_high += np.uint64(1)
                row += 1
                if row == high:
                    break
                value = gathered[np.uint64(row)]
                if np.int64(value >> DAY_SHIFT) != day:
                    break
            if sum_high > np.uint64(0) or sum_low > MOST_PLAYS:
                state.overflow_day = day
                state.overflow_low = sum_low
                state.overflow_high = sum_high
                outcome = OVERFLOW
                break
            total_low += sum_low
            if total_low < sum_low:
                total_high += np.uint64(1)
            day_sum = sums.day_low[np.uint64(day)] + sum_low
            sums.day_low[np.uint64(day)] = day_sum
            if day_sum < sum_low:
                sums.day_high[np.uint64(day)] += np.uint64(1)
            first_day = min(first_day, day)
            last_day = max(last_day, day)
            groups += 1
            if quoted_bytes > 0:
                copy_bytes(text, at, lines.prefix, 0, quoted_bytes)
                at += quoted_bytes
            else:
                copy_bytes(text, at, texts, start, count)
                at += count
            at = write_tail(text, at, lines, day, sum_low)
        if outcome != FORMATTED:
            state.is_begun = 1
            state.row = row
            state.row_stop = high
            state.song_low = total_low
            state.song_high = total_high
            break
        sums.song_low[np.uint64(rank)] = total_low
        sums.song_high[np.uint64(rank)] = total_high
        plays_low = state.plays_low + total_low
        state.plays_high += total_high
        if plays_low < total_low:
            state.plays_high += np.uint64(1)
        state.plays_low = plays_low
        rank += 1
    state.rank = rank
    state.text_bytes = at
    state.groups = groups
    state.first_day = first_day
    state.last_day = last_day
    return outcome
