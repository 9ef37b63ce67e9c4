"""The kernel that writes a partition as lines of CSV: sums, by-products and bytes in one pass."""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import kernel
from bmat.aggregation.kernel_bytes import copy_bytes
from bmat.aggregation.kernel_fields import MOST_PLAYS
from bmat.aggregation.kernel_ingest import DAY_SHIFT, INDEX_FLAG, VALUE_MASK
from bmat.aggregation.kernel_sums import FEW, sort_few, sum_by_day
from bmat.aggregation.kernel_text import needs_quotes, write_quoted, write_tail
from bmat.aggregation.padded import PaddedBytes

# What made `format_songs` return.
FORMATTED, TEXT_FULL, GROUPS_FULL, OVERFLOW = range(4)

(
    W_RANK,
    W_TEXT_BYTES,
    W_GROUPS,
    W_PLAYS_LOW,
    W_PLAYS_HIGH,
    W_FIRST_DAY,
    W_LAST_DAY,
    W_OVERFLOW_DAY,
    W_OVERFLOW_LOW,
    W_OVERFLOW_HIGH,
    W_KEEP_GROUPS,
) = range(11)
FORMAT_FIELDS = 11

# A line's most bytes behind the song: `,YYYY-MM-DD,` and 19 digits and LF, and room to overwrite.
LINE_TAIL_BYTES = 80


@kernel(
    "i8(i8[::1], i8[::1], i8, i8[::1], u1[::1], i8[::1], u8[::1], u8[::1], i8[::1], u8[::1], "
    "u1[::1], u1[::1], u1[::1], i4[::1], u8[::1], u8[::1], u8[::1], u8[::1], u8[::1], "
    "i8[::1], i8[::1], i8[::1])"
)
def format_songs(
    state: Any,
    order: Any,
    songs: int,
    starts: Any,
    texts: PaddedBytes,
    row_starts: Any,
    gathered: Any,
    wide: Any,
    ingest_state: Any,
    cells: Any,
    text: PaddedBytes,
    prefix: PaddedBytes,
    date_texts: Any,
    month_starts: Any,
    number_texts: Any,
    song_low: Any,
    song_high: Any,
    day_low: Any,
    day_high: Any,
    group_ranks: Any,
    group_days: Any,
    group_sums: Any,
) -> int:
    """Write the totals of the songs from `state[W_RANK]` on to `text`; returns what stopped it.

    Adds what it writes to the sums of each song (by rank) and of each day, in words of 64 bits, low
    and high; those of a day plus one, so that a sum of zero is not a day without rows. With
    `state[W_KEEP_GROUPS]` the totals go to the `group_` lists as well.
    """
    rank = state[W_RANK]
    at = state[W_TEXT_BYTES]
    groups = state[W_GROUPS]
    keep = state[W_KEEP_GROUPS] != 0
    first_day = state[W_FIRST_DAY]
    last_day = state[W_LAST_DAY]
    outcome = FORMATTED
    while rank < songs:
        song = order[np.uint64(rank)]
        start = starts[np.uint64(song)]
        count = starts[np.uint64(song + 1)] - start
        low = row_starts[np.uint64(rank)]
        high = row_starts[np.uint64(rank + 1)]
        if at + (2 * count + 2 + LINE_TAIL_BYTES) * (high - low) > len(text):
            outcome = TEXT_FULL
            break
        if keep and groups + high - low > len(group_ranks):
            outcome = GROUPS_FULL
            break
        # What follows adds up neighbours of the same day: a few values need no more than order.
        if high - low > FEW:
            high = sum_by_day(gathered, wide, ingest_state, cells, low, high)
        else:
            sort_few(gathered, low, high)
        quoted_bytes = np.int64(0)
        if needs_quotes(texts, start, count):
            quoted_bytes = write_quoted(prefix, 0, texts, start, count)
        total_low = np.uint64(0)
        total_high = np.uint64(0)
        row = low
        while row < high:
            value = gathered[np.uint64(row)]
            day = np.int64(value >> DAY_SHIFT)
            sum_low = np.uint64(0)
            sum_high = np.uint64(0)
            while True:
                plays = value & VALUE_MASK
                if value & INDEX_FLAG:
                    plays = wide[plays]
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
                state[W_OVERFLOW_DAY] = day
                state[W_OVERFLOW_LOW] = np.int64(sum_low)
                state[W_OVERFLOW_HIGH] = np.int64(sum_high)
                outcome = OVERFLOW
                break
            total_low += sum_low
            if total_low < sum_low:
                total_high += np.uint64(1)
            held = day_low[np.uint64(day)]
            if held == np.uint64(0) and day_high[np.uint64(day)] == np.uint64(0):
                held = np.uint64(1)
            day_sum = held + sum_low
            day_low[np.uint64(day)] = day_sum
            if day_sum < sum_low:
                day_high[np.uint64(day)] += np.uint64(1)
            first_day = min(first_day, day)
            last_day = max(last_day, day)
            if keep:
                group_ranks[np.uint64(groups)] = rank
                group_days[np.uint64(groups)] = day
                group_sums[np.uint64(groups)] = np.int64(sum_low)
            groups += 1
            if quoted_bytes > 0:
                copy_bytes(text, at, prefix, 0, quoted_bytes)
                at += quoted_bytes
            else:
                copy_bytes(text, at, texts, start, count)
                at += count
            at = write_tail(text, at, date_texts, day, sum_low, month_starts, number_texts)
        if outcome == OVERFLOW:
            break
        song_low[np.uint64(rank)] = total_low
        song_high[np.uint64(rank)] = total_high
        plays_low = np.uint64(state[W_PLAYS_LOW]) + total_low
        state[W_PLAYS_HIGH] += np.int64(total_high)
        if plays_low < total_low:
            state[W_PLAYS_HIGH] += 1
        state[W_PLAYS_LOW] = np.int64(plays_low)
        rank += 1
    state[W_RANK] = rank
    state[W_TEXT_BYTES] = at
    state[W_GROUPS] = groups
    state[W_FIRST_DAY] = first_day
    state[W_LAST_DAY] = last_day
    return outcome
