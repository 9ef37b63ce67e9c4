"""Where partitions begin, and which songs are hot: both read off a sample of the input."""

import os
from bisect import bisect_left
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from bmat.aggregation.hot_cells import NO_HOT_SONGS
from bmat.aggregation.job import HotSongs, Ints, Sizes, Source, Splitters
from bmat.aggregation.kernel_cells import fill_hot
from bmat.aggregation.kernel_places import SLOT_FIELDS
from bmat.aggregation.padded import padded_bytes
from bmat.aggregation.sampling import Sample, likely_counts, rows_per_byte, take_sample
from bmat.aggregation.sizing import MOST_PARTITIONS
from bmat.aggregation.splitting import NO_SPLITTERS, make_splitters, texts_of

MOST_HOT_SONG_BYTES = 254
# By which share of a part a splitter may lie beside its due place.
SPLIT_LEEWAY = 0.2
MOST_HOT_DAYS = 2**16
# The bytes of a row beside its song's; those of a day in a run of a hot song.
ROW_HEAD_BYTES = 8
RUN_DAY_BYTES = 8

NO_SONGS: Ints = np.zeros(0, dtype=np.int64)


def choose_hot(sample: Sample, sizes: Sizes, total: int) -> Ints:
    """The indexes, in the sample, of the songs whose rows are worth summing up at once: those that
    are likely to fill enough of their days' cells, in the whole input where its blocks share the
    cells, else in each block.
    """
    days = sample.last_day - sample.first_day + 1
    rows = int(sample.counts.sum())
    if not rows or days > MOST_HOT_DAYS:
        return NO_SONGS
    summed_bytes, least = (total, 1 / 16) if sizes.shares_cells else (sizes.block_bytes, 0.8)
    likely = likely_counts(sample.counts)
    expected = likely / rows * rows_per_byte(sample) * summed_bytes
    by_count = np.argsort(-sample.counts, kind="stable")[: sizes.cells // days]
    is_short = sample.lengths[by_count] <= MOST_HOT_SONG_BYTES
    hot: Ints = np.sort(by_count[(expected[by_count] >= least * days) & is_short])
    return hot if likely[hot].sum() >= 0.1 * rows else NO_SONGS


def waiting_bytes(sample: Sample, hot: Ints, sizes: Sizes, total: int) -> npt.NDArray[np.float64]:
    """How many bytes of rows and cells each song of the sample will come to, about, in the whole
    input, before it is merged.
    """
    scale = rows_per_byte(sample) * total / max(int(sample.counts.sum()), 1)
    weights = sample.counts * scale * (sample.lengths + ROW_HEAD_BYTES)
    days = sample.last_day - sample.first_day + 1
    times = 1 if sizes.shares_cells else total / sizes.block_bytes + 1
    summed = times * (days * RUN_DAY_BYTES + sample.lengths[hot])
    weights[hot] = summed if sizes.shares_cells else np.minimum(weights[hot], summed)
    return np.asarray(weights, dtype=np.float64)


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


def make_hot_songs(sample: Sample, hot: Ints, splitters: Splitters) -> HotSongs:
    """The tables for these songs of the sample."""
    if not len(hot):
        return NO_HOT_SONGS
    slots = np.zeros(SLOT_FIELDS << int(2 * len(hot) - 1).bit_length(), dtype=np.uint64)
    starts: Ints = np.zeros(len(hot) + 1, dtype=np.int64)
    texts = padded_bytes(int(sample.lengths[hot].sum()) + 8 * len(hot))
    lengths, hashes = sample.lengths, sample.hashes
    fill_hot(hot, sample.texts, sample.starts, lengths, hashes, slots, starts, texts)
    firsts = [bisect_left(hot, text, key=sample.song) for text in texts_of(splitters)]
    return HotSongs(
        slots=slots,
        starts=starts,
        texts=texts,
        first_day=sample.first_day,
        days=sample.last_day - sample.first_day + 1,
        firsts=np.array([0, *firsts, len(hot)]),
    )


def plan_partitions(
    sources: tuple[Source, ...], sizes: Sizes, hash_key: int
) -> tuple[Splitters, HotSongs]:
    """The splitters and hot songs for this input."""
    total = sum(source.size - source.layout.data_start for source in sources)
    if total <= sizes.part_bytes:
        return NO_SPLITTERS, NO_HOT_SONGS
    sample = take_sample(sources, sizes, hash_key)
    if not len(sample.counts):
        return NO_SPLITTERS, NO_HOT_SONGS
    hot = choose_hot(sample, sizes, total)
    weights = waiting_bytes(sample, hot, sizes, total)
    splitters = choose_splitters(sample.song, weights, sizes.part_bytes)
    return splitters, make_hot_songs(sample, hot, splitters)
