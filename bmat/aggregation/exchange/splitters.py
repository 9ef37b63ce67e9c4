"""Splitters, the songs at which partitions begin, as tables for the kernels that look them up."""

import os
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bmat.aggregation.kernels.arrays import (
    Buckets,
    Ints,
    Splitters,
    Words,
    padded_bytes,
    padded_copy,
)
from bmat.aggregation.kernels.rows import BUCKET_BITS, BUCKET_SHIFT, KEY_BYTES, MOST_KEY

# So many splitters are compared at a time; more in a bucket than this many go by binary search.
WIDTH_STEP = 32
MOST_WIDTH = 128
# By which share of a part a splitter may lie beside its due place.
SPLIT_LEEWAY = 0.2
MOST_PARTITIONS = 1024

NO_TEXTS = padded_bytes(0)
NO_SPLITTERS = Splitters(np.zeros(0, np.uint64), np.zeros(1, np.int64), NO_TEXTS, 0)


def choose_splitters(
    song: Callable[[int], bytes],
    weights: npt.NDArray[np.float64],
    part_weight: float,
) -> Splitters:
    """Splitters, out of sorted songs, so that each partition weighs about `part_weight`; `song`
    gives a song by its number.
    """
    total = float(weights.sum())
    parts = min(int(total / part_weight) + 1, MOST_PARTITIONS)
    if parts < 2 or len(weights) < 2:
        return NO_SPLITTERS
    before = np.cumsum(weights) - weights
    part_of = np.minimum((before / total * parts).astype(np.int64), parts - 1)
    first = np.flatnonzero(part_of[1:] != part_of[:-1]) + 1
    leeway = total / parts * SPLIT_LEEWAY
    lows = np.maximum(np.searchsorted(before, before[first] - leeway) - 1, 0)
    lows = np.minimum(lows, first - 1)
    highs = np.searchsorted(before, before[first] + leeway, side="right") - 1
    highs = np.maximum(highs, first)
    pairs = zip(lows.tolist(), highs.tolist(), strict=True)
    chosen = [shortest_between(song, low, high) for low, high in pairs]
    return make_splitters(sorted(set(chosen)))


def shortest_between(song: Callable[[int], bytes], low: int, high: int) -> bytes:
    """The shortest text that parts song `low` from song `high`: behind the one, and not behind the
    other. Few songs begin with all of a short splitter, so that few need a second look.

    After the separators of Bayer and Unterauer, Prefix B-Trees, 1977.
    """
    first = song(low)
    length = len(os.path.commonprefix([first, song(high)])) + 1
    start = first[:length]
    while high - low > 1:
        middle = (low + high) // 2
        if song(middle)[:length] == start:
            low = middle
        else:
            high = middle
    return song(high)[:length]


def make_splitters(songs: list[bytes]) -> Splitters:
    """The tables for these splitters, which are sorted and all different."""
    if not songs:
        return NO_SPLITTERS
    skip = len(os.path.commonprefix([songs[0], songs[-1]])) if len(songs) > 1 else 0
    keys: Words = np.array([key_pair(song[skip:]) for song in songs], dtype=np.uint64).ravel()
    starts: Ints = np.cumsum([0] + [len(song) for song in songs])
    texts = padded_copy(b"".join(songs))
    return Splitters(keys, starts, texts, skip)


def texts_of(splitters: Splitters) -> list[bytes]:
    """The splitters themselves, in order."""
    starts = splitters.starts.tolist()
    return [splitters.texts[a:b].tobytes() for a, b in zip(starts, starts[1:], strict=False)]


def key_pair(text: bytes) -> tuple[int, int]:
    """The first 126 bits as two numbers: see the function of this name in `kernels.rows`."""
    bits = int.from_bytes(text[:16].ljust(16, b"\0"), "big") >> 2
    return bits >> 63, bits % 2**63


NO_BUCKETS = Buckets(np.zeros(1, np.int64), np.zeros(1, np.int32), 0)


def buckets_of(splitters: Splitters) -> Buckets:
    """The buckets of these splitters. They are made where they are needed: it takes less time than
    to send them there.
    """
    fronts, backs = splitters.keys[::2].astype(np.int64), splitters.keys[1::2].astype(np.int64)
    if not len(fronts) or splitters.skip or np.diff(splitters.starts).max() > KEY_BYTES:
        return NO_BUCKETS
    counts = np.bincount(fronts >> BUCKET_SHIFT, minlength=1 << BUCKET_BITS)
    width = -(-int(counts.max()) // WIDTH_STEP) * WIDTH_STEP
    if width > MOST_WIDTH:
        return NO_BUCKETS
    starts = np.zeros(1 << BUCKET_BITS, dtype=np.int32)
    starts[1:] = np.cumsum(counts)[:-1]
    padding = np.full(width, MOST_KEY, dtype=np.int64)
    return Buckets(np.concatenate([fronts, padding, backs, padding]), starts, width)
