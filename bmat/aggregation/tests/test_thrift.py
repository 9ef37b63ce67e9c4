from typing import Any

import pytest

from bmat.aggregation.parquet_file import GROUP_COLUMNS, GROUP_OFFSET, GROUP_ORDINAL, moved_group
from bmat.aggregation.thrift import (
    BINARY,
    BYTE,
    DOUBLE,
    FALSE,
    I16,
    I64,
    LIST,
    STRUCT,
    TRUE,
    Reader,
    Struct,
    written,
)

EVERYTHING = {
    1: (TRUE, None),
    2: (FALSE, None),
    3: (I64, -(2**63)),
    4: (I64, 2**63 - 1),
    5: (BINARY, b"text"),
    30: (LIST, (I16, list(range(-7, 7)))),
    31: (LIST, (BINARY, [b"x" * 200] * 15)),
    32: (STRUCT, {1: (DOUBLE, b"8 bytes."), 200: (BYTE, b"b")}),
    33: (LIST, (TRUE, [b"\x01", b"\x02"])),
}


def test_it_reads_what_it_has_written() -> None:
    assert Reader(written(EVERYTHING)).struct() == EVERYTHING


@pytest.mark.parametrize(("number", "kept"), [(2**15 - 1, True), (2**15, False)])
def test_a_row_group_past_16_bits_has_no_number(number: int, kept: bool) -> None:
    columns: tuple[int, Any] = LIST, (STRUCT, [])
    group: Struct = {GROUP_COLUMNS: columns, GROUP_OFFSET: (I64, 4), GROUP_ORDINAL: (I16, 0)}
    moved = moved_group(group, 96, number)
    assert moved[GROUP_OFFSET] == (I64, 100)
    assert moved.get(GROUP_ORDINAL) == ((I16, number) if kept else None)
    assert GROUP_ORDINAL not in moved_group({GROUP_COLUMNS: columns}, 1, 0)
