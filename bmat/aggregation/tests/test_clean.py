"""Records that take the fast path, and those that only look as if they did."""

from itertools import permutations

import pytest

from bmat.aggregation.options import Bounds
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER

WIDE = b"Country,Song,ISRC,Date,Label,Number of Plays,Price\n"
WIDE_RECORDS = (
    b"US,A,I,2020-01-01,L,5,9\n",
    b'US,"A, b",I,"2020-01-01",L,"5","9"\r\n',
    b'"U,S",A,"I",2020-01-01T10:00:00Z,"L, L",5,"9"\n',
    b'"U""S",A,I,2020-01-01 23:59:59,L,5,9\n',
    b'"U\nS",A,I,2020-01-01,L,5,9\n',
    b'"US"x,A,I,2020-01-01,L,5,9\n',
    b'"US"\r,A,I,2020-01-01,L,5,9\n',
    b'US,A,I,2020-01-01,L,5,"9"x\n',
    b'US,A,I,2020-01-01,L,5,"9"\r\n',
    b'US,A,I,2020-01-01,L,5,"9"\rx\n',
    b"US,A,I,2020-01-01,L,5\r\n",
    b"US,A,I,2020-01-01,L\n",
    b"US,A\n",
    b"US,A,I,2020-01-01,L,5,9,10\n",
    b"US,A,I,2020-01-01,L,5\r,9\n",
    b'US,A,I,2020-01-01,L,5,"' + b"9" * 70 + b'"\n',
    b"US,A,I,2020-01-01,L,5," + b"9" * 300 + b"\n",
)
FIELDS = {
    b"song": (b"a", b'"a"', b'"a ""b"""', '"é, ü"'.encode(), "Любовь".encode(), "愛の歌".encode()),
    b"date": (b"2020-02-29", b'"2020-02-29"', b"2020-02-29t23:59:59z", b'"2020-02-29 00:00:00"'),
    b"plays": (b"7", b'"7"', b"12345678", b"123456789", b" 7", b"7.0", b'"7', b""),
}
NAMES = {b"song": b"Song", b"date": b"Date", b"plays": b"Number of Plays"}
ODD_TIMES = (
    b"T24:00:00 T12:60:00 T12:34:60 T12:34:61 T12:34 T1:34:56 T12:34:5x T12:34:56+01:00 x".split()
)
SEQUENCES = (
    b"\x7f \xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf \xf0\x90\x80\x80 "
    b"\xf4\x8f\xbf\xbf \x80 \xbf \xc0\x80 \xc1\xbf \xc2 \xc2\x41 \xe0\x9f\xbf \xe1\x80 "
    b"\xed\xa0\x80 \xf0\x8f\xbf\xbf \xf0\x90\x80 \xf4\x90\x80\x80 \xf5\x80\x80\x80 \xff"
).split()


@pytest.mark.parametrize("line", range(len(WIDE_RECORDS)))
def test_other_columns_are_passed_over_as_the_oracle_does(
    run: Run, expected: Run, line: int
) -> None:
    data = WIDE + WIDE_RECORDS[line] + b"US,B,I,2020-01-02,L,5,9\n" + WIDE_RECORDS[line]
    bounds = Bounds(record=250, quoted_field=60)
    assert run(data, bounds=bounds) == expected(data, bounds=bounds)


@pytest.mark.parametrize("order", list(permutations(FIELDS)))
def test_the_three_columns_may_come_in_any_order(
    run: Run, expected: Run, order: tuple[bytes, ...]
) -> None:
    lines = [b",".join(NAMES[column] for column in order)]
    for column in order:
        for field in FIELDS[column]:
            usual = {b"song": b"x", b"date": b"2020-01-01", b"plays": b"1"}
            lines.append(b",".join((usual | {column: field})[name] for name in order))
    data = b"\n".join(lines)
    assert run(data) == expected(data)


def test_times_that_no_clock_shows_are_not_taken_for_others(run: Run, expected: Run) -> None:
    data = HEADER + b"".join(b"a,2020-01-01%s,1\n" % time for time in ODD_TIMES)
    assert run(data) == expected(data)


@pytest.mark.parametrize("before", [0, 5, 7, 8, 13])
def test_only_valid_utf_8_is_a_song(run: Run, expected: Run, before: int) -> None:
    songs = [b"x" * before + sequence + b"y" * 3 for sequence in SEQUENCES]
    data = HEADER + b"".join(b"%s,2020-01-01,1\n" % song for song in songs)
    assert run(data) == expected(data)
