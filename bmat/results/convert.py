"""A result in another format: Parquet, for questions and downloads, or JSON lines."""

from collections.abc import Callable
from pathlib import Path

from bmat.results.connection import Database, quoted, reader
from bmat.results.errors import TooLarge

# Large groups are found faster, but the rows of one are in memory while they are written: where
# songs are so long that they do not fit, smaller groups do.
ROWS_PER_GROUP = (122_880, 8_192, 2_048)


def write_parquet(source: Path, target: Path, on_wait: Callable[[], None] = lambda: None) -> int:
    """Writes the columns `Song` (string), `Date` (date32) and `Plays` (int64) of the result's file
    `source` to `target`, in their order. Returns how many rows there are.

    `on_wait` is called before and meanwhile; what it raises ends the work and comes out of here.
    Raises FileNotFoundError, OSError where the disk is full, and TooLarge. `target` is not whole
    unless this returns.
    """
    for rows in ROWS_PER_GROUP[:-1]:
        try:
            return copy(source, target, "Song, Date, Plays", parquet_format(rows), on_wait)
        except TooLarge:
            continue
    smallest = parquet_format(ROWS_PER_GROUP[-1])
    return copy(source, target, "Song, Date, Plays", smallest, on_wait)


def parquet_format(rows_per_group: int) -> str:
    return f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows_per_group}"


def write_json_lines(source: Path, target: Path, on_wait: Callable[[], None] = lambda: None) -> int:
    """Writes `{"song": ..., "date": "YYYY-MM-DD", "plays": ...}` for each row of the result's file
    `source`, in their order; the same otherwise as `write_parquet`. https://jsonlines.org
    """
    columns = "Song AS song, Date AS date, Plays AS plays"
    return copy(source, target, columns, "FORMAT json", on_wait)


def copy(
    source: Path, target: Path, columns: str, format_: str, on_wait: Callable[[], None]
) -> int:
    with Database([source], writable=target) as database:
        # The target stays the file that it is: whoever calls may have locked it.
        ((rows,),) = database.run(
            f"COPY (SELECT {columns} FROM {reader(source)}) TO {quoted(str(target))} "
            f"({format_}, USE_TMP_FILE false)",
            on_wait,
        )
    return int(rows)
