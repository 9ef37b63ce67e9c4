"""The structs of a Parquet file of totals: a page's header, and the footer with all row groups.

The format: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bmat.aggregation.thrift import (
    BINARY,
    FALSE,
    I16,
    I32,
    I64,
    LIST,
    STRUCT,
    TRUE,
    Struct,
    written,
)

MAGIC = b"PAR1"
CREATED_BY = b"bmat"
FORMAT_VERSION = 2
MOST_ORDINALS = 2**15

INT32, INT64, BYTE_ARRAY = 1, 2, 6
REQUIRED = 0
UNCOMPRESSED = 0
DATA_PAGE = 0
RLE, DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY = 3, 5, 7


@dataclass(frozen=True)
class Column:
    """A column: its values' type as they are stored, the type they stand for (by its number among
    the older names of types, and among the newer), and how they are encoded.
    """

    name: bytes
    stored_type: int
    encoding: int
    converted_type: int | None = None
    logical_type: int | None = None


SONG = Column(b"Song", BYTE_ARRAY, DELTA_BYTE_ARRAY, converted_type=0, logical_type=1)
DATE = Column(b"Date", INT32, DELTA_BINARY_PACKED, converted_type=6, logical_type=6)
PLAYS = Column(b"Plays", INT64, DELTA_BINARY_PACKED)
COLUMNS = (SONG, DATE, PLAYS)


@dataclass(frozen=True)
class RowGroup:
    """So many rows, sorted by song and date; `chunk_bytes` are the sizes of their columns, each one
    page and its header. `bounds` are the smallest and the largest song, where they are known.
    """

    rows: int
    chunk_bytes: tuple[int, ...]
    bounds: tuple[bytes, bytes] | None

    @property
    def size(self) -> int:
        return sum(self.chunk_bytes)


def page_header(column: Column, values: int, size: int) -> bytes:
    """The header of a page of `size` bytes. No value is missing, so there are no levels."""
    data = {1: (I32, values), 2: (I32, column.encoding), 3: (I32, RLE), 4: (I32, RLE)}
    return written({1: (I32, DATA_PAGE), 2: (I32, size), 3: (I32, size), 5: (STRUCT, data)})


def footer(groups: list[RowGroup]) -> bytes:
    """What follows the row groups, which stand behind MAGIC in this order."""
    type_defined: Struct = {1: (STRUCT, {})}
    content = written(
        {
            1: (I32, FORMAT_VERSION),
            2: (LIST, (STRUCT, [root(), *map(schema_element, COLUMNS)])),
            3: (I64, sum(group.rows for group in groups)),
            4: (LIST, (STRUCT, list(row_groups(groups)))),
            6: (BINARY, CREATED_BY),
            7: (LIST, (STRUCT, [type_defined] * len(COLUMNS))),
        }
    )
    return content + len(content).to_bytes(4, "little") + MAGIC


def root() -> Struct:
    return {4: (BINARY, b"schema"), 5: (I32, len(COLUMNS))}


def schema_element(column: Column) -> Struct:
    fields: Struct = {1: (I32, column.stored_type), 3: (I32, REQUIRED), 4: (BINARY, column.name)}
    if column.logical_type is not None:
        fields[6] = I32, column.converted_type
        fields[10] = STRUCT, {column.logical_type: (STRUCT, {})}
    return fields


def row_groups(groups: list[RowGroup]) -> Iterator[Struct]:
    """The row groups' descriptions: sorted by the first two columns."""
    sorting = [{1: (I32, number), 2: (FALSE, None), 3: (FALSE, None)} for number in range(2)]
    offset = len(MAGIC)
    for number, group in enumerate(groups):
        fields: Struct = {
            1: (LIST, (STRUCT, list(column_chunks(group, offset)))),
            2: (I64, group.size),
            3: (I64, group.rows),
            4: (LIST, (STRUCT, sorting)),
            5: (I64, offset),
            6: (I64, group.size),
        }
        # The format leaves 16 bits for the number, and lets it be missing.
        if number < MOST_ORDINALS:
            fields[7] = I16, number
        yield fields
        offset += group.size


def column_chunks(group: RowGroup, offset: int) -> Iterator[Struct]:
    for column, size in zip(COLUMNS, group.chunk_bytes, strict=True):
        metadata: dict[int, tuple[int, Any]] = {
            1: (I32, column.stored_type),
            2: (LIST, (I32, [column.encoding, RLE])),
            3: (LIST, (BINARY, [column.name])),
            4: (I32, UNCOMPRESSED),
            5: (I64, group.rows),
            6: (I64, size),
            7: (I64, size),
            9: (I64, offset),
        }
        if column is SONG and group.bounds is not None:
            metadata[12] = STRUCT, statistics(*group.bounds)
        yield {2: (I64, 0), 3: (STRUCT, metadata)}
        offset += size


def statistics(smallest: bytes, largest: bytes) -> Struct:
    """Exact bounds of a column in which no value is missing."""
    return {
        3: (I64, 0),
        5: (BINARY, largest),
        6: (BINARY, smallest),
        7: (TRUE, None),
        8: (TRUE, None),
    }
