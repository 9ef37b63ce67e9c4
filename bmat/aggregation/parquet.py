"""The totals as a Parquet file: sorted, with statistics by which a song's row group is found.

pyarrow is imported when such a file is wanted only: it takes a quarter of a second.
"""

from pathlib import Path

import numpy as np

from bmat.aggregation.table import Table

# Days from 0001-01-01 to 1970-01-01, from which Arrow counts.
EPOCH_DAY = 719_162
ROWS_PER_GROUP = 2**17


class Groups:
    """The totals of a part: of song number `ranks` in its order, on `days`, `sums` plays."""

    def __init__(self, most: int) -> None:
        self.ranks = np.empty(most, dtype=np.int32)
        self.days = np.empty(most, dtype=np.int32)
        self.sums = np.empty(most, dtype=np.int64)


def save_groups(path: Path, table: Table, groups: Groups, count: int) -> None:
    """Write the first `count` totals to an Arrow file; each song's text stands there once."""
    import pyarrow as pa

    songs, memory = table.song_count, table.memory
    texts = pa.LargeStringArray.from_buffers(
        songs, pa.py_buffer(memory.starts[: songs + 1]), pa.py_buffer(memory.texts)
    )
    in_order = texts.take(pa.array(memory.order[:songs])).cast(pa.string())
    batch = pa.record_batch(
        {
            "Song": pa.DictionaryArray.from_arrays(groups.ranks[:count], in_order),
            "Date": pa.array(groups.days[:count] - EPOCH_DAY, pa.int32()).view(pa.date32()),
            "Plays": pa.array(groups.sums[:count]),
        }
    )
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write(batch)


def write_parquet(path: Path, parts: list[Path]) -> None:
    """Write the parts' totals, in this order, to one Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("Song", pa.dictionary(pa.int32(), pa.string())),
            ("Date", pa.date32()),
            ("Plays", pa.int64()),
        ]
    )
    with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=["Song"]) as writer:
        for part in parts:
            with pa.memory_map(str(part)) as file:
                table = pa.ipc.open_file(file).read_all()
                writer.write_table(table, row_group_size=ROWS_PER_GROUP)
            part.unlink()
