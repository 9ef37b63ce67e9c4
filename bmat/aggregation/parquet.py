"""The totals of a part as a Parquet file of its own, encoded by the task that merges it: see
`parquet_file` for what becomes of them.

pyarrow is imported when such a file is wanted only: it takes a quarter of a second.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bmat.aggregation.job import Ints
from bmat.aggregation.spill import write_all
from bmat.aggregation.table import Table

# Days from 0001-01-01 to 1970-01-01, from which Arrow counts.
EPOCH_DAY = 719_162
# Whoever looks a song up reads a row group: a millisecond or two.
ROWS_PER_GROUP = 2**16
# What the songs of a row group may take as they are read, each row with its own.
TEXT_BYTES_PER_GROUP = 2**24
ROWS_PER_WRITTEN_SONG = 2
# A dictionary holds the songs of its row group, each once: it is never larger than the texts.
MOST_DICTIONARY_BYTES = 2**30


class Groups:
    """The totals of a part: of song number `ranks` in its order, on `days`, `sums` plays."""

    def __init__(self, most: int) -> None:
        self.ranks = np.empty(most, dtype=np.int32)
        self.days = np.empty(most, dtype=np.int32)
        self.sums = np.empty(most, dtype=np.int64)


def save_groups(path: Path, table: Table, groups: Groups, count: int) -> None:
    """Write the first `count` totals to a Parquet file of their own."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    songs, memory = table.song_count, table.memory
    texts = pa.LargeStringArray.from_buffers(
        songs, pa.py_buffer(memory.starts[: songs + 1]), pa.py_buffer(memory.texts)
    )
    # A song that stands but once or twice is dearer by way of a dictionary than written out.
    use_dictionary = count > ROWS_PER_WRITTEN_SONG * songs
    in_order = texts.take(arrow_array(memory.order[:songs])).cast(pa.string())
    out = pa.BufferOutputStream()
    with pq.ParquetWriter(
        out,
        schema(use_dictionary),
        # What a dictionary or differences have made small takes longer to compress than it gains.
        compression={"Song": "none" if use_dictionary else "snappy", "Date": "snappy"},
        use_dictionary=["Song"] if use_dictionary else False,
        column_encoding={"Plays": "DELTA_BINARY_PACKED"},
        write_statistics=["Song"],
        dictionary_pagesize_limit=MOST_DICTIONARY_BYTES,
        store_schema=False,
        sorting_columns=[pq.SortingColumn(0), pq.SortingColumn(1)],
    ) as writer:
        lengths = np.diff(memory.starts[: songs + 1])[memory.order[:songs]]
        for start, stop in row_groups(groups.ranks[:count], lengths):
            rows = rows_of(groups, start, stop, in_order)
            writer.write_table(rows.cast(writer.schema))
    save(path, out.getvalue())


def row_groups(ranks: npt.NDArray[np.int32], lengths: Ints) -> Iterator[tuple[int, int]]:
    """Where row groups start and stop: each is as long as ROWS_PER_GROUP and TEXT_BYTES_PER_GROUP
    allow, and holds a row. `lengths` are those of the songs in bytes, by rank.
    """
    count, start = len(ranks), 0
    ends = None
    if int(lengths.max()) * ROWS_PER_GROUP > TEXT_BYTES_PER_GROUP:
        ends = np.cumsum(lengths[ranks])
    while start < count:
        stop = min(start + ROWS_PER_GROUP, count)
        if ends is not None:
            most = (int(ends[start - 1]) if start else 0) + TEXT_BYTES_PER_GROUP
            stop = min(stop, max(start + 1, int(np.searchsorted(ends, most, side="right"))))
        yield start, stop
        start = stop


def schema(use_dictionary: bool) -> Any:
    import pyarrow as pa

    song = pa.dictionary(pa.int32(), pa.string()) if use_dictionary else pa.string()
    kinds = {"Song": song, "Date": pa.date32(), "Plays": pa.int64()}
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in kinds.items()])


def rows_of(groups: Groups, start: int, stop: int, songs: Any) -> Any:
    """Some of the totals as a table of Arrow's, with no song that they do not need."""
    import pyarrow as pa

    ranks = groups.ranks[start:stop]
    first, last = int(ranks[0]), int(ranks[-1])
    return pa.table(
        {
            "Song": pa.DictionaryArray.from_arrays(
                arrow_array(ranks - first), songs[first : last + 1]
            ),
            "Date": arrow_array(groups.days[start:stop] - EPOCH_DAY).view(pa.date32()),
            "Plays": arrow_array(groups.sums[start:stop]),
        }
    )


def arrow_array(integers: npt.NDArray[np.signedinteger[Any]]) -> Any:
    """Integers as an array of Arrow's, which shares their memory if it can. Arrow's own way to it
    imports pandas, where that is installed: a process would wait for half a second.
    """
    import pyarrow as pa

    kind = pa.from_numpy_dtype(integers.dtype)
    memory = pa.py_buffer(np.ascontiguousarray(integers))
    return pa.Array.from_buffers(kind, len(integers), [None, memory])


def integers_of(array: Any, kind: type[np.signedinteger[Any]]) -> Ints:
    """The way back: an array of Arrow's, whose values have the type `kind` and are all there."""
    values = np.frombuffer(array.buffers()[1], dtype=kind)
    return values[array.offset : array.offset + len(array)]


def save(path: Path, content: Any) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        write_all(descriptor, [memoryview(content)], 0)
    finally:
        os.close(descriptor)
