"""Kernels that put the songs of one partition in the order of their bytes."""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    Int64,
    Ints,
    PaddedBytes,
    SortedArrays,
    TableArrays,
    Words,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import (
    compare_bytes,
    inlined,
    load8,
    sort_key,
)
from bmat.aggregation.kernels.sort import sort_by


@kernel
def song_keys(starts: Ints, texts: PaddedBytes, songs: Int64, keys: Words) -> Int64:
    """Fill `keys` with numbers that sort as the songs do, up to ties. Returns the number of first
    bytes that all songs share, which the keys leave out.
    """
    first = starts[0]
    skip = starts[1] - first
    for song in range(1, songs):
        start = starts[song]
        skip = min(skip, starts[song + 1] - start)
        at = 0
        while at < skip and load8(texts, first + at) == load8(texts, start + at):
            at += 1
        skip = at
    for song in range(songs):
        start = starts[song] + skip
        keys[song] = sort_key(texts, start, starts[song + 1] - start)
    return skip


@inlined
def is_before(songs: Any, a: Any, b: Any) -> Any:
    """Whether song a sorts before song b; `songs` are their starts and texts."""
    starts, texts = songs
    a_start = starts[a]
    b_start = starts[b]
    order = compare_bytes(
        texts, a_start, starts[a + 1] - a_start, texts, b_start, starts[b + 1] - b_start
    )
    return order < 0


@inlined
def end_of_ties(keys: Any, low: Any, count: Any) -> Any:
    """Where, in `count` sorted keys, those that are the same as number `low` end."""
    high = low + 1
    while high < count and keys[high] == keys[low]:
        high += 1
    return high


@kernel
def tie_bytes(keys: Words, count: Int64) -> Int64:
    """How many bytes of a song fit into a key behind the number of its group, where songs with the
    same of `count` sorted `keys` are a group.
    """
    groups = np.int64(0)
    low = np.int64(0)
    while low < count:
        high = end_of_ties(keys, low, count)
        groups += high - low > 1
        low = high
    used = np.int64(1)
    while groups >> (8 * used) > 0:
        used += 1
    return 8 - used


@kernel
def find_ties(
    table: TableArrays, ordered: SortedArrays, count: Int64, depth: Int64, text_bytes: Int64
) -> Int64:
    """Keep, of `count` sorted `keys`, those that occur more than once, and their `places` in
    `order`. Their new keys sort by the old one first, then by `text_bytes` of the song from byte
    `depth` on. Returns how many there are.
    """
    order = ordered.order
    places = ordered.places
    keys = ordered.keys
    starts = table.starts
    kept = np.int64(0)
    group = np.uint64(0)
    low = np.int64(0)
    while low < count:
        high = end_of_ties(keys, low, count)
        if high - low > 1:
            head = group << np.uint64(8 * text_bytes)
            for at in range(low, high):
                place = places[at]
                start = starts[order[place]] + depth
                length = max(starts[order[place] + 1] - start, 0)
                text = sort_key(table.texts, start, length) >> np.uint64(64 - 8 * text_bytes)
                places[kept] = place
                keys[kept] = head | text
                kept += 1
            group += np.uint64(1)
        low = high
    return kept


@kernel
def settle_ties(table: TableArrays, ordered: SortedArrays, count: Int64) -> None:
    """Put the songs whose sorted `keys` are the same in their true order."""
    songs = (table.starts, table.texts)
    places = ordered.places
    keys = ordered.keys
    low = np.int64(0)
    while low < count:
        high = end_of_ties(keys, low, count)
        if high - low > 1:
            sort_by(is_before, songs, ordered.order, places[low], places[low] + high - low)
        low = high
