"""Where a row goes, for the compiled kernels: to a hot song's pairs, or to its partition.

Rows that may be of a hot song are `seen` first, and placed in a batch: so the memory that tells hot
songs from others, which lies far apart, is asked for long before it is needed.
"""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import inlined
from bmat.aggregation.kernel_bytes import same_bytes
from bmat.aggregation.kernel_rows import append_row, locate, locate_in_bucket
from bmat.aggregation.kernel_words import prefetch

# So few plays that the sums of a file of petabytes stay below 2^63.
PAIR_PLAYS_BITS = 24
LARGEST_HOT_PLAYS = 2**PAIR_PLAYS_BITS

# A slot of the table of hot songs is a hash, and a word `number plus one:24 | start:32 | length:8`.
SLOT_FIELDS = 2
SLOT_NUMBER_SHIFT = np.uint64(40)
SLOT_START_SHIFT = np.uint64(8)
SLOT_START_MASK = np.uint64(2**32 - 1)
SLOT_LENGTH_MASK = np.uint64(255)

SEEN_BATCH = 64
# A row seen: [song's first byte, its length, its hash, day, plays, slot's second word].
SEEN_FIELDS = 8
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
    hot_slots: Any,
    hot_texts: Any,
    first_day: Any,
    days: Any,
    pairs: Any,
    pair_count: Any,
    bucketed: Any,
    buckets: Any,
    width: Any,
    split_keys: Any,
    split_starts: Any,
    split_texts: Any,
    skip: Any,
    arena: Any,
    arena_state: Any,
    heads: Any,
    chunks: Any,
) -> Any:
    """Place the rows seen, in order: those of hot songs among the pairs while these have room.

    Returns how many are left, at the front, because the arena is full; and the number of pairs.
    """
    if len(pairs) > 0:
        find_slots(seen, seen_count, hot_slots, hot_texts)
    done = np.int64(0)
    while done < seen_count:
        place = np.uint64(SEEN_FIELDS * done)
        start = seen[place + S_START]
        count = seen[place + S_COUNT]
        day = seen[place + S_DAY]
        plays = seen[place + S_PLAYS]
        cell = np.int64(-1)
        # Where there is no room for more pairs, a hot song's row is one like others.
        if pair_count < len(pairs) and plays < LARGEST_HOT_PLAYS and 0 <= day - first_day < days:
            word = np.uint64(seen[place + S_SLOT])
            text = np.int64((word >> SLOT_START_SHIFT) & SLOT_START_MASK)
            if word != np.uint64(0) and same_bytes(hot_texts, text, source, start, count):
                cell = (np.int64(word >> SLOT_NUMBER_SHIFT) - 1) * days + day - first_day
        if cell >= 0:
            pairs[np.uint64(pair_count)] = np.uint64(cell << PAIR_PLAYS_BITS | plays)
            pair_count += 1
        else:
            if width > 0:
                partition = locate_in_bucket(bucketed, buckets, width, source, start, count)
            else:
                partition = locate(
                    split_keys, split_starts, split_texts, skip, source, start, count
                )
            if not append_row(
                arena, arena_state, heads, chunks, partition, source, start, count, day, plays
            ):
                break
        done += 1
    left = seen_count - done
    for field in range(SEEN_FIELDS * left if done > 0 else 0):
        seen[np.uint64(field)] = seen[np.uint64(SEEN_FIELDS * done + field)]
    return left, pair_count
