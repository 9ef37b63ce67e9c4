"""The meaning of a record's date and plays, byte by byte: any that the data contract allows. A
field is `source[start:stop]`.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.bytes import inlined, load8

ZERO_DIGITS = np.uint64(0x3030303030303030)
SEVENTY_SIXES = np.uint64(0x7676767676767676)
MOST_PLAYS = np.uint64(2**63 - 1)

# The formats of dates: those of the option `date_format`, and `YYYY-MM`.
DATE_FORMATS = ("iso", "dmy", "mdy", "ymd", "epoch", "epoch_ms", "month")
ISO, DMY, MDY, YMD, EPOCH, EPOCH_MS, MONTH = range(len(DATE_FORMATS))
DAYS = 3_652_059
DAYS_BEFORE_1970 = 719_162

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
def digits_to(source: Any, start: Any, stop: Any) -> Any:
    """Where the ASCII digits from `start` on end."""
    at = start
    while at < stop and 48 <= load8(source, at) <= 57:
        at += 1
    return at


@inlined
def number_in(source: Any, start: Any, stop: Any) -> Any:
    """The number of these ASCII digits, of which there are few."""
    number = np.int64(0)
    for at in range(start, stop):
        number = number * 10 + load8(source, at) - 48
    return number


@inlined
def trim(source: Any, start: Any, stop: Any) -> Any:
    """The field without the spaces around it."""
    while start < stop and load8(source, start) == 32:
        start += 1
    while start < stop and load8(source, stop - 1) == 32:
        stop -= 1
    return start, stop


@inlined
def parse_day(source: Any, start: Any, stop: Any, month_starts: Any, date_format: Any) -> Any:
    """The day of a date in this format, spaces around it or not; NOT_VALID for none."""
    start, stop = trim(source, start, stop)
    if date_format == ISO:
        return parse_date(source, start, stop, month_starts)
    if date_format == EPOCH or date_format == EPOCH_MS:
        return parse_epoch(source, start, stop, 1 if date_format == EPOCH else 1000)
    if date_format == MONTH:
        if digits_to(source, start, stop) != start + 4 or stop != start + 7:
            return np.int64(NOT_VALID)
        month = two_digits(source, start + 5)
        if load8(source, start + 4) != 45 or month < 0:
            return np.int64(NOT_VALID)
        return day_of(number_in(source, start, start + 4), month, 1, month_starts)
    return parse_ordered(source, start, stop, month_starts, date_format)


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
def parse_ordered(source: Any, start: Any, stop: Any, month_starts: Any, date_format: Any) -> Any:
    """The day of a date in the order of `date_format`, with `/`, `.`, `-` or nothing between its
    parts, alone or with a time behind it, or NOT_VALID.
    """
    # Of each part, where it starts and where it ends.
    first = start
    first_end = digits_to(source, start, stop)
    if first_end - first == 8:
        behind = first_end
        first_end = first + (4 if date_format == YMD else 2)
        second = first_end
        second_end = second + 2
        third = second_end
    else:
        if first_end >= stop:
            return np.int64(NOT_VALID)
        separator = load8(source, first_end)
        if separator != 45 and separator != 46 and separator != 47:
            return np.int64(NOT_VALID)
        second = first_end + 1
        second_end = digits_to(source, second, stop)
        if second_end >= stop or load8(source, second_end) != separator:
            return np.int64(NOT_VALID)
        third = second_end + 1
        behind = digits_to(source, third, stop)
    year, year_end, day, day_end = first, first_end, third, behind
    month, month_end = second, second_end
    if date_format != YMD:
        year, year_end, day, day_end = third, behind, first, first_end
    if date_format == MDY:
        day, day_end, month, month_end = month, month_end, day, day_end
    if year_end - year != 4 or not 1 <= month_end - month <= 2 or not 1 <= day_end - day <= 2:
        return np.int64(NOT_VALID)
    if behind < stop and not is_time(source, behind, stop):
        return np.int64(NOT_VALID)
    return day_of(
        number_in(source, year, year_end),
        number_in(source, month, month_end),
        number_in(source, day, day_end),
        month_starts,
    )


@inlined
def parse_epoch(source: Any, start: Any, stop: Any, per_second: Any) -> Any:
    """The day, in UTC, of a number of units since 1970, of which a second has so many."""
    is_negative = start < stop and load8(source, start) == 45
    first = start + 1 if is_negative else start
    behind = digits_to(source, first, stop)
    if behind == first:
        return np.int64(NOT_VALID)
    while first < behind and load8(source, first) == 48:
        first += 1
    # No year of four digits needs more.
    if behind - first > 15:
        return np.int64(NOT_VALID)
    units = number_in(source, first, behind)
    if behind < stop:
        end = digits_to(source, behind + 1, stop)
        if load8(source, behind) != 46 or end == behind + 1 or end != stop:
            return np.int64(NOT_VALID)
        # What lies before 1970 is in the second before the one that the digits name.
        if is_negative:
            for at in range(behind + 1, stop):
                if load8(source, at) != 48:
                    units += 1
                    break
    day_units = np.int64(86400 * per_second)
    days = -((units + day_units - 1) // day_units) if is_negative else units // day_units
    day = days + DAYS_BEFORE_1970
    return day if 0 <= day < DAYS else np.int64(NOT_VALID)


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
                at = digits_to(source, digits_from, stop)
                if at == digits_from:
                    return False
    return at == stop or is_zone(source, at, stop)


@inlined
def is_zone(source: Any, start: Any, stop: Any) -> Any:
    """Whether the bytes are one of `Z`, `z`, a space and `UTC`, or an offset such as `+01`, `+0100`
    or `+01:00`, perhaps with a space before it; and then, perhaps, the name of a zone in brackets.
    Or the name alone.
    """
    at = start
    mark = load8(source, at)
    if mark == 90 or mark == 122:
        at += 1
    elif mark != 91:
        if mark == 32:
            at += 1
            if at == stop:
                return False
            mark = load8(source, at)
        if mark == 43 or mark == 45:
            if not is_number_to(source, at + 1, stop, 23):
                return False
            at += 3
            if at < stop and load8(source, at) != 91:
                if load8(source, at) == 58:
                    at += 1
                if not is_number_to(source, at, stop, 59):
                    return False
                at += 2
        else:
            # `UTC` behind the space.
            if at == start or stop - at < 3 or mark != 85:
                return False
            if load8(source, at + 1) != 84 or load8(source, at + 2) != 67:
                return False
            at += 3
    return at == stop or is_zone_name(source, at, stop)


@inlined
def is_zone_name(source: Any, start: Any, stop: Any) -> Any:
    """Whether the bytes are a name of a zone in brackets, such as `[Europe/Berlin]`."""
    if stop - start < 3 or load8(source, start) != 91 or load8(source, stop - 1) != 93:
        return False
    for at in range(start + 1, stop - 1):
        byte = load8(source, at)
        is_letter = 65 <= (byte & ~32) <= 90
        # `+`, `-`, `/`, the digits, `_`.
        is_other = byte == 43 or byte == 45 or 47 <= byte <= 57 or byte == 95
        if not is_letter and not is_other:
            return False
    return True


@inlined
def is_number_to(source: Any, at: Any, stop: Any, largest: Any) -> Any:
    """Whether two digits up to `largest` stand at `at`."""
    if stop - at < 2:
        return False
    number = two_digits(source, at)
    return 0 <= number <= largest


@inlined
def group_mark(source: Any, at: Any, stop: Any, thousands: Any) -> Any:
    """How many bytes the mark between two groups of digits at `at` has; 0 where there is none."""
    byte = load8(source, at)
    if byte == thousands:
        return np.int64(1)
    if thousands != 32:
        return np.int64(0)
    # U+00A0 and U+202F in UTF-8.
    if byte == 0xC2 and stop - at > 1 and load8(source, at + 1) == 0xA0:
        return np.int64(2)
    if byte == 0xE2 and stop - at > 2 and load8(source, at + 1) == 0x80:
        return np.int64(3) if load8(source, at + 2) == 0xAF else np.int64(0)
    return np.int64(0)


@inlined
def parse_plays(source: Any, start: Any, stop: Any, thousands: Any) -> Any:
    """The count, or NOT_VALID, or NEGATIVE for a number with a minus before it. `thousands` is the
    byte that may stand between groups of three digits, or 0.
    """
    start, stop = trim(source, start, stop)
    negative = start < stop and load8(source, start) == 45
    if negative:
        start += 1
    number = np.uint64(0)
    too_large = False
    at = start
    group = start
    groups = 0
    while at < stop:
        digit = load8(source, at) - 48
        if digit < 0 or digit > 9:
            size = group_mark(source, at, stop, thousands) if thousands > 0 else np.int64(0)
            if size == 0:
                break
            # The first group has one to three digits, all others three.
            if at - group > 3 or at == group or (groups > 0 and at - group != 3):
                return np.int64(NOT_VALID)
            groups += 1
            at += size
            group = at
            continue
        if number > np.uint64(922337203685477580):
            too_large = True
        number = number * np.uint64(10) + np.uint64(digit)
        if number > MOST_PLAYS:
            too_large = True
        at += 1
    if at == group or (groups > 0 and at - group != 3):
        return np.int64(NOT_VALID)
    if at < stop:
        zeros = stop - at - 1
        if load8(source, at) != 46 or zeros == 0 or zeros == 3 or thousands == 46:
            return np.int64(NOT_VALID)
        for place in range(at + 1, stop):
            if load8(source, place) != 48:
                return np.int64(NOT_VALID)
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
