"""Kernels that take rows (see `kernels.rows`) out of a buffer: into one partition's table of songs
and list of values; or, where that has no room for them, into smaller partitions.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    DAY_SHIFT,
    HEAD_FIELDS,
    INDEX_FLAG,
    INGESTED_FIELDS,
    INGESTED_ROWS,
    VALUE_MASK,
    ArenaArrays,
    Extents,
    Int64,
    Ints,
    PaddedBytes,
    Splitters,
    TableArrays,
    TableState,
    UInt64,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import (
    COPY_SLACK,
    copy_bytes,
    hash_bytes,
    inlined,
    load64,
    prefetch,
    same_bytes,
)
from bmat.aggregation.kernels.rows import LONG, RUN, RUN_PLAYS_BITS, WIDE, locate, room_for

# What made `ingest_rows` return.
ALL_IN, SONGS_FULL, TEXTS_FULL, ROWS_FULL, WIDE_FULL = 0, 1, 2, 3, 4


@inlined
def row_extent(buffer: Any, at: Any, end: Any) -> Any:
    """Of the row at `at`: (first byte of the song, its length, the row's end), or an end of -1
    where the row is not whole.
    """
    if at + 8 > end:
        return np.int64(0), np.int64(0), np.int64(-1)
    word = load64(buffer, at)
    count = np.int64(word & np.uint64(255))
    kind = np.int64((word >> np.uint64(8)) & np.uint64(3))
    song = at + 8
    if count == LONG:
        if at + 16 > end:
            return np.int64(0), np.int64(0), np.int64(-1)
        count = np.int64(load64(buffer, song))
        song += 8
    if kind == WIDE:
        song += 8
    stop = song + count
    if kind == RUN:
        stop += 8 * np.int64(word >> np.uint64(32))
    if stop > end:
        return np.int64(0), np.int64(0), np.int64(-1)
    return song, count, stop


@inlined
def grow_slots(slots: Any, used: Any, hashes: Any, songs: Any) -> Any:
    """Spread the songs over four times as many slots; returns their number."""
    larger = used * 4
    for slot in range(larger):
        slots[slot] = np.uint64(0)
    mask = np.uint64(larger - 1)
    for number in range(songs):
        hashed = hashes[number]
        slot = hashed & mask
        while slots[slot] != np.uint64(0):
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = ((hashed >> np.uint64(32)) << np.uint64(32)) | np.uint64(number + 1)
    return larger


@inlined
def store_value(values: Any, wide: Any, state: Any, at: Any, day: Any, plays: Any) -> None:
    """Write one value; the caller has seen to it that there is room in both lists."""
    if plays > VALUE_MASK:
        wide[state.wide] = plays
        values[at] = (day << DAY_SHIFT) | INDEX_FLAG | np.uint64(state.wide)
        state.wide += 1
    else:
        values[at] = (day << DAY_SHIFT) | plays


@kernel
def ingest_rows(
    buffer: PaddedBytes, extents: Extents, table: TableArrays, seen: Ints, hash_key: UInt64
) -> Int64:
    """Take in the whole rows of `buffer[position:end]`, then those of the extents from number
    `state.extent` on; returns what stopped it.
    """
    state = table.state
    slots = table.slots
    starts = table.starts
    texts = table.texts
    values = table.values
    wide = table.wide
    position = state.position
    end = state.end
    rows = state.rows
    songs = state.songs
    outcome = ALL_IN
    mask = np.uint64(state.slots - 1)
    seen_at = np.int64(0)
    seen_count = np.int64(0)
    while True:
        # The slots of the next rows are asked for before the first of them is looked at.
        if seen_at == seen_count:
            seen_at = np.int64(0)
            seen_count = np.int64(0)
            ahead = position
            while seen_count < INGESTED_ROWS:
                song, count, stop = row_extent(buffer, ahead, end)
                if stop < 0:
                    break
                hashed = hash_bytes(buffer, song, count, hash_key)
                prefetch(slots, np.int64(hashed & mask))
                entry = np.uint64(INGESTED_FIELDS * seen_count)
                seen[entry] = song
                seen[entry + np.uint64(1)] = count
                seen[entry + np.uint64(2)] = stop
                seen[entry + np.uint64(3)] = np.int64(hashed)
                seen_count += 1
                ahead = stop
            # The names of the songs found there are asked for next; of no song, the first one's.
            for index in range(seen_count):
                hashed = np.uint64(seen[np.uint64(INGESTED_FIELDS * index + 3)])
                entry = slots[hashed & mask] & np.uint64(0xFFFFFFFF)
                prefetch(texts, starts[max(entry, np.uint64(1)) - np.uint64(1)])
            if seen_count == 0:
                if state.extent == len(extents):
                    break
                position = extents[state.extent, 0]
                end = extents[state.extent, 1]
                state.extent += 1
                continue
        place = np.uint64(INGESTED_FIELDS * seen_at)
        song = seen[place]
        count = seen[place + np.uint64(1)]
        stop = seen[place + np.uint64(2)]
        hashed = np.uint64(seen[place + np.uint64(3)])
        seen_at += 1
        word = load64(buffer, position)
        kind = np.int64((word >> np.uint64(8)) & np.uint64(3))
        row_count = np.int64(word >> np.uint64(32)) if kind == RUN else np.int64(1)
        if rows + row_count > len(values):
            outcome = ROWS_FULL
            break
        if state.wide + row_count > len(wide):
            outcome = WIDE_FULL
            break
        tag = hashed >> np.uint64(32)
        slot = hashed & mask
        number = np.int64(-1)
        while True:
            entry = slots[slot]
            if entry == np.uint64(0):
                break
            if entry >> np.uint64(32) == tag:
                candidate = np.int64(entry & np.uint64(0xFFFFFFFF)) - 1
                begin = starts[np.uint64(candidate)]
                if starts[np.uint64(candidate + 1)] - begin == count:
                    if same_bytes(texts, begin, buffer, song, count):
                        number = candidate
                        break
            slot = (slot + np.uint64(1)) & mask
        if number < 0:
            if songs + 1 >= len(starts) or 8 * (songs + 1) > 5 * len(slots):
                outcome = SONGS_FULL
                break
            begin = state.text_bytes
            if begin + count + COPY_SLACK > len(texts):
                outcome = TEXTS_FULL
                break
            number = songs
            copy_bytes(texts, begin, buffer, song, count)
            starts[number] = begin
            starts[number + 1] = begin + count
            state.text_bytes = begin + count
            table.hashes[number] = hashed
            table.counts[number] = 0
            slots[slot] = (tag << np.uint64(32)) | np.uint64(number + 1)
            songs += 1
            if 2 * songs > state.slots and 4 * state.slots <= len(slots):
                state.slots = grow_slots(slots, state.slots, table.hashes, songs)
                mask = np.uint64(state.slots - 1)
        if kind == RUN:
            for index in range(row_count):
                total = load64(buffer, song + count + 8 * index)
                day = total >> np.uint64(RUN_PLAYS_BITS)
                plays = total & np.uint64((1 << RUN_PLAYS_BITS) - 1)
                table.row_songs[rows + index] = np.uint32(number)
                store_value(values, wide, state, rows + index, day, plays)
        else:
            day = (word >> np.uint64(10)) & np.uint64(0x3FFFFF)
            plays = load64(buffer, song - 8) if kind == WIDE else word >> np.uint64(32)
            table.row_songs[np.uint64(rows)] = np.uint32(number)
            store_value(values, wide, state, rows, day, plays)
        table.counts[np.uint64(number)] += row_count
        rows += row_count
        position = stop
    state.position = position
    state.end = end
    state.rows = rows
    state.songs = songs
    return outcome


@kernel
def divide_rows(
    buffer: PaddedBytes, state: TableState, splitters: Splitters, arena: ArenaArrays
) -> Int64:
    """Pass the whole rows of `buffer[position:end]` on into partitions; 1 where the arena is
    full, else 0.
    """
    position = state.position
    end = state.end
    outcome = 0
    while position < end:
        song, count, stop = row_extent(buffer, position, end)
        if stop < 0:
            break
        partition = locate(splitters, buffer, song, count)
        need = stop - position
        at = room_for(arena, partition, need)
        if at < 0:
            outcome = 1
            break
        copy_bytes(arena.bytes, at, buffer, position, need)
        arena.heads[HEAD_FIELDS * partition] = at + need
        position = stop
    state.position = position
    return outcome


# What `sample_rows` keeps: how many bytes it passes over before the next row that it takes, which
# step that is, and how many rows it has found; then [song's first byte, its length] of each.
N_LEFT, N_STEP, N_FOUND, N_SONGS = range(4)


@kernel
def sample_rows(buffer: PaddedBytes, state: TableState, steps: Ints, sampled: Ints) -> Int64:
    """Find the rows of `buffer[position:end]` that lie `steps` bytes apart; 1 where `sampled` is
    full, else 0.
    """
    position = state.position
    end = state.end
    left = sampled[N_LEFT]
    step = sampled[N_STEP]
    found = np.int64(0)
    most = (len(sampled) - N_SONGS) // 2
    while position < end and found < most:
        song, count, stop = row_extent(buffer, position, end)
        if stop < 0:
            break
        left -= stop - position
        if left < 0:
            sampled[N_SONGS + 2 * found] = song
            sampled[N_SONGS + 2 * found + 1] = count
            found += 1
            step = (step + 1) % len(steps)
            left = steps[step]
        position = stop
    state.position = position
    sampled[N_LEFT] = left
    sampled[N_STEP] = step
    sampled[N_FOUND] = found
    return np.int64(found == most)
