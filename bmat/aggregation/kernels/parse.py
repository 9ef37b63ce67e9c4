"""The kernel that reads a block: bytes into rows, each in its partition or in a hot cell.

The clean record, whatever its language and its other columns, takes a fast path: see `clean`. Any
other is split, unquoted and judged field by field; what cannot be counted goes to the rejects.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    CLEAN_KEYS,
    CLEAN_SONGS,
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
    RecordRules,
    RecordVerdict,
    Splitters,
    UInt64,
    Words,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import ONES, hash_bytes, inlined
from bmat.aggregation.kernels.clean import (
    BYTE_ORDER_MARK_BYTES,
    read_clean,
    read_clean_key,
    starts_with_mark,
)
from bmat.aggregation.kernels.hot import note_row, place_seen
from bmat.aggregation.kernels.judge import judge, list_reject
from bmat.aggregation.kernels.rows import append_row, locate_in_bucket
from bmat.aggregation.kernels.split import CUT_OFF, line_end_at, split_record

# What made the kernel return.
DONE, NEEDS_BYTES, ARENA_FULL, REJECTS_FULL = 0, 1, 2, 3


@inlined
def add_plays(state: Any, plays: Any) -> None:
    """Add plays to the sum, which has two words."""
    state.plays_low += plays
    if state.plays_low < plays:
        state.plays_high += np.uint64(1)


@kernel
def read_record(
    buffer: PaddedBytes,
    end: Int64,
    is_last: Int64,
    found: FoundFields,
    layout: RecordLayout,
    rules: RecordRules,
    scratch: Int64,
    month_starts: Int32s,
    verdict: RecordVerdict,
) -> Int64:
    """Judge the one record that starts at `verdict.next` of `buffer[:end]`, as `parse_block` does
    with those that are not clean. Returns 0 where it does not end there, or none starts.
    """
    at = verdict.next
    while at < end:
        size = line_end_at(buffer, at, end, is_last, rules.has_cr_ends)
        if size > 0:
            at += size
            verdict.line += 1
        elif starts_with_mark(buffer, at) and at + BYTE_ORDER_MARK_BYTES <= end:
            at += BYTE_ORDER_MARK_BYTES
        else:
            break
    if at >= end:
        return 0
    delimiters = np.uint64(layout.delimiter) * ONES
    status = split_record(found, buffer, at, end, is_last, delimiters, layout, rules)
    if status == CUT_OFF:
        return 0
    reason, key, count, day, plays = judge(
        status, found, layout, rules, buffer, at, scratch, month_starts
    )
    verdict.start = at
    verdict.reason = reason
    verdict.key = key
    verdict.key_bytes = count
    verdict.day = day
    verdict.plays = plays
    return 1


@kernel
def parse_block(
    buffer: PaddedBytes,
    state: ParseState,
    found: FoundFields,
    layout: RecordLayout,
    rules: RecordRules,
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
    From `buffer[scratch]` on there is room for as many bytes again: for keys that are put together,
    and for fields that are unquoted.
    """
    position = state.position
    end = state.end
    stop = min(state.stop, end)
    is_last = state.is_last != 0
    delimiters = np.uint64(layout.delimiter) * ONES
    first = min(min(layout.song, layout.date), layout.plays)
    last = max(max(layout.song, layout.date), layout.plays)
    columns = (first, layout.song + layout.date + layout.plays - first - last, last)
    most_clean = min(layout.most_song, layout.most_quoted)
    # Where no song is hot there is nothing to wait for.
    is_direct = len(pairs) == 0 and buckets.width > 0
    pair_count = state.pairs
    seen_count = state.seen
    # What an earlier call had no room for comes first.
    most_seen = 0 if seen_count > 0 else SEEN_BATCH
    clean_rows = np.int64(0)
    clean_plays = np.uint64(0)
    outcome = DONE
    # How far clean records are looked for.
    clean_stop = stop if layout.clean == CLEAN_SONGS else position
    clean_key_stop = stop if layout.clean == CLEAN_KEYS else position
    # Where the next key may be put together: behind those that wait to be placed.
    room = scratch
    while True:
        # The fewer values live in this loop, the more of them the compiler keeps in registers: it
        # counts only what is clean.
        while position < clean_stop and seen_count < most_seen:
            at, count, hashed, day, plays, follower = read_clean(
                buffer, position, end, layout, columns, hash_key, month_starts
            )
            if follower < 0 or count > most_clean:
                break
            if is_direct:
                partition = locate_in_bucket(buckets, buffer, at, count)
                if not append_row(arena, partition, buffer, at, count, day, plays):
                    outcome = ARENA_FULL
                    break
            else:
                note_row(seen, seen_count, hot.slots, at, count, hashed, day, plays)
                seen_count += 1
            clean_rows += 1
            clean_plays += np.uint64(plays)
            position = follower
        while position < clean_key_stop and seen_count < most_seen:
            at, count, hashed, day, plays, follower = read_clean_key(
                buffer, position, end, layout, rules, found, hash_key, month_starts, room
            )
            if follower < 0 or count > most_clean:
                break
            if is_direct:
                partition = locate_in_bucket(buckets, buffer, at, count)
                if not append_row(arena, partition, buffer, at, count, day, plays):
                    outcome = ARENA_FULL
                    break
            else:
                note_row(seen, seen_count, hot.slots, at, count, hashed, day, plays)
                seen_count += 1
                room = at + count
            clean_rows += 1
            clean_plays += np.uint64(plays)
            position = follower
        if outcome != DONE:
            break
        if position >= stop or seen_count >= most_seen:
            seen_count, pair_count = place_seen(
                seen, seen_count, buffer, hot, pairs, pair_count, splitters, buckets, arena
            )
            most_seen = SEEN_BATCH
            room = scratch
            if seen_count > 0:
                outcome = ARENA_FULL
                break
            if position >= stop:
                break
            continue
        size = line_end_at(buffer, position, end, is_last, rules.has_cr_ends)
        if size > 0:
            position += size
            state.lines += 1
            continue
        if size == 0 and starts_with_mark(buffer, position):
            if position + BYTE_ORDER_MARK_BYTES <= end:
                position += BYTE_ORDER_MARK_BYTES
                continue
        status = CUT_OFF
        if size == 0:
            status = split_record(found, buffer, position, end, is_last, delimiters, layout, rules)
        if status == CUT_OFF:
            stop = position
            clean_stop = position
            clean_key_stop = position
            continue
        reason, at, count, day, plays = judge(
            status, found, layout, rules, buffer, position, room, month_starts
        )
        if reason >= 0:
            state.lines += clean_rows
            state.rows_counted += clean_rows
            clean_rows = np.int64(0)
            if not list_reject(state, rejects, buffer, position, found.stop, reason):
                outcome = REJECTS_FULL
                break
            position = found.next
            state.lines += found.lines
            continue
        if is_direct:
            partition = locate_in_bucket(buckets, buffer, at, count)
            if not append_row(arena, partition, buffer, at, count, day, plays):
                outcome = ARENA_FULL
                break
        else:
            hashed = hash_bytes(buffer, at, count, hash_key)
            note_row(seen, seen_count, hot.slots, at, count, hashed, day, plays)
            seen_count += 1
            if at >= room:
                room = at + count
        state.rows_counted += 1
        state.lines += found.lines
        add_plays(state, np.uint64(plays))
        position = found.next
    if outcome == DONE and position < min(state.stop, end + (not is_last)):
        outcome = NEEDS_BYTES
    state.lines += clean_rows
    state.rows_counted += clean_rows
    add_plays(state, clean_plays)
    state.position = position
    state.pairs = pair_count
    state.seen = seen_count
    return outcome
