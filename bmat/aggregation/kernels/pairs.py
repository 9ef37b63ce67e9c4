"""The plays of hot songs: pairs of a cell and plays, packed on their way through files, added up in
cells, and turned into rows.

There is a cell for each of a song's days, song after song: it holds the sum of its rows' plays plus
one, so that a sum of zero is no empty cell.
"""

import numpy as np

from bmat.aggregation.kernels.arrays import (
    LARGEST_HOT_PLAYS,
    PAIR_PLAYS_BITS,
    ArenaArrays,
    HotSongs,
    Int64,
    Ints,
    UInt32s,
    UInt64,
    Words,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import copy_bytes, prefetch, store64
from bmat.aggregation.kernels.rows import RUN, RUN_PLAYS_BITS, append_row, room_for, row_word

# Cells lie far from each other: they are asked for so many pairs before they are needed.
PAIRS_AHEAD = 24
MOST_RUN_DAYS = 512


@kernel
def add_pairs(cells: Words, pairs: Words, count: Int64) -> Int64:
    """Add `count` pairs `cell:40 | plays:24` to the cells; returns their number."""
    for index in range(count):
        ahead = pairs[np.uint64(min(index + PAIRS_AHEAD, count - 1))]
        prefetch(cells, np.int64(ahead >> np.uint64(PAIR_PLAYS_BITS)))
        pair = pairs[np.uint64(index)]
        cell = pair >> np.uint64(PAIR_PLAYS_BITS)
        plays = pair & np.uint64(LARGEST_HOT_PLAYS - 1)
        cells[cell] = max(cells[cell], np.uint64(1)) + plays
    return count


@kernel
def pack_pairs(
    pairs: Words,
    days: Int64,
    partitions: Ints,
    first_cells: Words,
    plays_bits: Words,
    packed: UInt32s,
    firsts: Ints,
) -> Int64:
    """Pack the pairs, partition after partition: those of song s belong to `partitions[s]`, and
    those of partition p are `packed[firsts[p]:firsts[p + 1]]` then. `firsts` are zeros at first.
    Returns the number of pairs.

    A pair becomes a word of 32 bits: its cell, counted from `first_cells[p]`, above `plays_bits[p]`
    bits of plays. Where plays are not below the largest number that these bits hold, that stands
    there, and the plays are the next word.
    """
    days = np.uint64(days)
    for index in range(len(pairs)):
        pair = pairs[np.uint64(index)]
        partition = np.uint64(partitions[(pair >> np.uint64(PAIR_PLAYS_BITS)) // days])
        most = (np.uint64(1) << plays_bits[partition]) - np.uint64(1)
        is_long = pair & np.uint64(LARGEST_HOT_PLAYS - 1) >= most
        firsts[partition] += np.int64(2) if is_long else np.int64(1)
    for number in range(1, len(firsts)):
        firsts[number] += firsts[number - 1]
    for index in range(len(pairs) - 1, -1, -1):
        pair = pairs[np.uint64(index)]
        cell = pair >> np.uint64(PAIR_PLAYS_BITS)
        plays = pair & np.uint64(LARGEST_HOT_PLAYS - 1)
        partition = np.uint64(partitions[cell // days])
        most = (np.uint64(1) << plays_bits[partition]) - np.uint64(1)
        if plays >= most:
            firsts[partition] -= 1
            packed[np.uint64(firsts[partition])] = np.uint32(plays)
            plays = most
        firsts[partition] -= 1
        word = (cell - first_cells[partition]) << plays_bits[partition] | plays
        packed[np.uint64(firsts[partition])] = np.uint32(word)
    return len(pairs)


@kernel
def add_packed_pairs(cells: Words, packed: UInt32s, plays_bits: UInt64) -> Int64:
    """Add the pairs that `pack_pairs` has packed for one partition to its cells. Returns how many
    words they were.
    """
    plays_bits = np.uint64(plays_bits)
    most = (np.uint64(1) << plays_bits) - np.uint64(1)
    count = len(packed)
    index = 0
    while index < count:
        ahead = np.uint64(packed[np.uint64(min(index + PAIRS_AHEAD, count - 1))])
        prefetch(cells, np.int64(ahead >> plays_bits))
        word = np.uint64(packed[np.uint64(index)])
        cell, plays = word >> plays_bits, word & most
        if plays == most:
            index += 1
            plays = np.uint64(packed[np.uint64(index)])
        cells[cell] = max(cells[cell], np.uint64(1)) + plays
        index += 1
    return count


@kernel
def empty_cells(cell: Int64, stop: Int64, cells: Words, hot: HotSongs, arena: ArenaArrays) -> Int64:
    """Turn the cells from number `cell` to `stop` into rows of the first partition: runs of days.

    Returns the cell at which the arena was full (call again from there), else `stop`.
    """
    days = hot.days
    first_day = hot.first_day
    hot_starts = hot.starts
    hot_texts = hot.texts
    partition = np.int64(0)
    while cell < stop:
        song = cell // days
        last = min(song * days + days, stop)
        start = hot_starts[song]
        count = hot_starts[song + 1] - start - 8
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
                total = np.int64(plays)
                if not append_row(arena, partition, hot_texts, start, count, day, total):
                    return cell
                run = np.int64(0)
            else:
                if run == 0 or run == MOST_RUN_DAYS:
                    need = 8 + count + 8 * MOST_RUN_DAYS
                    run_at = room_for(arena, partition, need)
                    if run_at < 0:
                        return cell
                    copy_bytes(arena.bytes, run_at + 8, hot_texts, start, count)
                    at = run_at + 8 + count
                    run = np.int64(0)
                store64(arena.bytes, at, (np.uint64(day) << np.uint64(RUN_PLAYS_BITS)) | plays)
                at += 8
                run += 1
                store64(arena.bytes, run_at, row_word(count, RUN, 0, run))
                arena.heads[0] = at
            cell += 1
    return cell
