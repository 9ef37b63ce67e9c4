"""A result in another format: Parquet, for questions and downloads, or JSON lines."""

from collections.abc import Callable
from pathlib import Path

from bmat.results.connection import Database, key_columns, quoted, reader
from bmat.results.errors import TooLarge

# Large groups are found faster, but the rows of one are in memory while they are written: where
# songs are so long that they do not fit, smaller groups do.
ROWS_PER_GROUP = (122_880, 8_192, 2_048)


def write_parquet(source: Path, target: Path, on_wait: Callable[[], None] = lambda: None) -> int:
    """Writes the columns of the key (`Song`; string), `Date` (date32) and `Plays` (int64) of the
    result's file `source` to `target`, in their order. Returns how many rows there are.

    `on_wait` is called before and meanwhile; what it raises ends the work and comes out of here.
    Raises FileNotFoundError, NoResult, OSError where the disk is full, and TooLarge. `target` is
    not whole unless this returns.
    """
    for rows in ROWS_PER_GROUP[:-1]:
        try:
            return copy(source, target, str, parquet_format(rows), on_wait)
        except TooLarge:
            continue
    return copy(source, target, str, parquet_format(ROWS_PER_GROUP[-1]), on_wait)


def parquet_format(rows_per_group: int) -> str:
    return f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows_per_group}"


def write_json_lines(source: Path, target: Path, on_wait: Callable[[], None] = lambda: None) -> int:
    """Writes `{"song": ..., "date": "YYYY-MM-DD", "plays": ...}`, or all fields of the key in front
    of the date, for each row of the result's file `source`, in their order; the same otherwise as
    `write_parquet`. https://jsonlines.org
    """
    return copy(source, target, str.lower, "FORMAT json", on_wait)


def copy(
    source: Path,
    target: Path,
    named: Callable[[str], str],
    format_: str,
    on_wait: Callable[[], None],
) -> int:
    """Writes all columns, `named` by what they are called in the source."""
    with Database([source], writable=target) as database:
        names = [*key_columns(database, reader(source)), "Date", "Plays"]
        columns = ", ".join(f"{name} AS {named(name)}" for name in names)
        # The target stays the file that it is: whoever calls may have locked it.
        ((rows,),) = database.run(
            f"COPY (SELECT {columns} FROM {reader(source)}) TO {quoted(str(target))} "
            f"({format_}, USE_TMP_FILE false)",
            on_wait,
        )
    return int(rows)
