"""Rows on their way from the blocks to the partitions, for the compiled kernels.

A row is a word `length:8 | kind:2 | day:22 | plays:32`, then, where `length` is LONG, a word
with the song's length; where the kind is WIDE, a word with the plays; then the song's bytes. In a
RUN, `plays` is the number of words `day:22 | plays:42` that follow the song.

Rows of one partition are collected in chunks of an arena. `heads` holds for each partition
[next free byte, end, start] of its open chunk; `chunks` lists [partition, start, end] of the
full ones.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import CHUNK_FIELDS, HEAD_FIELDS
from bmat.aggregation.kernels.bytes import (
    COPY_SLACK,
    compare_bytes,
    copy_bytes,
    inlined,
    load64,
    prefetch,
    store64,
    swap64,
)

LONG = 255
PLAIN, WIDE, RUN = 0, 1, 2
RUN_PLAYS_BITS = 42

CHUNK_SLACK = COPY_SLACK
# As many whole bytes as a key holds.
KEY_BYTES = 15
MOST_KEY = np.uint64(2**63 - 1)
# The masks of a song's first two words by its length. Most lengths have an entry of their own, so
# that nothing hangs on a comparison that goes one way for one song and the other for the next.
MOST_MASKED = 255
KEY_MASKS = np.array(
    [
        256 ** min(max(length - before, 0), 8) - 1
        for length in range(MOST_MASKED + 1)
        for before in (0, 8)
    ],
    dtype=np.uint64,
)

# Splitters are found by the first 16 of a key's 126 bits.
BUCKET_BITS = 16
BUCKET_SHIFT = 63 - BUCKET_BITS


@inlined
def locate(split: Any, source: Any, start: Any, count: Any) -> Any:
    """The partition of a song: the number of splitters that are not behind it."""
    splitters = len(split.starts) - 1
    if splitters == 0:
        return 0
    skip = split.skip
    if skip > 0:
        order = compare_bytes(source, start, min(count, skip), split.texts, split.starts[0], skip)
        if order != 0:
            return 0 if order < 0 else splitters
    front, back = key_pair(source, start + skip, max(count - skip, 0))
    low = first_not_below(split.keys, front, back, splitters)
    if low < splitters and is_key(split.keys, low, front, back):
        return locate_among_ties(split, source, start, count, low)
    return low


@inlined
def locate_in_bucket(buckets: Any, source: Any, start: Any, count: Any) -> Any:
    """`locate`, faster, where the keys are all there is of the splitters, and few of them begin
    with the same two bytes.

    Of the splitters whose highest bits are b the first is number `starts[b]`, and there are at most
    `width`. All of these are compared, with vector instructions: no comparison waits for the one
    before. `keys` holds the keys' first numbers and, `len(keys) // 2` behind, their second ones;
    there, more than any key follows the last.
    """
    unsigned_front, unsigned_back = key_pair(source, start, count)
    front = np.int64(unsigned_front)
    back = np.int64(unsigned_back)
    keys = buckets.keys
    behind = np.uint64(len(keys) // 2)
    first = np.uint64(buckets.starts[np.uint64(front >> BUCKET_SHIFT)])
    found = np.int64(first)
    for number in range(buckets.width):
        at = first + np.uint64(number)
        is_below = keys[at] < front
        is_equal = keys[at] == front
        found += np.int64(is_below | (is_equal & (keys[at + behind] <= back)))
    return found


@inlined
def locate_among_ties(split: Any, source: Any, start: Any, count: Any, low: Any) -> Any:
    """`locate` where splitter `low` is the first of those with the song's key."""
    keys = split.keys
    starts = split.starts
    front = keys[2 * low]
    back = keys[2 * low + 1]
    splitters = len(starts) - 1
    high = splitters
    if back < MOST_KEY:
        high = first_not_below(keys, front, back + np.uint64(1), splitters)
    while low < high:
        middle = (low + high) >> 1
        length = starts[middle + 1] - starts[middle]
        if compare_bytes(split.texts, starts[middle], length, source, start, count) <= 0:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def key_pair(source: Any, start: Any, count: Any) -> Any:
    """The first 126 bits of a song as two numbers of 63 bits, zeros behind a short one."""
    masks = np.uint64(2 * min(count, MOST_MASKED))
    first = swap64(load64(source, start) & KEY_MASKS[masks])
    second = swap64(load64(source, start + 8) & KEY_MASKS[masks + np.uint64(1)])
    front = first >> np.uint64(1)
    back = ((first & np.uint64(1)) << np.uint64(62)) | (second >> np.uint64(2))
    return front, back


@inlined
def is_key(keys: Any, number: Any, front: Any, back: Any) -> Any:
    """Whether this is the key of a splitter."""
    at = np.uint64(2 * number)
    # One comparison, not two: the first one alone would often hold, and often not.
    return ((keys[at] ^ front) | (keys[at + np.uint64(1)] ^ back)) == np.uint64(0)


@inlined
def first_not_below(keys: Any, front: Any, back: Any, count: Any) -> Any:
    """The number of sorted keys that are below the one of `front` and `back`.

    The sign of an unsigned difference stands for the comparison: of anything else the compiler
    makes a jump, which goes the wrong way half of the time.
    """
    base = np.uint64(0)
    length = np.uint64(count)
    while length > np.uint64(0):
        half = (length + np.uint64(1)) >> np.uint64(1)
        at = (base + half - np.uint64(1)) << np.uint64(1)
        borrow = (keys[at + np.uint64(1)] - back) >> np.uint64(63)
        is_below = (keys[at] - front - borrow) >> np.uint64(63)
        base += half & (np.uint64(0) - is_below)
        length -= half
    return np.int64(base)


@inlined
def room_for(arena: Any, partition: Any, need: Any) -> Any:
    """Where `need` bytes of a partition may be written; -1 where the arena is full."""
    heads = arena.heads
    state = arena.state
    head = HEAD_FIELDS * partition
    at = heads[np.uint64(head)]
    if at + need <= heads[np.uint64(head + 1)]:
        return at
    size = max(state.chunk_bytes, need + CHUNK_SLACK)
    start = state.next_byte
    number = state.chunks
    if start + size > state.arena_bytes or number >= state.most_chunks:
        return np.int64(-1)
    if at > heads[head + 2]:
        arena.chunks[CHUNK_FIELDS * number] = partition
        arena.chunks[CHUNK_FIELDS * number + 1] = heads[head + 2]
        arena.chunks[CHUNK_FIELDS * number + 2] = at
        state.chunks = number + 1
    heads[head] = start
    heads[head + 1] = start + size - CHUNK_SLACK
    heads[head + 2] = start
    state.next_byte = start + size
    return start


@inlined
def append_row(
    arena: Any,
    partition: Any,
    source: Any,
    start: Any,
    count: Any,
    day: Any,
    plays: Any,
) -> Any:
    """Append one row to its partition; False, and nothing done, where the arena is full."""
    is_wide = plays >= 2**32
    need = 8 + count
    if is_wide:
        need += 8
    if count >= LONG:
        need += 8
    at = room_for(arena, partition, need)
    if at < 0:
        return False
    arena.heads[np.uint64(HEAD_FIELDS * partition)] = at + need
    # The partition's next rows go to lines that no cache has: they are asked for in time.
    prefetch(arena.bytes, at + need + COPY_SLACK)
    length = min(count, LONG)
    if is_wide or count >= LONG:
        kind = WIDE if is_wide else PLAIN
        store64(arena.bytes, at, row_word(length, kind, day, 0 if is_wide else plays))
        at += 8
        if count >= LONG:
            store64(arena.bytes, at, np.uint64(count))
            at += 8
        if is_wide:
            store64(arena.bytes, at, np.uint64(plays))
            at += 8
    else:
        store64(arena.bytes, at, row_word(length, PLAIN, day, plays))
        at += 8
    copy_bytes(arena.bytes, at, source, start, count)
    return True


@inlined
def row_word(length: Any, kind: Any, day: Any, plays: Any) -> Any:
    """The first word of a row."""
    return (
        np.uint64(length)
        | (np.uint64(kind) << np.uint64(8))
        | (np.uint64(day) << np.uint64(10))
        | (np.uint64(plays) << np.uint64(32))
    )
