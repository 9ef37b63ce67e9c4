"""The records of a file's head: against a reference that goes from byte to byte."""

import time
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation.options import Bounds
from bmat.aggregation.source.records import Dialect, Record, records_from

BOM = b"\xef\xbb\xbf"
PIECES = [b'"', b'"', b'""', b",", b";", b"\n", b"\r", b"\r\n", b"\r\r\n", b" ", b"a", BOM, b"\xef"]


class Line(NamedTuple):
    stop: int
    behind: int


def line_from(data: bytes, at: int, has_cr_ends: bool) -> Line:
    """The end of the line that goes on at `at`."""
    while at < len(data):
        if has_cr_ends and data[at] in b"\r\n":
            return Line(at, at + (2 if data[at : at + 2] == b"\r\n" else 1))
        for count in (0, 1, 2) if not has_cr_ends else ():
            is_at_end = at + count == len(data)
            if data[at : at + count] == b"\r" * count and (
                is_at_end or data[at + count : at + count + 1] == b"\n"
            ):
                return Line(at, at + count + (not is_at_end))
        at += 1
    return Line(at, at)


def lines_in(data: bytes, has_cr_ends: bool) -> int:
    at, count = 0, 0
    while at < len(data):
        is_pair = has_cr_ends and data[at : at + 2] == b"\r\n"
        count += data[at] == ord("\n") or has_cr_ends and data[at] == ord("\r")
        at += 2 if is_pair else 1
    return count


class Verdict(NamedTuple):
    start: int
    stop: int
    behind: int
    line: int
    fields: list[bytes]
    fault: str | None


def reference(data: bytes, dialect: Dialect) -> list[Verdict]:
    found, at, line = list[Verdict](), 0, 1
    while at < len(data):
        end = line_from(data, at, dialect.has_cr_ends)
        if data[at : at + 3] == BOM:
            at += 3
        elif end.stop == at:
            line += lines_in(data[at : end.behind], dialect.has_cr_ends)
            at = end.behind
        else:
            fields, fault, end = fields_from(data, at, dialect)
            found.append(Verdict(at, end.stop, end.behind, line, fields, fault))
            line += lines_in(data[at : end.behind], dialect.has_cr_ends)
            at = end.behind
    return found


def fields_from(data: bytes, at: int, dialect: Dialect) -> tuple[list[bytes], str | None, Line]:
    fields = list[bytes]()
    while True:
        end = line_from(data, at, dialect.has_cr_ends)
        if dialect.is_quoted and data[at : at + 1] == b'"':
            content, closing = b"", at + 1
            while data[closing : closing + 2] == b'""' or data[closing : closing + 1] not in b'"':
                size = 2 if data[closing : closing + 1] == b'"' else 1
                content += data[closing : closing + 1]
                closing += size
            is_closed = closing < len(data)
            if not is_closed or closing - at - 1 > dialect.bounds.quoted_field:
                return [], "unterminated_quote", end
            behind = closing + 1
            while data[behind : behind + 1] == b" ":
                behind += 1
            next_end = line_from(data, closing + 1, dialect.has_cr_ends)
            has_few_spaces = behind - closing - 1 <= dialect.bounds.quoted_field
            if not has_few_spaces or (
                behind != next_end.stop and data[behind : behind + 1] != dialect.delimiter
            ):
                return [], "malformed_quotes", end
            fields.append(content)
            at, end = behind, next_end
        else:
            begin = at
            while at < end.stop and data[at : at + 1] != dialect.delimiter:
                at += 1
            fields.append(data[begin:at])
        if at == end.stop:
            return fields, None, end
        at += 1


def verdict_of(record: Record) -> Verdict:
    return Verdict(*record.extent, record.line, record.fields, record.fault)


@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=30),
    is_quoted=st.booleans(),
    has_cr_ends=st.booleans(),
    quoted_field=st.integers(0, 6),
)
def test_it_splits_as_the_reference_does(
    pieces: list[bytes], is_quoted: bool, has_cr_ends: bool, quoted_field: int
) -> None:
    data = b"".join(pieces)
    dialect = Dialect(b",", is_quoted, has_cr_ends, Bounds(quoted_field=quoted_field))
    found = list(records_from(data, 0, 1, dialect))
    assert [verdict_of(record) for record in found] == reference(data, dialect)


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b'a,"b",c', [b"a", b"b", b"c"]),
        (b'"a""b"  ,"c\nd" \r\r\n', [b'a"b', b"c\nd"]),
        (b'12" Mix,', [b'12" Mix', b""]),
        (b'\xef\xbb\xbf\n\r\r\n"",""', [b"", b""]),
        (b"a\rb\r\r\r\n", [b"a\rb\r"]),
        (b"a\r\r", [b"a"]),
    ],
)
def test_a_record_has_these_fields(data: bytes, fields: list[bytes]) -> None:
    assert [record.fields for record in records_from(data, 0, 1, Dialect(b","))] == [fields]


def test_two_stray_quotes_do_not_swallow_what_is_between_them() -> None:
    data = b'"a\tb\nc\td\n"e\tf\ng\th\n'
    found = list(records_from(data, 0, 1, Dialect(b"\t")))
    assert [(record.line, record.fault) for record in found] == [
        (1, "malformed_quotes"),
        (2, None),
        (3, "unterminated_quote"),
        (4, None),
    ]


@pytest.mark.parametrize(("size", "fault"), [(2**16, None), (2**16 + 1, "unterminated_quote")])
def test_a_quoted_field_spans_64_kib(size: int, fault: str | None) -> None:
    [record, *_] = records_from(b'"' + b"x" * size + b'",a\n', 0, 1, Dialect(b","))
    assert record.fault == fault


@pytest.mark.parametrize(("spaces", "fault"), [(2**16, None), (2**16 + 1, "malformed_quotes")])
def test_so_many_spaces_may_be_behind_a_quote(spaces: int, fault: str | None) -> None:
    [record] = records_from(b'"a"' + b" " * spaces + b",b\n", 0, 1, Dialect(b","))
    assert record.fault == fault


# The first makes 250,000 records, each rejected; the last ones are looked at to their end.
@pytest.mark.parametrize(
    "piece", [b'""x\n', b'"""x\n', b"\n", b"\r\n", b"\r", BOM, b'"",', b',"', b'"", ""\n']
)
def test_each_byte_is_looked_at_a_few_times(piece: bytes) -> None:
    data = piece * (2**20 // len(piece))
    for has_cr_ends in (False, True):
        begin = time.process_time()
        for _ in records_from(data, 0, 1, Dialect(b",", has_cr_ends=has_cr_ends)):
            pass
        # A second or two on an idle machine, and not in the hours of a square.
        assert time.process_time() - begin < 20
