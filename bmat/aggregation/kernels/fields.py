"""The meaning of a record's three fields, byte by byte: any that the data contract allows. A field
is `source[start:stop]`.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.bytes import inlined, load8

ZERO_DIGITS = np.uint64(0x3030303030303030)
SEVENTY_SIXES = np.uint64(0x7676767676767676)
MOST_PLAYS = np.uint64(2**63 - 1)

NOT_VALID = -1
NEGATIVE = -2

# The first day of each month from year 0 on, at index year * 12 + month - 1, in days since
# 0001-01-01; one more month than ten thousand years have, so that each month has a next one.
_MONTHS = np.arange(np.datetime64("0000-01"), np.datetime64("10000-02"))
MONTH_STARTS = (
    _MONTHS.astype("M8[D]").astype(np.int64) - np.datetime64("0001-01-01").astype(np.int64)
).astype(np.int32)


@inlined
def day_of(year: Any, month: Any, day: Any, month_starts: Any) -> Any:
    """Days since 0001-01-01, or NOT_VALID where the calendar has no such day."""
    if year < 1 or month < 1 or month > 12 or day < 1:
        return np.int64(NOT_VALID)
    index = year * 12 + month - 1
    number = np.int64(month_starts[np.uint64(index)]) + day - 1
    if number >= np.int64(month_starts[np.uint64(index + 1)]):
        return np.int64(NOT_VALID)
    return number


@inlined
def two_digits(source: Any, at: Any) -> Any:
    """The number of two ASCII digits, or NOT_VALID."""
    tens = load8(source, at) - 48
    units = load8(source, at + 1) - 48
    if tens < 0 or tens > 9 or units < 0 or units > 9:
        return np.int64(NOT_VALID)
    return tens * 10 + units


@inlined
def parse_date(source: Any, start: Any, stop: Any, month_starts: Any) -> Any:
    """The day of `YYYY-MM-DD`, alone or with a time behind it, or NOT_VALID."""
    if stop - start < 10:
        return np.int64(NOT_VALID)
    if load8(source, start + 4) != 45 or load8(source, start + 7) != 45:
        return np.int64(NOT_VALID)
    century = two_digits(source, start)
    year = two_digits(source, start + 2)
    month = two_digits(source, start + 5)
    day = two_digits(source, start + 8)
    if century < 0 or year < 0 or month < 0 or day < 0:
        return np.int64(NOT_VALID)
    if stop - start > 10 and not is_time(source, start + 10, stop):
        return np.int64(NOT_VALID)
    return day_of(century * 100 + year, month, day, month_starts)


@inlined
def is_time(source: Any, start: Any, stop: Any) -> Any:
    """Whether the bytes are `T`, `t` or a space, a time of day, and perhaps a zone."""
    mark = load8(source, start)
    if mark != 84 and mark != 116 and mark != 32:
        return False
    at = start + 1
    if not is_number_to(source, at, stop, 23):
        return False
    at += 2
    if at < stop and load8(source, at) == 58:
        if not is_number_to(source, at + 1, stop, 59):
            return False
        at += 3
        if at < stop and load8(source, at) == 58:
            if not is_number_to(source, at + 1, stop, 60):
                return False
            at += 3
            if at < stop and (load8(source, at) == 46 or load8(source, at) == 44):
                digits_from = at + 1
                at += 1
                while at < stop and 48 <= load8(source, at) <= 57:
                    at += 1
                if at == digits_from:
                    return False
    return at == stop or is_zone(source, at, stop)


@inlined
def is_zone(source: Any, start: Any, stop: Any) -> Any:
    """Whether the bytes are `Z`, `z`, or an offset such as `+01`, `+0100`, `+01:00`."""
    mark = load8(source, start)
    if mark == 90 or mark == 122:
        return stop == start + 1
    if mark != 43 and mark != 45:
        return False
    if not is_number_to(source, start + 1, stop, 23):
        return False
    at = start + 3
    if at == stop:
        return True
    if load8(source, at) == 58:
        at += 1
    return is_number_to(source, at, stop, 59) and at + 2 == stop


@inlined
def is_number_to(source: Any, at: Any, stop: Any, largest: Any) -> Any:
    """Whether two digits up to `largest` stand at `at`."""
    if stop - at < 2:
        return False
    number = two_digits(source, at)
    return 0 <= number <= largest


@inlined
def parse_plays(source: Any, start: Any, stop: Any) -> Any:
    """The count, or NOT_VALID, or NEGATIVE for a number with a minus before it."""
    while start < stop and load8(source, start) == 32:
        start += 1
    while start < stop and load8(source, stop - 1) == 32:
        stop -= 1
    negative = start < stop and load8(source, start) == 45
    if negative:
        start += 1
    number = np.uint64(0)
    too_large = False
    at = start
    while at < stop:
        digit = load8(source, at) - 48
        if digit < 0 or digit > 9:
            break
        if number > np.uint64(922337203685477580):
            too_large = True
        number = number * np.uint64(10) + np.uint64(digit)
        if number > MOST_PLAYS:
            too_large = True
        at += 1
    if at == start:
        return np.int64(NOT_VALID)
    if at < stop:
        if load8(source, at) != 46 or at + 1 == stop:
            return np.int64(NOT_VALID)
        at += 1
        while at < stop:
            if load8(source, at) != 48:
                return np.int64(NOT_VALID)
            at += 1
    if negative:
        return np.int64(NEGATIVE)
    if too_large:
        return np.int64(NOT_VALID)
    return np.int64(number)


@inlined
def has_nul(source: Any, start: Any, stop: Any) -> Any:
    """Whether one of the bytes is NUL."""
    for at in range(start, stop):
        if load8(source, at) == 0:
            return True
    return False
