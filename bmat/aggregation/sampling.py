"""A sample of the input: which songs it has, how many rows of each, and on which days."""

import os
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bmat.aggregation.block_reader import BlockReader
from bmat.aggregation.hot_cells import NO_HOT_SONGS, NO_PAIRS
from bmat.aggregation.job import Ints, Sizes, Source, Words
from bmat.aggregation.kernel_ingest import DAY_SHIFT
from bmat.aggregation.memory import ALL_DAYS, MERGING, READING, Arena, MergingMemory, ReadingMemory
from bmat.aggregation.padded import PaddedBytes, padded_copy
from bmat.aggregation.splitting import NO_SPLITTERS
from bmat.aggregation.table import Table

SAMPLES = 64
LEAST_SAMPLE_BYTES = 2**15
MOST_SAMPLE_BYTES = 2**16
# A sample is at most this share of a large input.
SAMPLED_SHARE = 1 / 64
# Counts up to this one are taken for chance to some part.
MOST_CHANCES = 5


@dataclass(frozen=True)
class Sample:
    """What some stretches of the input hold: its songs in order, song i being
    `texts[starts[i]:starts[i] + lengths[i]]` with `counts[i]` rows and the hash `hashes[i]`.
    """

    texts: PaddedBytes
    starts: Ints
    lengths: Ints
    counts: Ints
    hashes: Words
    bytes_read: int
    first_day: int
    last_day: int

    def song(self, number: int) -> bytes:
        """The name of song `number`."""
        start = int(self.starts[number])
        return self.texts[start : start + int(self.lengths[number])].tobytes()


def take_sample(sources: tuple[Source, ...], sizes: Sizes, hash_key: int) -> Sample:
    """Read SAMPLES stretches that lie evenly in the input."""
    total = sum(source.size - source.layout.data_start for source in sources)
    bytes_read = 0
    with (
        READING.borrow(sizes, lambda: ReadingMemory(sizes)) as reading,
        MERGING.borrow(sizes, lambda: MergingMemory(sizes)) as merging,
    ):
        table = Table(merging, hash_key)
        reading.arena.prepare(1)
        for source in sources:
            reader = BlockReader(
                reading,
                source,
                NO_SPLITTERS,
                NO_HOT_SONGS,
                NO_PAIRS,
                0,
                lambda: add_sampled(table, reading.arena),
                lambda count: None,
                0,
                hash_key,
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
        texts=padded_copy(table.memory.texts[: int(starts[-1])]),
        starts=starts[order],
        lengths=(starts[1:] - starts[:-1])[order],
        counts=table.counts()[order],
        hashes=table.memory.hashes[order],
        bytes_read=bytes_read,
        first_day=int(days.min(initial=ALL_DAYS)),
        last_day=int(days.max(initial=0)),
    )


def sample_source(reader: BlockReader, source: Source, total: int) -> int:
    """Read this source's share of the samples. Returns the number of bytes."""
    start, size = source.layout.data_start, source.size
    number = max(1, SAMPLES * (size - start) // total)
    share = int(total * SAMPLED_SHARE / SAMPLES)
    sample_bytes = min(max(LEAST_SAMPLE_BYTES, share), MOST_SAMPLE_BYTES)
    descriptor = os.open(source.path, os.O_RDONLY)
    bytes_read = 0
    try:
        for place in range(number):
            at = start + (size - start) * place // number
            data = os.pread(descriptor, sample_bytes, at) if at > start else b"\n"
            at += data.find(b"\n") + 1 if at > start else 0
            stop = min(at + min(sample_bytes, (size - start) // number), size)
            if at < stop and b"\n" in data:
                end = reader.read(descriptor, at, stop, None, is_guess=at > start)
                bytes_read += max(end, stop) - at
                reader.flush_rows()
    finally:
        os.close(descriptor)
    return bytes_read


def add_sampled(table: Table, arena: Arena) -> None:
    """Take the rows of an arena into the table; what it has no room for is left out."""
    table.take(arena.bytes, arena.take_extents())


def rows_per_byte(sample: Sample) -> float:
    return float(sample.counts.sum()) / max(sample.bytes_read, 1)


def likely_counts(counts: Ints) -> npt.NDArray[np.float64]:
    """How many rows of a sample like this one are likely to be of each song. A song that was seen
    once or twice owes that to chance as well: where most songs are, each of them is rarer than it
    seems. After Good, The population frequencies of species, 1953.
    """
    songs = np.bincount(counts, minlength=MOST_CHANCES + 2).astype(np.float64)
    likely = np.arange(len(songs), dtype=np.float64)
    for count in range(1, MOST_CHANCES + 1):
        if songs[count]:
            likely[count] = min(count, (count + 1) * songs[count + 1] / songs[count])
        likely[count] = max(likely[count - 1 : count + 1])
    return likely[counts]
