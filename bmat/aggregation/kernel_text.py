"""The fields of a line of CSV, written by the compiled kernels."""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import inlined
from bmat.aggregation.kernel_bytes import LINE_FEEDS, low_bytes, zero_bytes
from bmat.aggregation.kernel_words import load8, load64, store8, store64

DATE_TEXT_BYTES = 16
# The texts of the numbers below 10,000 with an LF behind; the length is in the highest byte.
NUMBER_TEXTS = np.array(
    [
        int.from_bytes(b"%d\n" % number, "little") | (len(str(number)) + 1) << 56
        for number in range(10000)
    ],
    dtype=np.uint64,
)

COMMAS = np.uint64(0x2C2C2C2C2C2C2C2C)
QUOTES = np.uint64(0x2222222222222222)
RETURNS = np.uint64(0x0D0D0D0D0D0D0D0D)


@inlined
def needs_quotes(texts: Any, start: Any, count: Any) -> Any:
    """Whether a field must be quoted: it holds a comma, a quote, CR or LF."""
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
def write_tail(
    text: Any, to: Any, date_texts: Any, day: Any, plays: Any, month_starts: Any, number_texts: Any
) -> Any:
    """Write what follows the song: the date, the total, LF. Returns where the line ends."""
    date = DATE_TEXT_BYTES * day
    if load8(date_texts, date) == 0:
        fill_date(date_texts, date, day, month_starts)
    store64(text, to, load64(date_texts, date))
    store64(text, to + 8, load64(date_texts, date + 8))
    return write_number(text, to + 12, plays, number_texts)
