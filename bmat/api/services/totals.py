"""The totals of a result in another format, a batch at a time: memory does not grow with them.

pyarrow is imported where it is needed only: it takes a quarter of a second.
"""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import orjson

from bmat.api.services import files

NEWLINE = orjson.OPT_APPEND_NEWLINE
ROWS_AT_ONCE = 2**15

Look = Callable[[], None]


def write_json_lines(folder: Path, out: BinaryIO, look: Look) -> int:
    """Writes `{"song": ..., "date": "YYYY-MM-DD", "plays": ...}` for each total of the result in
    `folder`, in their order; returns how many. `look` is called in between, and may raise.
    https://jsonlines.org
    """
    import pyarrow.parquet as pq

    rows = 0
    # Reading ahead would bring the whole file into memory.
    with pq.ParquetFile(folder / files.PARQUET, pre_buffer=False) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, use_threads=False):
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
