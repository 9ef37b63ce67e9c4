import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation.options import BOUNDS, Bounds
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER, judged, run_in

ODD = (
    b'"a,\r\nb",2020-01-01,1\r\n"c ""d""\n\n\n",2020-01-01,2\n12" Mix,2020-01-01,3\r\n'
    b'bad\r\n\r\n"e",x,4\n"quoted"" \n",2020-01-02,5\nf,2020-01-01,-6\n,2020-01-01,1\n'
    b'a,b,c,d\n"g\n"h,2020-01-01,7\n\n"stray,2020-01-01,8\nlast,2020-01-01,9'
)
PIECES = b'a bb " "" " , \n \r\n \r 2020-01-01 7 .0 - T10:00 :59Z +02:00 \0 \xff'.split(b" ")
GOOD = b"always,2020-01-01,1\n"
RECORDS = [b"a,2020-01-01,1\n", b'"b\n,""",2020-01-02,2\r\n', b"a,2019-02-29,1\n", b"x" * 40]
DATES = [
    b"2020-01-01",
    b"0000-01-01",
    b"2020-02-30",
    b"2020-01-01T1",
    b"2020-01-01 10:00:00.5+0260",
]


@pytest.mark.compiled
@pytest.mark.parametrize("data", [ODD, ODD + b"\n", ODD + b"\r", ODD.replace(b"\r\n", b"\n")])
def test_every_block_size_gives_the_same_bytes(run: Run, data: bytes) -> None:
    expected = run(HEADER + data)
    for block_bytes in range(11, len(data) + 2):
        assert run(HEADER + data, block_bytes=block_bytes) == expected


def test_every_number_of_threads_gives_the_same_bytes(run: Run) -> None:
    expected = run(HEADER + ODD, threads=1)
    for threads in (2, 4):
        assert run(HEADER + ODD, threads=threads, block_bytes=13) == expected


# The header, and the first record, are never too long.
few_bytes = st.builds(Bounds, st.integers(25, 150), st.integers(0, 60), st.integers(6, 20))


@given(
    st.lists(st.sampled_from(PIECES + RECORDS), max_size=60).map(b"".join),
    st.integers(11, 200),
    st.one_of(st.just(BOUNDS), few_bytes),
)
def test_it_agrees_on_the_records(
    tmp_path_factory: pytest.TempPathFactory, body: bytes, block_bytes: int, bounds: Bounds
) -> None:
    data, folder = HEADER + GOOD + body, tmp_path_factory.mktemp("run")
    found = run_in(folder, data, block_bytes=block_bytes, bounds=bounds)
    assert found == judged(folder, data, bounds=bounds)


@given(
    st.sampled_from([b"a", b"", b"\xc3", b"\xc3\xa9", b"\0", b'"a']),
    st.sampled_from(DATES),
    st.text("T 0123456789:.,+-Zz", max_size=14).map(str.encode),
    st.text(" -.01234567890", max_size=24).map(str.encode),
)
def test_it_agrees_on_the_fields(
    tmp_path_factory: pytest.TempPathFactory, song: bytes, day: bytes, time: bytes, plays: bytes
) -> None:
    data = HEADER + GOOD + b",".join([song, day + time, plays])
    folder = tmp_path_factory.mktemp("run")
    assert run_in(folder, data) == judged(folder, data)


@pytest.mark.compiled
def test_it_agrees_on_a_quoted_field_of_64_kib_across_many_blocks(run: Run, expected: Run) -> None:
    rng = random.Random(64)
    for length in (65_534, 65_535, 65_536, 65_537):
        text = bytes(rng.choice(b"ab\n,") for _ in range(length))
        data = HEADER + GOOD + b'"' + text + b'",2020-01-01,1\ny,2020-01-01,1\n'
        assert run(data, block_bytes=777) == expected(data)
