"""Hot songs: whether a row is of one, and where it goes: to the pairs, or to its partition.

Rows that may be of a hot song are `seen` first, and placed in a batch: so the memory that tells hot
songs from others, which lies far apart, is asked for long before it is needed.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    LARGEST_HOT_PLAYS,
    PAIR_PLAYS_BITS,
    SEEN_FIELDS,
    HotSongs,
    Int64,
    Ints,
    PaddedBytes,
    Words,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import copy_bytes, inlined, prefetch, same_bytes
from bmat.aggregation.kernels.rows import append_row, locate, locate_in_bucket

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
