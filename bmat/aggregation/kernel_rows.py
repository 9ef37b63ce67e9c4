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

from bmat.aggregation.compiled import inlined
from bmat.aggregation.kernel_bytes import COPY_SLACK, compare_bytes, copy_bytes, sort_key
from bmat.aggregation.kernel_words import store64

LONG = 255
PLAIN, WIDE, RUN = 0, 1, 2
RUN_PLAYS_BITS = 42

HEAD_FIELDS = 3
CHUNK_FIELDS = 3
CHUNK_SLACK = COPY_SLACK

# Fields of the arena's own state.
A_NEXT, A_BYTES, A_CHUNK_BYTES, A_CHUNKS, A_MOST_CHUNKS = 0, 1, 2, 3, 4
ARENA_FIELDS = 5


@inlined
def locate(
    keys: Any, starts: Any, texts: Any, skip: Any, source: Any, start: Any, count: Any
) -> Any:
    """The partition of a song: the number of splitters that are not behind it.

    `texts[starts[i]:starts[i + 1]]` is splitter i; all share their first `skip` bytes; `keys`
    are their next eight.
    """
    splitters = len(keys)
    if splitters == 0:
        return 0
    if skip > 0:
        order = compare_bytes(source, start, min(count, skip), texts, starts[0], skip)
        if order != 0:
            return 0 if order < 0 else splitters
    key = sort_key(source, start + skip, count - skip)
    low = first_not_below(keys, key, splitters)
    if low == splitters or keys[low] != key:
        return low
    high = splitters
    if key != np.uint64(0xFFFFFFFFFFFFFFFF):
        high = first_not_below(keys, key + np.uint64(1), splitters)
    while low < high:
        middle = (low + high) >> 1
        length = starts[middle + 1] - starts[middle]
        if compare_bytes(texts, starts[middle], length, source, start, count) <= 0:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def first_not_below(keys: Any, key: Any, count: Any) -> Any:
    """The number of sorted keys that are below `key`, found without branches to mispredict."""
    base = 0
    length = count
    while length > 1:
        half = length >> 1
        base += half if keys[np.uint64(base + half - 1)] < key else 0
        length -= half
    return base + (1 if keys[np.uint64(base)] < key else 0)


@inlined
def room_for(arena_state: Any, heads: Any, chunks: Any, partition: Any, need: Any) -> Any:
    """Where `need` bytes of a partition may be written; -1 where the arena is full."""
    head = HEAD_FIELDS * partition
    at = heads[np.uint64(head)]
    if at + need <= heads[np.uint64(head + 1)]:
        return at
    size = max(arena_state[A_CHUNK_BYTES], need + CHUNK_SLACK)
    start = arena_state[A_NEXT]
    number = arena_state[A_CHUNKS]
    if start + size > arena_state[A_BYTES] or number >= arena_state[A_MOST_CHUNKS]:
        return np.int64(-1)
    if at > heads[head + 2]:
        chunks[CHUNK_FIELDS * number] = partition
        chunks[CHUNK_FIELDS * number + 1] = heads[head + 2]
        chunks[CHUNK_FIELDS * number + 2] = at
        arena_state[A_CHUNKS] = number + 1
    heads[head] = start
    heads[head + 1] = start + size - CHUNK_SLACK
    heads[head + 2] = start
    arena_state[A_NEXT] = start + size
    return start


@inlined
def append_row(
    arena: Any,
    arena_state: Any,
    heads: Any,
    chunks: Any,
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
    at = room_for(arena_state, heads, chunks, partition, need)
    if at < 0:
        return False
    heads[np.uint64(HEAD_FIELDS * partition)] = at + need
    length = min(count, LONG)
    if is_wide or count >= LONG:
        kind = WIDE if is_wide else PLAIN
        store64(arena, at, row_word(length, kind, day, 0 if is_wide else plays))
        at += 8
        if count >= LONG:
            store64(arena, at, np.uint64(count))
            at += 8
        if is_wide:
            store64(arena, at, np.uint64(plays))
            at += 8
    else:
        store64(arena, at, row_word(length, PLAIN, day, plays))
        at += 8
    copy_bytes(arena, at, source, start, count)
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
