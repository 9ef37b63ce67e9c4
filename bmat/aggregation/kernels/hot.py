"""Hot songs: where a row goes, to the pairs of one of them or to its partition, and their sums.

Rows that may be of a hot song are `seen` first, and placed in a batch: so the memory that tells hot
songs from others, which lies far apart, is asked for long before it is needed. Pairs are added to
cells, one for each of a song's days, song after song: a cell holds the sum of its rows' plays plus
one, so that a sum of zero is no empty cell.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    SEEN_FIELDS,
    ArenaArrays,
    HotSongs,
    Int64,
    Ints,
    PaddedBytes,
    UInt32s,
    UInt64,
    Words,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import (
    copy_bytes,
    inlined,
    prefetch,
    same_bytes,
    store64,
)
from bmat.aggregation.kernels.rows import (
    RUN,
    RUN_PLAYS_BITS,
    append_row,
    locate,
    locate_in_bucket,
    room_for,
    row_word,
)

# So few plays that the sums of a file of petabytes stay below 2^63.
PAIR_PLAYS_BITS = 24
LARGEST_HOT_PLAYS = 2**PAIR_PLAYS_BITS

# A slot of the table of hot songs is a hash, and a word `number plus one:24 | start:32 | length:8`.
SLOT_FIELDS = 2
SLOT_NUMBER_SHIFT = np.uint64(40)
SLOT_START_SHIFT = np.uint64(8)
SLOT_START_MASK = np.uint64(2**32 - 1)
SLOT_LENGTH_MASK = np.uint64(255)

# A row seen: [song's first byte, its length, its hash, day, plays, slot's second word].
S_START, S_COUNT, S_HASH, S_DAY, S_PLAYS, S_SLOT = (np.uint64(field) for field in range(6))


@inlined
def note_row(
    seen: Any,
    number: Any,
    hot_slots: Any,
    start: Any,
    count: Any,
    hashed: Any,
    day: Any,
    plays: Any,
) -> None:
    """Make a row number `number` of those seen."""
    place = np.uint64(SEEN_FIELDS * number)
    seen[place + S_START] = start
    seen[place + S_COUNT] = count
    seen[place + S_HASH] = np.int64(hashed)
    seen[place + S_DAY] = day
    seen[place + S_PLAYS] = plays
    prefetch(hot_slots, SLOT_FIELDS * np.int64(hashed & slot_mask(hot_slots)))


@inlined
def slot_mask(hot_slots: Any) -> Any:
    """What makes the number of a slot of a hash."""
    return np.uint64(len(hot_slots) // SLOT_FIELDS - 1)


@inlined
def find_slot(hot_slots: Any, hashed: Any, count: Any) -> Any:
    """The second word of the slot with this hash and length; 0 for none."""
    mask = slot_mask(hot_slots)
    slot = hashed & mask
    while True:
        at = slot * np.uint64(SLOT_FIELDS)
        word = hot_slots[at + np.uint64(1)]
        if word == np.uint64(0):
            return word
        if hot_slots[at] == hashed and word & SLOT_LENGTH_MASK == np.uint64(count):
            return word
        slot = (slot + np.uint64(1)) & mask


@inlined
def find_slots(seen: Any, seen_count: Any, hot_slots: Any, hot_texts: Any) -> None:
    """Find the slots of the rows seen, and ask for the names of the songs there."""
    for number in range(seen_count):
        place = np.uint64(SEEN_FIELDS * number)
        word = find_slot(hot_slots, np.uint64(seen[place + S_HASH]), seen[place + S_COUNT])
        seen[place + S_SLOT] = np.int64(word)
        prefetch(hot_texts, np.int64((word >> SLOT_START_SHIFT) & SLOT_START_MASK))


@inlined
def place_seen(
    seen: Any,
    seen_count: Any,
    source: Any,
    hot: Any,
    pairs: Any,
    pair_count: Any,
    splitters: Any,
    buckets: Any,
    arena: Any,
) -> Any:
    """Place the rows seen, in order: those of hot songs among the pairs while these have room.

    Returns how many are left, at the front, because the arena is full; and the number of pairs.
    """
    if len(pairs) > 0:
        find_slots(seen, seen_count, hot.slots, hot.texts)
    done = np.int64(0)
    while done < seen_count:
        place = np.uint64(SEEN_FIELDS * done)
        start = seen[place + S_START]
        count = seen[place + S_COUNT]
        day = seen[place + S_DAY]
        plays = seen[place + S_PLAYS]
        cell = np.int64(-1)
        # Where there is no room for more pairs, a hot song's row is one like others.
        if (
            pair_count < len(pairs)
            and plays < LARGEST_HOT_PLAYS
            and 0 <= day - hot.first_day < hot.days
        ):
            word = np.uint64(seen[place + S_SLOT])
            text = np.int64((word >> SLOT_START_SHIFT) & SLOT_START_MASK)
            if word != np.uint64(0) and same_bytes(hot.texts, text, source, start, count):
                cell = (np.int64(word >> SLOT_NUMBER_SHIFT) - 1) * hot.days + day - hot.first_day
        if cell >= 0:
            pairs[np.uint64(pair_count)] = np.uint64(cell << PAIR_PLAYS_BITS | plays)
            pair_count += 1
        else:
            if buckets.width > 0:
                partition = locate_in_bucket(buckets, source, start, count)
            else:
                partition = locate(splitters, source, start, count)
            if not append_row(arena, partition, source, start, count, day, plays):
                break
        done += 1
    left = seen_count - done
    for field in range(SEEN_FIELDS * left if done > 0 else 0):
        seen[np.uint64(field)] = seen[np.uint64(SEEN_FIELDS * done + field)]
    return left, pair_count


MOST_RUN_DAYS = 512
# Cells lie far from each other: they are asked for so many pairs before they are needed.
PAIRS_AHEAD = 24


@kernel
def fill_hot(
    chosen: Ints,
    texts: PaddedBytes,
    starts: Ints,
    lengths: Ints,
    hashes: Words,
    hot: HotSongs,
) -> Int64:
    """Make the tables of the hot songs out of the `chosen` ones of a sample; returns their number.

    Each text has eight bytes behind it that may be read. The slots are a power of two.
    """
    hot_slots = hot.slots
    hot_starts = hot.starts
    hot_texts = hot.texts
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
