"""Kernels for the cells of hot songs: one for each of a song's days, song after song.

A cell holds the sum of its rows' plays plus one, so that a sum of zero is no empty cell.
"""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import kernel
from bmat.aggregation.kernel_bytes import copy_bytes
from bmat.aggregation.kernel_places import (
    LARGEST_HOT_PLAYS,
    PAIR_PLAYS_BITS,
    SLOT_FIELDS,
    SLOT_NUMBER_SHIFT,
    SLOT_START_SHIFT,
    slot_mask,
)
from bmat.aggregation.kernel_rows import (
    HEAD_FIELDS,
    RUN,
    RUN_PLAYS_BITS,
    append_row,
    locate,
    room_for,
    row_word,
)
from bmat.aggregation.kernel_words import prefetch, store64
from bmat.aggregation.padded import PaddedBytes

MOST_RUN_DAYS = 512
# Cells lie far from each other: they are asked for so many pairs before they are needed.
PAIRS_AHEAD = 24


@kernel("i8(i8[::1], u1[::1], i8[::1], i8[::1], u8[::1], u8[::1], i8[::1], u1[::1])")
def fill_hot(
    chosen: Any,
    texts: PaddedBytes,
    starts: Any,
    lengths: Any,
    hashes: Any,
    hot_slots: Any,
    hot_starts: Any,
    hot_texts: PaddedBytes,
) -> Any:
    """Make the tables of the hot songs out of the `chosen` ones of a sample; returns their number.

    Each text has eight bytes behind it that may be read. For the slots, which are a power of two,
    see `kernel_places`.
    """
    mask = slot_mask(hot_slots)
    for number in range(len(chosen)):
        song = chosen[number]
        start = hot_starts[number]
        copy_bytes(hot_texts, start, texts, starts[song], lengths[song])
        hot_starts[number + 1] = start + lengths[song] + 8
        hashed = hashes[song]
        slot = hashed & mask
        while hot_slots[slot * np.uint64(SLOT_FIELDS) + np.uint64(1)] != np.uint64(0):
            slot = (slot + np.uint64(1)) & mask
        at = slot * np.uint64(SLOT_FIELDS)
        hot_slots[at] = hashed
        hot_slots[at + np.uint64(1)] = (
            (np.uint64(number + 1) << SLOT_NUMBER_SHIFT)
            | (np.uint64(start) << SLOT_START_SHIFT)
            | np.uint64(lengths[song])
        )
    return len(chosen)


@kernel("i8(u8[::1], u8[::1], i8)")
def add_pairs(cells: Any, pairs: Any, count: int) -> Any:
    """Add `count` pairs `cell:40 | plays:24` to the cells; returns their number."""
    for index in range(count):
        ahead = pairs[np.uint64(min(index + PAIRS_AHEAD, count - 1))]
        prefetch(cells, np.int64(ahead >> np.uint64(PAIR_PLAYS_BITS)))
        pair = pairs[np.uint64(index)]
        cell = pair >> np.uint64(PAIR_PLAYS_BITS)
        plays = pair & np.uint64(LARGEST_HOT_PLAYS - 1)
        cells[cell] = max(cells[cell], np.uint64(1)) + plays
    return count


@kernel(
    "i8(i8, i8, u8[::1], i8, i8, i8[::1], u1[::1], u8[::1], i8[::1], u1[::1], i8, "
    "u1[::1], i8[::1], i8[::1], i8[::1])"
)
def empty_cells(
    cell: Any,
    stop: int,
    cells: Any,
    days: int,
    first_day: int,
    hot_starts: Any,
    hot_texts: PaddedBytes,
    split_keys: Any,
    split_starts: Any,
    split_texts: PaddedBytes,
    skip: int,
    arena: PaddedBytes,
    arena_state: Any,
    heads: Any,
    chunks: Any,
) -> Any:
    """Turn the cells from number `cell` to `stop` into rows: runs of days.

    Returns the cell at which the arena was full (call again from there), else `stop`.
    """
    while cell < stop:
        song = cell // days
        last = min(song * days + days, stop)
        start = hot_starts[song]
        count = hot_starts[song + 1] - start - 8
        partition = locate(split_keys, split_starts, split_texts, skip, hot_texts, start, count)
        run = np.int64(0)
        run_at = np.int64(0)
        at = np.int64(0)
        while cell < last:
            value = cells[np.uint64(cell)]
            day = first_day + cell - song * days
            plays = value - np.uint64(1)
            if value == np.uint64(0):
                pass
            elif plays >> np.uint64(RUN_PLAYS_BITS) != np.uint64(0):
                if not append_row(
                    arena,
                    arena_state,
                    heads,
                    chunks,
                    partition,
                    hot_texts,
                    start,
                    count,
                    day,
                    np.int64(plays),
                ):
                    return cell
                run = np.int64(0)
            else:
                if run == 0 or run == MOST_RUN_DAYS:
                    need = 8 + count + 8 * MOST_RUN_DAYS
                    run_at = room_for(arena_state, heads, chunks, partition, need)
                    if run_at < 0:
                        return cell
                    copy_bytes(arena, run_at + 8, hot_texts, start, count)
                    at = run_at + 8 + count
                    run = np.int64(0)
                store64(arena, at, (np.uint64(day) << np.uint64(RUN_PLAYS_BITS)) | plays)
                at += 8
                run += 1
                store64(arena, run_at, row_word(count, RUN, 0, run))
                heads[np.uint64(HEAD_FIELDS * partition)] = at
            cell += 1
    return cell
