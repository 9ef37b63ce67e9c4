import pytest

from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER

CONTENT = 65_536


def test_it_keeps_a_song_byte_for_byte(run: Run) -> None:
    song = ' 12" Mix  "live" – \r\tÜñí '.encode()
    result = run(HEADER + song + b",2020-01-01,5\n")
    assert result.totals == b'"' + song.replace(b'"', b'""') + b'",2020-01-01,5\n'


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b'"a,b"', b'"a,b"'),
        (b'"a""b"', b'"a""b"'),
        (b'"a\nb"', b'"a\nb"'),
        (b'"a\r\nb"', b'"a\r\nb"'),
        (b'"a\rb"', b'"a\rb"'),
        (b'"plain"', b"plain"),
        (b'"a"b', b"ab"),
        (b'"a"b"c"', b'"ab""c"""'),
        (b'"a" "b"', b'"a ""b"""'),
        (b'a"b,', None),
        (b'"""', None),
    ],
)
def test_it_reads_quotes_like_the_csv_module(run: Run, written: bytes, read: bytes | None) -> None:
    result = run(HEADER + b"x,2020-01-01,1\n" + written + b",2020-01-01,5\n")
    expected = b"" if read is None else read + b",2020-01-01,5\n"
    assert set(result.totals.split(b"\n")) >= set(expected.split(b"\n"))
    assert result.summary.rows_rejected == (read is None)


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n", b"\r", b"\r\n", b"\n\n\r\n"])
def test_it_takes_either_line_end_with_or_without_a_last_one(
    run: Run, newline: bytes, last: bytes
) -> None:
    lines = [b"Song,Date,Number of Plays", b"a,2020-01-01,1", b"", b"a,2020-01-01,2"]
    result = run(newline.join(lines) + last)
    assert result.totals == b"a,2020-01-01,3\n"
    assert result.summary.rows_read == 2


def test_it_takes_a_carriage_return_inside_a_line_for_an_ordinary_byte(run: Run) -> None:
    result = run(HEADER + b"a\rb,2020-01-01,1\nx,2020-01-01,1\r\r\n")
    assert result.totals == b'"a\rb",2020-01-01,1\n'
    assert result.rejects == b'3,invalid_plays,"x,2020-01-01,1\r"\n'


def test_a_quoted_field_may_span_64_kib(run: Run) -> None:
    longest = b'"' + b"x" * CONTENT + b'"'
    too_long = b'"' + b"y" * (CONTENT + 1) + b'"'
    result = run(HEADER + longest + b",2020-01-01,1\n" + too_long + b",2020-01-01,1\n")
    assert result.totals == b"x" * CONTENT + b",2020-01-01,1\n"
    assert result.rejects == b'3,unterminated_quote,"""' + b"y" * 1023 + b'"\n'


@pytest.mark.parametrize(("pairs", "counted"), [(0, True), (1, False), (2, False)])
def test_a_doubled_quote_counts_two_bytes_of_the_64_kib(
    run: Run, pairs: int, counted: bool
) -> None:
    content = b"x" * (CONTENT - 2) + b'""' + b'""' * pairs
    result = run(HEADER + b'"' + content + b'",2020-01-01,1\nb,2020-01-01,1\n')
    assert result.summary.rows_counted == 1 + counted


def test_a_stray_quote_costs_the_line_on_which_it_opens(run: Run) -> None:
    result = run(HEADER + b'"a,2020-01-01,1\nb,2020-01-01,2\n\nc,2020-01-01,3\n')
    assert result.totals == b"b,2020-01-01,2\nc,2020-01-01,3\n"
    assert result.rejects == b'2,unterminated_quote,"""a,2020-01-01,1"\n'


def test_a_stray_quote_in_a_later_line_of_a_record_costs_the_record_up_to_there(run: Run) -> None:
    result = run(HEADER + b'"a\nb","2020-01-01,1\nc,2020-01-01,3\n')
    assert result.totals == b"c,2020-01-01,3\n"
    assert result.rejects == b'2,unterminated_quote,"""a\nb"",""2020-01-01,1"\n'


@pytest.mark.compiled
def test_it_reads_a_line_of_several_megabytes(run: Run) -> None:
    long = b"x" * 3_000_000
    result = run(HEADER + long + b",2020-01-01,1\na,2020-01-01,1\n", block_bytes=100_000)
    assert result.totals == b"a,2020-01-01,1\n" + long + b",2020-01-01,1\n"


def test_every_line_number_is_the_physical_line(run: Run) -> None:
    data = HEADER + b'"a\n\nb",2020-01-01,1\n\nbad\n"c\n",x,1\nbad\n'
    rejects = run(data).rejects
    assert rejects == b'6,missing_field,bad\n7,invalid_date,"""c\n"",x,1"\n9,missing_field,bad\n'
