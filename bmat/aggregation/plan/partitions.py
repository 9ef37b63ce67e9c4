"""Where partitions begin, and which songs are hot: both read off a sample of the input, which tells
its songs, how many rows each has, and on which days.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from bmat.aggregation.exchange.hot_cells import NO_HOT_SONGS, NO_PAIRS
from bmat.aggregation.exchange.splitters import NO_SPLITTERS, choose_splitters, texts_of
from bmat.aggregation.kernels.arrays import (
    DAY_SHIFT,
    HotSongs,
    Ints,
    PaddedBytes,
    Splitters,
    Words,
    padded_bytes,
    padded_copy,
)
from bmat.aggregation.kernels.hot import SLOT_FIELDS, fill_hot
from bmat.aggregation.merge.table import Table
from bmat.aggregation.read.block import BlockReader
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.text import open_text
from bmat.aggregation.source.window import Window
from bmat.aggregation.workspace import ALL_DAYS, ReadingMemory, Sizes, Workspace

SAMPLES = 64
# What is read of each stretch at first; and up to which byte where that leaves open what is hot.
FIRST_SAMPLE_BYTES = 2**15
MOST_SAMPLE_BYTES = 2**17
# A sample is at most this share of a large input.
SAMPLED_SHARE = 1 / 64
# The share of rows whose song the sample does not know: below the first one hot songs are known,
# above the second one there are none.
LEAST_UNKNOWN, MOST_UNKNOWN = 0.02, 0.9
# Counts up to this one are taken for chance to some part.
MOST_CHANCES = 5
# A hot song is likely to fill this share of its days' cells, at least.
LEAST_FILLED = 1 / 16
MOST_HOT_SONG_BYTES = 254
MOST_HOT_DAYS = 2**16
# The bytes of a row beside its song's; those of a day in a run of a hot song.
ROW_HEAD_BYTES = 8
RUN_DAY_BYTES = 8

NO_SONGS: Ints = np.zeros(0, dtype=np.int64)


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


def take_sample(sources: tuple[Source, ...], workspace: Workspace, hash_key: int) -> Sample:
    """Read the beginnings of SAMPLES stretches that lie evenly in the input, and more of each where
    that may tell of further hot songs; of a text that can be read forward alone the beginning.
    """
    share = int(sum(source.data_bytes for source in sources) * SAMPLED_SHARE / SAMPLES)
    with (
        workspace.reading.borrow() as reading,
        workspace.merging.borrow() as merging,
    ):
        table = Table(merging, hash_key)
        reading.arena.prepare(1)
        reader_of = partial(sampling_reader, reading, table, hash_key)
        bytes_read = sample_all(reader_of, sources, 0, FIRST_SAMPLE_BYTES)
        if LEAST_UNKNOWN < unknown_share(table.counts()) < MOST_UNKNOWN:
            most = min(share, MOST_SAMPLE_BYTES)
            bytes_read += sample_all(reader_of, sources, FIRST_SAMPLE_BYTES, most)
        sample = sample_of(table, bytes_read)
        table.clear()
    return sample


def sampling_reader(
    memory: ReadingMemory, table: Table, hash_key: int, source: Source
) -> BlockReader:
    """Reads rows of the source into the table; what that has no room for is left out."""
    arena = memory.arena

    def take_rows() -> None:
        table.take(arena.bytes, arena.take_extents())

    return BlockReader(
        memory,
        source,
        NO_SPLITTERS,
        NO_HOT_SONGS,
        NO_PAIRS,
        0,
        take_rows,
        lambda count: None,
        0,
        hash_key,
    )


def sample_all(
    reader_of: Callable[[Source], BlockReader], sources: Sequence[Source], first: int, last: int
) -> int:
    """Read the bytes `first` to `last` of each stretch of each source. Returns their number."""
    bytes_read = 0
    for source, number in zip(sources, stretches_of(sources), strict=True):
        if number and not source.is_stream:
            bytes_read += sample_file(reader_of(source), source, number, first, last)
        elif number and source.window is not None and first == 0:
            bytes_read += sample_head(reader_of(source), source, source.window.head)
    return bytes_read


def sample_of(table: Table, bytes_read: int) -> Sample:
    """The table as a sample, with memory of its own."""
    table.sort()
    memory = table.memory
    order = memory.ordered.order[: table.song_count].copy()
    starts = memory.table.starts[: table.song_count + 1]
    days = (table.values() >> DAY_SHIFT).astype(np.int64)
    return Sample(
        texts=padded_copy(memory.table.texts[: int(starts[-1])]),
        starts=starts[order],
        lengths=(starts[1:] - starts[:-1])[order],
        counts=table.counts()[order],
        hashes=memory.table.hashes[order],
        bytes_read=bytes_read,
        first_day=int(days.min(initial=ALL_DAYS)),
        last_day=int(days.max(initial=0)),
    )


def stretches_of(sources: Sequence[Source]) -> Iterator[int]:
    """How many stretches of each source are read: by its size, and one at least, unless there are
    more sources than stretches.
    """
    least = 1 if len(sources) <= SAMPLES else 0
    total, before = sum(source.data_bytes for source in sources), 0
    for source in sources:
        after = before + source.data_bytes
        yield max(least, SAMPLES * after // total - SAMPLES * before // total)
        before = after


def sample_file(reader: BlockReader, source: Source, number: int, first: int, last: int) -> int:
    """Read the bytes `first` to `last` of so many stretches of this source. Returns the number of
    bytes.
    """
    begin, size = source.layout.data_start, source.data_bytes
    line_end = source.layout.line_end
    bytes_read = 0
    with open_text(source) as text:
        for place in range(number):
            start = begin + size * place // number
            at, stop = start + first, min(start + last, begin + size * (place + 1) // number)
            data = text.read(max(stop - at, 0), at) if at > begin else line_end
            at += data.find(line_end) + 1 if at > begin else 0
            if at < stop and line_end in data:
                end = reader.read(text, at, stop, None, is_guess=at > begin)
                bytes_read += max(end, stop) - at
                reader.flush_rows()
    return bytes_read


def sample_head(reader: BlockReader, source: Source, head: bytes) -> int:
    """Read the beginning of a text that can be read forward alone: all of `head` that there is
    behind the header. Returns the number of bytes.
    """
    start, stop = source.layout.data_start, len(head)
    if start < stop:
        # The last record is cut off: of so many it matters little what is made of it.
        reader.read(Window.of(head), start, stop, None)
        reader.flush_rows()
    return max(stop - start, 0)


def rows_per_byte(sample: Sample) -> float:
    return float(sample.counts.sum()) / max(sample.bytes_read, 1)


def unknown_share(counts: Ints) -> float:
    """The share of all rows whose song a sample with these counts does not know: about that of the
    sample's rows whose song it knows once. After Good, as below.
    """
    return float((counts == 1).sum()) / max(int(counts.sum()), 1)


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


def choose_hot(sample: Sample, sizes: Sizes, total: int) -> Ints:
    """The indexes, in the sample, of the songs whose rows are worth summing up at once: those that
    are likely to fill enough of their days' cells.
    """
    days = sample.last_day - sample.first_day + 1
    rows = int(sample.counts.sum())
    if not rows or days > MOST_HOT_DAYS:
        return NO_SONGS
    likely = likely_counts(sample.counts)
    expected = likely / rows * rows_per_byte(sample) * total
    by_count = np.argsort(-sample.counts, kind="stable")[: sizes.cells // days]
    is_short = sample.lengths[by_count] <= MOST_HOT_SONG_BYTES
    hot: Ints = np.sort(by_count[(expected[by_count] >= LEAST_FILLED * days) & is_short])
    return hot if likely[hot].sum() >= 0.1 * rows else NO_SONGS


def waiting_bytes(sample: Sample, hot: Ints, total: int) -> npt.NDArray[np.float64]:
    """How many bytes of rows and cells each song of the sample will come to, about, in the whole
    input, before it is merged.
    """
    scale = rows_per_byte(sample) * total / max(int(sample.counts.sum()), 1)
    weights = sample.counts * scale * (sample.lengths + ROW_HEAD_BYTES)
    days = sample.last_day - sample.first_day + 1
    weights[hot] = days * RUN_DAY_BYTES + sample.lengths[hot]
    return np.asarray(weights, dtype=np.float64)


def make_hot_songs(sample: Sample, chosen: Ints, splitters: Splitters) -> HotSongs:
    """The tables for these songs of the sample."""
    if not len(chosen):
        return NO_HOT_SONGS
    firsts = [bisect_left(chosen, text, key=sample.song) for text in texts_of(splitters)]
    hot = HotSongs(
        slots=np.zeros(SLOT_FIELDS << int(2 * len(chosen) - 1).bit_length(), dtype=np.uint64),
        starts=np.zeros(len(chosen) + 1, dtype=np.int64),
        texts=padded_bytes(int(sample.lengths[chosen].sum()) + 8 * len(chosen)),
        first_day=sample.first_day,
        days=sample.last_day - sample.first_day + 1,
        firsts=np.array([0, *firsts, len(chosen)]),
    )
    fill_hot(chosen, sample.texts, sample.starts, sample.lengths, sample.hashes, hot)
    return hot


def plan_partitions(
    sources: tuple[Source, ...], sizes: Sizes, workspace: Workspace, hash_key: int
) -> tuple[Splitters, HotSongs]:
    """The splitters and hot songs for this input."""
    total = sum(source.data_bytes for source in sources)
    if total <= sizes.part_bytes:
        return NO_SPLITTERS, NO_HOT_SONGS
    sample = take_sample(sources, workspace, hash_key)
    if not len(sample.counts):
        return NO_SPLITTERS, NO_HOT_SONGS
    hot = choose_hot(sample, sizes, total)
    weights = waiting_bytes(sample, hot, total)
    splitters = choose_splitters(sample.song, weights, sizes.part_bytes)
    return splitters, make_hot_songs(sample, hot, splitters)
