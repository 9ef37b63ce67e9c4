"""Where partitions begin, and which songs are hot: both read off a sample of the input."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bmat.aggregation.job import Bytes, HotSongs, Ints, Sizes, Source, Splitters
from bmat.aggregation.kernel_bytes import SLACK_BYTES
from bmat.aggregation.kernel_ingest import DAY_SHIFT
from bmat.aggregation.memory import ALL_DAYS, MERGING, READING, Arena, MergingMemory, ReadingMemory
from bmat.aggregation.reading import BlockReader
from bmat.aggregation.sizing import MOST_PARTITIONS
from bmat.aggregation.splitting import NO_SPLITTERS, NO_TEXTS, make_splitters
from bmat.aggregation.table import Table

SAMPLES = 64
SAMPLE_BYTES = 2**15
MOST_SPLITTER_BYTES = 256
MOST_HOT_SONG_BYTES = 254
# By which share of a part a splitter may lie beside its due place.
SPLIT_LEEWAY = 0.2
MOST_HOT_DAYS = 2**16
# The bytes of a row beside its song's; those of a day in a run of a hot song.
ROW_HEAD_BYTES = 8
RUN_DAY_BYTES = 8

NO_HOT_SONGS = HotSongs(np.zeros(1, np.uint64), np.zeros(1, np.int64), NO_TEXTS, 0, 0)


@dataclass(frozen=True)
class Sample:
    """What some stretches of the input hold: its songs in order, song i being
    `texts[starts[i]:starts[i] + lengths[i]]` with `counts[i]` rows.
    """

    texts: Bytes
    starts: Ints
    lengths: Ints
    counts: Ints
    bytes_read: int
    first_day: int
    last_day: int

    def song(self, number: int) -> bytes:
        start = int(self.starts[number])
        return self.texts[start : start + int(self.lengths[number])].tobytes()


def take_sample(sources: tuple[Source, ...], sizes: Sizes) -> Sample:
    """Read SAMPLES stretches that lie evenly in the input."""
    total = sum(source.size - source.layout.data_start for source in sources)
    bytes_read = 0
    with (
        READING.borrow(sizes, lambda: ReadingMemory(sizes)) as reading,
        MERGING.borrow(sizes, lambda: MergingMemory(sizes)) as merging,
    ):
        table = Table(merging)
        for source in sources:
            reader = BlockReader(
                reading,
                source,
                NO_SPLITTERS,
                NO_HOT_SONGS,
                lambda: add_sampled(table, reading.arena),
                lambda count: None,
                0,
            )
            bytes_read += sample_source(reader, source, total)
        sample = sample_of(table, bytes_read)
        table.clear()
    return sample


def sample_of(table: Table, bytes_read: int) -> Sample:
    """The table as a sample, with memory of its own."""
    table.sort()
    order = table.memory.order[: table.song_count].copy()
    starts = table.memory.starts[: table.song_count + 1]
    days = (table.values() >> DAY_SHIFT).astype(np.int64)
    return Sample(
        texts=table.memory.texts[: int(starts[-1])].copy(),
        starts=starts[order],
        lengths=(starts[1:] - starts[:-1])[order],
        counts=table.counts()[order],
        bytes_read=bytes_read,
        first_day=int(days.min(initial=ALL_DAYS)),
        last_day=int(days.max(initial=0)),
    )


def sample_source(reader: BlockReader, source: Source, total: int) -> int:
    """Read this source's share of the samples. Returns the number of bytes."""
    start, size = source.layout.data_start, source.size
    number = max(1, SAMPLES * (size - start) // total)
    descriptor = os.open(source.path, os.O_RDONLY)
    bytes_read = 0
    try:
        for place in range(number):
            at = start + (size - start) * place // number
            data = os.pread(descriptor, SAMPLE_BYTES, at) if at > start else b"\n"
            at += data.find(b"\n") + 1 if at > start else 0
            stop = min(at + min(SAMPLE_BYTES, (size - start) // number), size)
            if at < stop and b"\n" in data:
                bytes_read += reader.read(descriptor, at, stop, None) - at
                reader.flush_rows()
    finally:
        os.close(descriptor)
    return bytes_read


def add_sampled(table: Table, arena: Arena) -> None:
    """Take the rows of an arena into the table; what it has no room for is left out."""
    table.take(arena.bytes, np.ascontiguousarray(arena.take_chunks()[:, 1:]))


def rows_per_byte(sample: Sample) -> float:
    return float(sample.counts.sum()) / max(sample.bytes_read, 1)


def choose_hot(sample: Sample, sizes: Sizes) -> list[int]:
    """The indexes, in the sample, of the songs whose rows are worth summing up block by block:
    those that fill most of their days' cells once or more in each.
    """
    days = sample.last_day - sample.first_day + 1
    rows = int(sample.counts.sum())
    if not rows or days > MOST_HOT_DAYS:
        return []
    expected = sample.counts / rows * rows_per_byte(sample) * sizes.block_bytes
    by_count = np.argsort(-sample.counts, kind="stable")[: sizes.cells // days]
    hot = [
        int(song)
        for song in by_count
        if expected[song] >= 0.8 * days and sample.lengths[song] <= MOST_HOT_SONG_BYTES
    ]
    is_worth_it = sample.counts[hot].sum() >= 0.1 * rows
    return sorted(hot) if is_worth_it else []


def spilled_bytes(
    sample: Sample, hot: list[int], sizes: Sizes, total: int
) -> npt.NDArray[np.float64]:
    """How many bytes of rows each song of the sample will come to, about, in the whole input."""
    scale = rows_per_byte(sample) * total / max(int(sample.counts.sum()), 1)
    weights = sample.counts * scale * (sample.lengths + ROW_HEAD_BYTES)
    if hot:
        days = sample.last_day - sample.first_day + 1
        blocks = total / sizes.block_bytes + 1
        summed = blocks * (days * RUN_DAY_BYTES + sample.lengths[hot])
        weights[hot] = np.minimum(weights[hot], summed)
    return np.asarray(weights, dtype=np.float64)


def choose_splitters(
    song: Callable[[int], bytes],
    weights: npt.NDArray[np.float64],
    part_bytes: int,
    most_bytes: int | None = MOST_SPLITTER_BYTES,
) -> Splitters:
    """Splitters, out of sorted songs, so that each partition weighs about `part_bytes`; `song`
    gives a song by its number. They are cut to `most_bytes`.
    """
    total = float(weights.sum())
    parts = min(int(total / part_bytes) + 1, MOST_PARTITIONS)
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
    chosen = [shortest_between(song, low, high)[:most_bytes] for low, high in pairs]
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


def make_hot_songs(songs: list[bytes], hashes: list[int], first_day: int, days: int) -> HotSongs:
    """The tables for these hot songs. Each text has eight bytes behind it that may be read."""
    if not songs:
        return NO_HOT_SONGS
    slots = 16
    while slots < 4 * len(songs):
        slots *= 2
    table = np.zeros(slots, dtype=np.uint64)
    for number, hashed in enumerate(hashes):
        slot = hashed % slots
        while table[slot]:
            slot = (slot + 1) % slots
        table[slot] = (hashed >> 32 << 32) | (number + 1)
    starts: Ints = np.cumsum([0] + [len(song) + 8 for song in songs])
    texts = b"".join(song + bytes(8) for song in songs) + bytes(SLACK_BYTES)
    return HotSongs(table, starts, np.frombuffer(texts, np.uint8).copy(), first_day, days)


def hash_song(song: bytes) -> int:
    """The hash that the kernels give a song: see `kernel_bytes.hash_bytes`."""
    hashed = 0x9E3779B97F4A7C15
    for at in range(0, len(song) + 1, 8):
        word = int.from_bytes(song[at : at + 8], "little")
        hashed = (hashed ^ word) * 0xD6E8FEB86659FD93 % 2**64
        hashed ^= hashed >> 32
    return hashed


def plan_partitions(sources: tuple[Source, ...], sizes: Sizes) -> tuple[Splitters, HotSongs]:
    """The splitters and hot songs for this input."""
    total = sum(source.size - source.layout.data_start for source in sources)
    if total <= sizes.part_bytes:
        return NO_SPLITTERS, NO_HOT_SONGS
    sample = take_sample(sources, sizes)
    if not len(sample.counts):
        return NO_SPLITTERS, NO_HOT_SONGS
    hot = choose_hot(sample, sizes)
    weights = spilled_bytes(sample, hot, sizes, total)
    songs = [sample.song(index) for index in hot]
    days = sample.last_day - sample.first_day + 1
    hashes = [hash_song(song) for song in songs]
    return (
        choose_splitters(sample.song, weights, sizes.part_bytes),
        make_hot_songs(songs, hashes, sample.first_day, days),
    )
