"""Reading what follows the song in a clean record, for the compiled kernels, eight bytes at a time:
a bare date, a delimiter, up to eight digits, and an LF or CR LF.
"""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import inlined
from bmat.aggregation.kernel_fields import HIGHS, SEVENTY_SIXES, ZERO_DIGITS, day_of
from bmat.aggregation.kernel_split import CR, LF
from bmat.aggregation.kernel_words import load8, load64, trailing_zeros

DATE_PATTERN = np.uint64(0x2D30302D30303030)
DATE_CARRIES = np.uint64(0x7F76767F76767676)
DAY_PATTERN = np.uint64(0x3030)
DAY_CARRIES = np.uint64(0x7F7676)
DAY_HIGHS = np.uint64(0x808080)


@inlined
def eight_digits(digits: Any) -> Any:
    """The number of eight decimal digits, one per byte, the first in the lowest byte."""
    pairs = (digits * np.uint64(10) + (digits >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    fours = (pairs * np.uint64(100) + (pairs >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (fours * np.uint64(10000) + (fours >> np.uint64(32))) & np.uint64(0xFFFFFFFF)


@inlined
def read_tail(buffer: Any, at: Any, end: Any, day_pattern: Any, month_starts: Any) -> Any:
    """The (day, plays, start of the next line) of a record whose date stands at `at`; the last is
    -1 where it is not clean.
    """
    digits = load64(buffer, at) ^ DATE_PATTERN
    rest = load64(buffer, at + 8) ^ day_pattern
    bad = (digits | (digits + DATE_CARRIES)) & HIGHS
    bad |= (rest | (rest + DAY_CARRIES)) & DAY_HIGHS
    word = load64(buffer, at + 11)
    number = word ^ ZERO_DIGITS
    ends = (number | (number + SEVENTY_SIXES)) & HIGHS
    if bad != np.uint64(0) or ends == np.uint64(0):
        return np.int64(-1), np.int64(-1), np.int64(-1)
    length = trailing_zeros(ends) >> 3
    year = np.int64(
        (digits & np.uint64(15)) * np.uint64(1000)
        + ((digits >> np.uint64(8)) & np.uint64(15)) * np.uint64(100)
        + ((digits >> np.uint64(16)) & np.uint64(15)) * np.uint64(10)
        + ((digits >> np.uint64(24)) & np.uint64(15))
    )
    month = np.int64(
        ((digits >> np.uint64(40)) & np.uint64(15)) * np.uint64(10)
        + ((digits >> np.uint64(48)) & np.uint64(15))
    )
    of_month = np.int64(
        (rest & np.uint64(15)) * np.uint64(10) + ((rest >> np.uint64(8)) & np.uint64(15))
    )
    day = day_of(year, month, of_month, month_starts)
    after = (word >> np.uint64(8 * length)) & np.uint64(0xFF)
    line_feed = at + 11 + length
    if after == np.uint64(CR):
        line_feed += 1
        after = np.uint64(load8(buffer, line_feed))
    if length == 0 or day < 0 or after != np.uint64(LF) or line_feed >= end:
        return np.int64(-1), np.int64(-1), np.int64(-1)
    plays = np.int64(eight_digits(number << np.uint64(64 - 8 * length)))
    return day, plays, line_feed + 1
