"""Whether two outputs say the same: their fields are compared, not how they are quoted."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv


def digest_of(path: Path) -> str:
    """A digest of the rows of a CSV with a header, in their order: of each column's lengths and
    bytes. Two files with the same fields have the same, whatever they call their columns, and
    however they quote and end their lines.
    """
    parts: list[tuple[hashlib.blake2b, hashlib.blake2b]] = []
    for batch in rows_of_csv(path):
        parts = parts or [(hashlib.blake2b(), hashlib.blake2b()) for _ in batch.columns]
        for column, (lengths, texts) in zip(batch.columns, parts, strict=True):
            add_column(column, lengths, texts)
    return " ".join(part.hexdigest() for pair in parts for part in pair)


def rows_of_csv(path: Path) -> Iterator[pa.RecordBatch]:
    """The rows, all values as texts."""
    with pa.csv.open_csv(path, parse_options=pa.csv.ParseOptions(newlines_in_values=True)) as peek:
        names = peek.schema.names
    as_text = pa.csv.ConvertOptions(column_types={name: pa.large_string() for name in names})
    parse = pa.csv.ParseOptions(newlines_in_values=True)
    with pa.csv.open_csv(path, parse_options=parse, convert_options=as_text) as batches:
        yield from batches


def add_column(
    column: pa.LargeStringArray, lengths: "hashlib.blake2b", texts: "hashlib.blake2b"
) -> None:
    """Add the fields of a stretch of one column."""
    _, offsets_buffer, data = column.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[column.offset :][: len(column) + 1]
    lengths.update(np.diff(offsets).tobytes())
    if len(column):
        texts.update(memoryview(data)[offsets[0] : offsets[-1]])
