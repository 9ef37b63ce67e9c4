"""The kernel that reads a block: bytes into rows, each in its partition or in a hot cell.

The clean record, whatever its language and its other columns, takes a fast path: see `clean`. Any
other is split, unquoted and judged field by field; what cannot be counted goes to the rejects.
"""

import numpy as np

from bmat.aggregation.kernels.arrays import (
    SEEN_BATCH,
    ArenaArrays,
    Buckets,
    FoundFields,
    HotSongs,
    Int32s,
    Int64,
    Ints,
    PaddedBytes,
    ParseState,
    RecordLayout,
    Splitters,
    UInt64,
    Words,
)
from bmat.aggregation.kernels.bytes import CR, LF, ONES, hash_bytes, load8
from bmat.aggregation.kernels.clean import read_clean
from bmat.aggregation.kernels.compile import kernel
from bmat.aggregation.kernels.hot import note_row, place_seen
from bmat.aggregation.kernels.judge import judge, list_reject
from bmat.aggregation.kernels.rows import append_row, locate_in_bucket
from bmat.aggregation.kernels.split import CUT_OFF, split_record

# What made the kernel return.
DONE, NEEDS_BYTES, ARENA_FULL, REJECTS_FULL = 0, 1, 2, 3


@kernel
def parse_block(
    buffer: PaddedBytes,
    state: ParseState,
    found: FoundFields,
    layout: RecordLayout,
    scratch: Int64,
    month_starts: Int32s,
    splitters: Splitters,
    buckets: Buckets,
    hot: HotSongs,
    hash_key: UInt64,
    seen: Ints,
    pairs: Words,
    arena: ArenaArrays,
    rejects: PaddedBytes,
) -> Int64:
    """Read the records that start in `buffer[position:stop]`; returns what stopped it.

    A record that could not be read whole, or not be put anywhere, is left: call again when there is
    room. Rows of hot songs go to `pairs` as words `cell:40 | plays:24`, all others to the arena.
    From `buffer[scratch]` on there is room for as many bytes again, to unquote fields in.
    """
    position = state.position
    end = state.end
    stop = min(state.stop, end)
    is_last = state.is_last != 0
    delimiters = np.uint64(layout.delimiter) * ONES
    first = min(min(layout.song, layout.date), layout.plays)
    last = max(max(layout.song, layout.date), layout.plays)
    columns = (first, layout.song + layout.date + layout.plays - first - last, last)
    has_hot = len(hot.starts) > 1
    lines = state.lines
    rows = np.int64(0)
    pair_count = state.pairs
    seen_count = state.seen
    low = state.plays_low
    high = state.plays_high
    outcome = DONE
    # What an earlier call had no room for comes first.
    must_place = seen_count > 0
    is_over = False
    # Where no song is hot there is nothing to wait for.
    is_direct = len(pairs) == 0 and buckets.width > 0
    most_clean = min(layout.most_song, layout.most_quoted)
    while True:
        if must_place or is_over:
            seen_count, pair_count = place_seen(
                seen, seen_count, buffer, hot, pairs, pair_count, splitters, buckets, arena
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
        at, count, hashed, day, plays, follower = read_clean(
            buffer, position, end, layout, columns, hash_key, month_starts
        )
        if follower < 0 or count > most_clean:
            follower = np.int64(-1)
            byte = load8(buffer, position)
            if byte == LF:
                position += 1
                lines += 1
                continue
            if byte == CR:
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
            state.lines = lines
            status = split_record(found, buffer, position, end, is_last, delimiters, layout)
            if status == CUT_OFF:
                outcome = NEEDS_BYTES
                is_over = True
                continue
            reason, at, count, day, plays = judge(
                status, found, layout, buffer, position, scratch, month_starts
            )
            if reason >= 0:
                if not list_reject(state, rejects, buffer, position, found.stop, reason):
                    outcome = REJECTS_FULL
                    is_over = True
                    continue
                position = found.next
                lines += found.lines
                continue
            if has_hot:
                hashed = hash_bytes(buffer, at, count, hash_key)
        if is_direct:
            partition = locate_in_bucket(buckets, buffer, at, count)
            if not append_row(arena, partition, buffer, at, count, day, plays):
                outcome = ARENA_FULL
                is_over = True
                continue
        else:
            note_row(seen, seen_count, hot.slots, at, count, hashed, day, plays)
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
            position = found.next
            lines += found.lines
    if outcome == DONE and position == end and not is_last and state.stop > end:
        outcome = NEEDS_BYTES
    state.position = position
    state.pairs = pair_count
    state.seen = seen_count
    state.lines = lines
    state.rows_counted += rows
    state.plays_low = low
    state.plays_high = high
    return outcome
