"""The totals of a result, read and written a batch at a time: memory does not grow with them.

pyarrow is imported where it is needed only: it takes a quarter of a second.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from bmat.aggregation.row_groups import ROWS_PER_GROUP
from bmat.api.services import files

OUTPUT = "output.csv"
PLAYS = "Total Number of Plays for Date"
NEWLINE = orjson.OPT_APPEND_NEWLINE
ROWS_AT_ONCE = 2**15
# A song has to fit into a block; a few dozen of them are read ahead.
CSV_BLOCK_BYTES = 2**22

Look = Callable[[], None]


def write_json_lines(folder: Path, out: BinaryIO, look: Look) -> int:
    """Writes `{"song": ..., "date": "YYYY-MM-DD", "plays": ...}` for each total, in their order;
    returns how many. `look` is called in between, and may raise. https://jsonlines.org
    """
    rows = 0
    for batch in batches(folder):
        look()
        songs, days, plays = batch.columns
        # Dates of Python's own would cost more than all the rest.
        values = [column.to_pylist() for column in (songs, days.cast("string"), plays)]
        # Each line goes at once: orjson reserves kilobytes for it, which a list would keep.
        out.writelines(
            orjson.dumps({"song": song, "date": day, "plays": count}, option=NEWLINE)
            for song, day, count in zip(*values, strict=True)
        )
        rows += batch.num_rows
    return rows


def write_parquet(folder: Path, out: BinaryIO, look: Look) -> int:
    """Writes the file that docs/data-contract.md describes; returns its rows. `look` is called in
    between, and may raise.
    """
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(
        out,
        schema(),
        compression="snappy",
        write_statistics=["Song"],
        store_schema=False,
        sorting_columns=[pq.SortingColumn(0), pq.SortingColumn(1)],
    ) as writer:
        for batch in from_csv(folder / OUTPUT):
            look()
            writer.write_batch(batch, row_group_size=ROWS_PER_GROUP)
            rows += batch.num_rows
    return rows


def batches(folder: Path) -> Iterator[Any]:
    """The totals of a result as record batches of Arrow's: columns Song, Date, Plays."""
    parquet = folder / files.PARQUET
    return from_parquet(parquet) if parquet.exists() else from_csv(folder / OUTPUT)


def from_parquet(path: Path) -> Iterator[Any]:
    import pyarrow.parquet as pq

    # Reading ahead would bring the whole file into memory.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        yield from file.iter_batches(ROWS_AT_ONCE, columns=schema().names, use_threads=False)


def from_csv(path: Path) -> Iterator[Any]:
    """Reads an output exactly as it was written: no song stands for a missing value."""
    import pyarrow as pa
    import pyarrow.csv

    song, day, plays = schema()
    types = {song.name: song.type, day.name: day.type, PLAYS: plays.type}
    with pa.csv.open_csv(
        path,
        read_options=pa.csv.ReadOptions(use_threads=False, block_size=CSV_BLOCK_BYTES),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(column_types=types, null_values=[]),
    ) as reader:
        for batch in reader:
            yield pa.record_batch(batch.columns, schema=schema())


def schema() -> Any:
    import pyarrow as pa

    return pa.schema({"Song": pa.string(), "Date": pa.date32(), "Plays": pa.int64()})
