"""The kernel that reads a block: bytes into rows, each in its partition or in a hot cell.

The clean record (song, date, plays; an ASCII song, in quotes or not; a bare date and number) takes
a fast path, eight bytes at a time. Any other is split, unquoted and judged field by field; what
cannot be counted goes to the rejects.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import PaddedBytes
from bmat.aggregation.kernels.bytes import (
    CR,
    HIGHS,
    LF,
    ONES,
    QUOTE,
    hash_bytes,
    hash_word,
    load8,
    load64,
    low_bytes,
    trailing_zeros,
    zero_bytes,
)
from bmat.aggregation.kernels.compile import kernel
from bmat.aggregation.kernels.fields import DAY_PATTERN, read_tail
from bmat.aggregation.kernels.hot import SEEN_BATCH, note_row, place_seen
from bmat.aggregation.kernels.judge import (
    P_BUCKET_WIDTH,
    P_DATE,
    P_DAYS,
    P_DELIMITER,
    P_END,
    P_FIELD_COUNT,
    P_FIRST_DAY,
    P_HOT_SONGS,
    P_IS_LAST,
    P_LINES,
    P_MOST_QUOTED,
    P_MOST_RECORD,
    P_MOST_SONG,
    P_PAIRS,
    P_PLAYS,
    P_PLAYS_HIGH,
    P_PLAYS_LOW,
    P_POSITION,
    P_ROWS_COUNTED,
    P_SCRATCH,
    P_SEEN,
    P_SONG,
    P_SPLITTER_SKIP,
    P_STOP,
    P_WORK,
    judge,
    list_reject,
)
from bmat.aggregation.kernels.rows import append_row, locate_in_bucket
from bmat.aggregation.kernels.split import CUT_OFF, F_LINES, F_NEXT, F_STOP, split_record

QUOTES = np.uint64(0x2222222222222222)
SPACES = np.uint64(0x2020202020202020)

# What a clean record takes beside its song, at most.
CLEAN_TAIL_BYTES = 24

# What made the kernel return.
DONE, NEEDS_BYTES, ARENA_FULL, REJECTS_FULL = 0, 1, 2, 3


_PARSE = (
    "i8(u1[::1], i8[::1], i4[::1], "
    "i8[::1], i4[::1], u8[::1], i8[::1], u1[::1], "
    "u8[::1], u1[::1], u8, i8[::1], u8[::1], "
    "u1[::1], i8[::1], i8[::1], i8[::1], u1[::1])"
)


@kernel(_PARSE)
def parse_block(
    buffer: PaddedBytes,
    state: Any,
    month_starts: Any,
    split_bucketed: Any,
    split_buckets: Any,
    split_keys: Any,
    split_starts: Any,
    split_texts: PaddedBytes,
    hot_slots: Any,
    hot_texts: PaddedBytes,
    hash_key: Any,
    seen: Any,
    pairs: Any,
    arena: PaddedBytes,
    arena_state: Any,
    heads: Any,
    chunks: Any,
    rejects: PaddedBytes,
) -> int:
    """Read the records that start in `buffer[position:stop]`; returns what stopped it.

    `buffer[:end]` holds the file's bytes; `is_last` says that the file ends there. A record that
    could not be read whole, or not be put anywhere, is left: call again when there is room.
    Rows of hot songs go to `pairs` as words `cell:40 | plays:24`, all others to the arena.
    From `buffer[scratch]` on there is room for as many bytes again, to unquote fields in.
    """
    position = state[P_POSITION]
    stop = state[P_STOP]
    end = state[P_END]
    is_last = state[P_IS_LAST] != 0
    delimiter = state[P_DELIMITER]
    delimiters = np.uint64(delimiter) * ONES
    is_simple = (
        state[P_FIELD_COUNT] == 3
        and state[P_SONG] == 0
        and state[P_DATE] == 1
        and state[P_PLAYS] == 2
    )
    day_pattern = DAY_PATTERN | (np.uint64(delimiter) << np.uint64(16))
    skip = state[P_SPLITTER_SKIP]
    width = state[P_BUCKET_WIDTH]
    scratch = state[P_SCRATCH]
    has_hot = state[P_HOT_SONGS] > 0
    first_day = state[P_FIRST_DAY]
    days = state[P_DAYS]
    columns = state[P_SONG : P_SONG + 3]
    found = state[P_WORK : P_WORK + 16]
    lines = state[P_LINES]
    rows = np.int64(0)
    pair_count = state[P_PAIRS]
    seen_count = state[P_SEEN]
    low = np.uint64(state[P_PLAYS_LOW])
    high = np.uint64(state[P_PLAYS_HIGH])
    outcome = DONE
    most = max(max(state[P_SONG], state[P_DATE]), state[P_PLAYS])
    stop = min(stop, end)
    # What an earlier call had no room for comes first.
    must_place = seen_count > 0
    is_over = False
    # Where no song is hot there is nothing to wait for.
    is_direct = len(pairs) == 0 and width > 0
    most_clean = min(state[P_MOST_SONG], state[P_MOST_QUOTED])
    most_clean = min(most_clean, state[P_MOST_RECORD] - CLEAN_TAIL_BYTES)
    while True:
        if must_place or is_over:
            seen_count, pair_count = place_seen(
                seen,
                seen_count,
                buffer,
                hot_slots,
                hot_texts,
                first_day,
                days,
                pairs,
                pair_count,
                split_bucketed,
                split_buckets,
                width,
                split_keys,
                split_starts,
                split_texts,
                skip,
                arena,
                arena_state,
                heads,
                chunks,
            )
            must_place = False
            if seen_count > 0:
                outcome = ARENA_FULL
                break
            if is_over:
                break
        if position >= stop:
            is_over = True
            continue
        at = position
        count = np.int64(0)
        day = np.int64(-1)
        plays = np.int64(-1)
        hashed = hash_key
        follower = np.int64(-1)
        first = load8(buffer, position)
        # The fast path ends with `follower` set, or leaves the record to the other path.
        if is_simple:
            # A song in quotes ends at the next one; what else a quote may mean is not clean.
            quotes = np.int64(first == QUOTE)
            ends_song = QUOTES if quotes else delimiters
            at = position + quotes
            scan = at
            while True:
                word = load64(buffer, scan)
                hits = zero_bytes(word ^ ends_song)
                odd = ((word - SPACES) | word) & HIGHS
                if (hits | odd) != np.uint64(0) or scan >= end:
                    break
                hashed = hash_word(hashed, word, hash_key)
                scan += 8
            tail = trailing_zeros(hits) >> 3
            mask = low_bytes(tail)
            count = scan + tail - at
            date_at = at + count + quotes + 1
            is_clean = hits != np.uint64(0) and (odd & mask) == np.uint64(0)
            is_clean &= 0 < count <= most_clean
            if is_clean and load8(buffer, date_at - 1) == delimiter:
                hashed = hash_word(hashed, word & mask, hash_key)
                day, plays, follower = read_tail(buffer, date_at, end, day_pattern, month_starts)
        if follower < 0:
            if first == LF:
                position += 1
                lines += 1
                continue
            if first == CR:
                if position + 1 == end:
                    if is_last:
                        position = end
                        continue
                    outcome = NEEDS_BYTES
                    is_over = True
                    continue
                if load8(buffer, position + 1) == LF:
                    position += 2
                    lines += 1
                    continue
            state[P_LINES] = lines
            status = split_record(
                found,
                buffer,
                position,
                end,
                is_last,
                delimiters,
                columns,
                state[P_MOST_QUOTED],
            )
            if status == CUT_OFF:
                outcome = NEEDS_BYTES
                is_over = True
                continue
            reason, at, count, day, plays = judge(
                status, found, state, most, buffer, position, scratch, month_starts
            )
            if reason >= 0:
                if not list_reject(state, rejects, buffer, position, found[F_STOP], reason):
                    outcome = REJECTS_FULL
                    is_over = True
                    continue
                position = found[F_NEXT]
                lines += found[F_LINES]
                continue
            if has_hot:
                hashed = hash_bytes(buffer, at, count, hash_key)
        if is_direct:
            partition = locate_in_bucket(split_bucketed, split_buckets, width, buffer, at, count)
            if not append_row(
                arena, arena_state, heads, chunks, partition, buffer, at, count, day, plays
            ):
                outcome = ARENA_FULL
                is_over = True
                continue
        else:
            note_row(seen, seen_count, hot_slots, at, count, hashed, day, plays)
            seen_count += 1
            # A name that was unquoted stays where it is only until the next one is.
            must_place = at >= scratch or seen_count == SEEN_BATCH
        rows += 1
        low += np.uint64(plays)
        if low < np.uint64(plays):
            high += np.uint64(1)
        if follower >= 0:
            position = follower
            lines += 1
        else:
            position = found[F_NEXT]
            lines += found[F_LINES]
    if outcome == DONE and position == end and not is_last and state[P_STOP] > end:
        outcome = NEEDS_BYTES
    state[P_POSITION] = position
    state[P_PAIRS] = pair_count
    state[P_SEEN] = seen_count
    state[P_LINES] = lines
    state[P_ROWS_COUNTED] += rows
    state[P_PLAYS_LOW] = np.int64(low)
    state[P_PLAYS_HIGH] = np.int64(high)
    return outcome
