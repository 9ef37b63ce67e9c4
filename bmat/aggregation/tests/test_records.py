import pytest

from bmat.aggregation.options import Bounds
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER

CONTENT = 65_536


def test_it_keeps_a_song_byte_for_byte(run: Run) -> None:
    song = ' 12" Mix  "live" – \tÜñí '.encode()
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
        (b'a"b', b'"a""b"'),
        (b'a"b"', b'"a""b"""'),
        (b' "a"', b'" ""a"""'),
        (b'"a"   ', b"a"),
        (b'"a""" ', b'"a"""'),
        (b'"a"b', None),
        (b'"a" b', None),
        (b'"a"b"c"', None),
        (b'"a" "b"', None),
        (b'"a"\t', None),
        (b'"a"\r', None),
        (b'"say \\"a\\""', None),
        (b'a"b,', None),
        (b'"""', None),
    ],
)
def test_it_reads_quotes_strictly(run: Run, written: bytes, read: bytes | None) -> None:
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


def test_a_carriage_return_that_ends_no_line_rejects_its_record(run: Run) -> None:
    header = b"Song,Date,Number of Plays,Note\n"
    rows = [b"a\rb,2020-01-01,1", b"a,2020-01-01,1,x\ry", b"a,2020-01-01,1,\r\r\r", b"\ra,,"]
    result = run(header + b"\n".join(rows) + b"\nok,2020-01-01,1\n")
    assert result.totals == b"ok,2020-01-01,1\n"
    assert result.summary.rejects_by_reason == {"stray_carriage_return": 4}
    assert result.rejects.count(b"stray_carriage_return") == 4


@pytest.mark.parametrize("block_bytes", [5, 30, 2**20])
def test_two_carriage_returns_may_stand_before_a_line_feed(run: Run, block_bytes: int) -> None:
    data = HEADER.replace(b"\n", b"\r\r\n") + b'"a\r\r\n",2020-01-01,1\r\r\n\r\r\nb,x,1\r\r\n'
    result = run(data + b"c,2020-01-01,1\r\r", block_bytes=block_bytes)
    assert result.totals == b'"a\r\r\n",2020-01-01,1\nc,2020-01-01,1\n'
    assert result.rejects == b'5,invalid_date,"b,x,1"\n'


@pytest.mark.parametrize("block_bytes", [5, 30, 2**20])
def test_old_line_ends_are_carriage_returns(run: Run, block_bytes: int) -> None:
    rows = b'a,2020-01-01,1\r\r"b\rc",2020-01-01,2\rx,y,3\r'
    later = b'e,2020-01-01,4\r\nf,2020-01-01,5\n"g\r\nh\ni",2020-01-01,6\rj,k,6\r'
    data = b"Song,Date,Number of Plays\r" + rows + b"z,2020-01-01,9\r" * 5000 + later
    result = run(data, block_bytes=block_bytes * 400)
    assert result.totals.startswith(b'a,2020-01-01,1\n"b\rc",2020-01-01,2\ne,2020-01-01,4\n')
    assert b'"g\r\nh\ni",2020-01-01,6\n' in result.totals
    assert result.rejects == b'6,invalid_date,"x,y,3"\n5012,invalid_date,"j,k,6"\n'


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2])
@pytest.mark.parametrize("block_bytes", [3, 40, 2**20])
def test_a_byte_order_mark_in_front_of_a_record_is_no_part_of_it(
    run: Run, mark: bytes, block_bytes: int
) -> None:
    row = b"a,2020-01-01,1\n"
    data = (
        HEADER + mark + row + mark + b'"a",2020-01-01,1\n' + mark + b"\n" + mark + b"a,x\n" + mark
    )
    result = run(data, block_bytes=block_bytes)
    assert result.totals == b"a,2020-01-01,2\n"
    assert result.rejects == b'5,missing_field,"a,x"\n'


def test_a_byte_order_mark_elsewhere_is_text(run: Run) -> None:
    row = b'"\xef\xbb\xbfa",2020-01-01,1\nb\xef\xbb\xbf,2020-01-01,1\n'
    first, second = b"b\xef\xbb\xbf,2020-01-01,1\n", b'"\xef\xbb\xbfa",2020-01-01,1\n'
    assert run(HEADER + row).totals == first + second


def test_a_byte_order_mark_before_a_column_that_nobody_reads(run: Run) -> None:
    mark, header = b"\xef\xbb\xbf", b"Note,Song,Date,Number of Plays\n"
    result = run(header + mark + b'"x,y",a,2020-01-01,1\n' + mark + b"x,a,2020-01-01,1\n")
    assert result.totals == b"a,2020-01-01,2\n"


def test_the_header_once_more_is_told_as_such(run: Run) -> None:
    row = b"a,2020-01-01,1\n"
    result = run(HEADER + row + HEADER + row + HEADER.rstrip())
    header = b'repeated_header,"Song,Date,Number of Plays"\n'
    assert result.rejects == b"3," + header + b"5," + header
    assert result.totals == b"a,2020-01-01,2\n"


def test_empty_fields_behind_the_last_column_are_none(run: Run) -> None:
    rows = b'a,2020-01-01,1,\na,2020-01-01,1,,"" ,\r\na,2020-01-01,1,, \n"a",2020-01-01,1,,x\n'
    result = run(HEADER + rows)
    assert result.totals == b"a,2020-01-01,2\n"
    assert result.summary.rejects_by_reason == {"extra_field": 2}


def test_two_stray_quotes_swallow_nothing_between_them(run: Run) -> None:
    rows = b'"Heroes,2020-01-01,5\nb,2020-01-01,7\n"Helden,2020-01-01,9\nc,2020-01-01,1\n'
    result = run(HEADER + rows)
    assert result.totals == b"b,2020-01-01,7\nc,2020-01-01,1\n"
    lines = [line[:20] for line in result.rejects.splitlines()]
    assert lines == [b'2,malformed_quotes,"', b"4,unterminated_quote"]


def test_quotes_may_be_ordinary_bytes(run: Run) -> None:
    rows = b'"Heroes,2020-01-01,5\n"a""b",2020-01-01,"7"\n"45" x,2020-01-01,1\n'
    result = run(HEADER + rows, quoting="none")
    assert result.totals == b'"""45"" x",2020-01-01,1\n"""Heroes",2020-01-01,5\n'
    assert result.summary.rejects_by_reason == {"invalid_plays": 1}


def test_each_record_may_be_one_play(run: Run) -> None:
    rows = b"a,2020-01-01\na,2020-01-01T10:00\nb,x\n"
    result = run(b"Song,Date\n" + rows, plays="one")
    assert result.totals == b"a,2020-01-01,2\n"


def test_spaces_behind_a_closing_quote_may_take_64_kib(run: Run) -> None:
    most, more = b" " * CONTENT, b" " * (CONTENT + 1)
    result = run(HEADER + b'"a"' + most + b',2020-01-01,1\n"b"' + more + b",2020-01-01,1\n")
    assert result.totals == b"a,2020-01-01,1\n"
    assert result.summary.rejects_by_reason == {"malformed_quotes": 1}


def test_a_quoted_field_may_span_64_kib(run: Run) -> None:
    longest = b'"' + b"x" * CONTENT + b'"'
    longer = b'"' + b"y" * (CONTENT + 1) + b'"'
    result = run(HEADER + longest + b",2020-01-01,1\n" + longer + b",2020-01-01,1\na,2020-01-01,1")
    assert result.totals == b"a,2020-01-01,1\n"
    assert [line[:20] for line in result.rejects.splitlines()] == [
        b'2,too_long,"""xxxxxx',
        b"3,unterminated_quote",
    ]


@pytest.mark.compiled
@pytest.mark.parametrize("block_bytes", [77_777, 2**26])
def test_a_quoted_field_that_nobody_reads_may_be_as_long_as_a_record(
    run: Run, block_bytes: int
) -> None:
    start, row = b'a,2020-01-01,1,"', b"b,2020-01-01,1\n"
    room = 2**20 - len(start)
    header = b"Song,Date,Number of Plays,Note\n"
    longest = start + b"x\n" * ((room - 1) // 2) + b"x" * ((room - 1) % 2) + b'"\n'
    too_long = start + b"x" * room + b'"\n'
    never_closed = start + b"y" * (room + 1) + b'"\n'
    data = header + longest + row + too_long + row + never_closed + row
    result = run(data, block_bytes=block_bytes)
    assert result.totals == b"a,2020-01-01,1\nb,2020-01-01,3\n"
    assert result.summary.rejects_by_reason == {"too_long": 1, "unterminated_quote": 1}


@pytest.mark.parametrize(("pairs", "counted"), [(0, True), (1, False), (2, False)])
def test_a_doubled_quote_counts_two_bytes_of_the_64_kib(
    run: Run, pairs: int, counted: bool
) -> None:
    content = b"x" * (CONTENT - 2) + b'""' + b'""' * pairs
    result = run(HEADER + b'a,2020-01-01,"' + content + b'"\nb,2020-01-01,1\n')
    reason = "invalid_plays" if counted else "unterminated_quote"
    assert result.summary.rejects_by_reason == {reason: 1}


def test_a_stray_quote_costs_the_line_on_which_it_opens(run: Run) -> None:
    result = run(HEADER + b'"a,2020-01-01,1\nb,2020-01-01,2\n\nc,2020-01-01,3\n')
    assert result.totals == b"b,2020-01-01,2\nc,2020-01-01,3\n"
    assert result.rejects == b'2,unterminated_quote,"""a,2020-01-01,1"\n'


def test_a_stray_quote_in_a_later_line_of_a_record_costs_the_record_up_to_there(run: Run) -> None:
    result = run(HEADER + b'"a\nb","2020-01-01,1\nc,2020-01-01,3\n')
    assert result.totals == b"c,2020-01-01,3\n"
    assert result.rejects == b'2,unterminated_quote,"""a\nb"",""2020-01-01,1"\n'


@pytest.mark.compiled
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("block_bytes", [77_777, 2**26])
def test_a_record_may_span_a_mebibyte(run: Run, line_end: bytes, block_bytes: int) -> None:
    header, start, last = b"Song,Date,Number of Plays,Note\n", b"a,2020-01-01,1,", b"b,2020-01-01,1"
    longest = start + b"x" * (2**20 - len(start))
    assert run(header + longest + line_end + last, block_bytes=block_bytes).totals == (
        b"a,2020-01-01,1\nb,2020-01-01,1\n"
    )
    result = run(header + longest + b"y" + line_end + last, block_bytes=block_bytes)
    assert result.totals == b"b,2020-01-01,1\n"
    assert result.rejects == b'2,too_long,"' + longest[:1024] + b'"\n'


@pytest.mark.compiled
@pytest.mark.parametrize("block_bytes", [300_000, 2**26])
def test_a_record_of_megabytes_costs_itself_alone(run: Run, block_bytes: int) -> None:
    row = b"a,2020-01-01,1\n"
    long = b'"x\ny",' * 700_000 + b"\n"
    never_closed = b"x," * 700_000 + b'"z\n'
    result = run(HEADER + row + long + row + never_closed + row, block_bytes=block_bytes)
    assert result.totals == b"a,2020-01-01,3\n"
    lines = [(b"3", b"too_long"), (b"700005", b"unterminated_quote")]
    starts = [long[:1024], never_closed[:1024]]
    assert result.rejects == b"".join(
        b'%s,%s,"%s"\n' % (*line, start.replace(b'"', b'""'))
        for line, start in zip(lines, starts, strict=True)
    )


def test_records_without_end_fill_the_list_of_rejects(run: Run) -> None:
    long, few = b"x" * 400, Bounds(record=30, quoted_field=10, song=8)
    result = run(HEADER + (long + b"\r\n") * 1000 + b"a,2020-01-01,1\n" + long, bounds=few)
    assert result.totals == b"a,2020-01-01,1\n"
    lines = [*range(2, 1002), 1003]
    assert result.rejects == b"".join(b"%d,too_long,%s\n" % (line, long) for line in lines)


@pytest.mark.parametrize("block_bytes", [7, 100, 2**20])
def test_quoted_fields_of_records_that_are_passed_over_are_minded(
    run: Run, expected: Run, block_bytes: int
) -> None:
    few, row = Bounds(record=30, quoted_field=10, song=8), b"a,2020-01-01,1\n"
    long = [b'"x\ny",' * 40 + b"\n", b"x," * 40 + b'"z""\n""",\n', b"x," * 40 + b'"never closed\n']
    data = HEADER + row + row.join(long) + row + b"y," * 40 + b'"z'
    result = run(data, bounds=few, block_bytes=block_bytes)
    assert result == expected(data, bounds=few)
    assert result.summary.rejects_by_reason == {"too_long": 2, "unterminated_quote": 2}


@pytest.mark.parametrize(
    ("written", "song"),
    [
        (b"x" * 4096, b"x" * 4096),
        (b'"' + b"x" * 4096 + b'"', b"x" * 4096),
        (b'"' + b'""' * 4096 + b'"', b'"' + b'""' * 4096 + b'"'),
    ],
)
def test_a_song_may_take_4_kib_once_it_is_unquoted(run: Run, written: bytes, song: bytes) -> None:
    longer = b'"y' + written[1:] if written[:1] == b'"' else b"y" + written
    result = run(HEADER + written + b",2020-01-01,1\n" + longer + b",2020-01-01,1\n")
    assert result.totals == song + b",2020-01-01,1\n"
    assert result.summary.rejects_by_reason == {"too_long": 1}


def test_every_line_number_is_the_physical_line(run: Run) -> None:
    data = HEADER + b'"a\n\nb",2020-01-01,1\n\nbad\n"c\n",x,1\nbad\n'
    rejects = run(data).rejects
    assert rejects == b'6,missing_field,bad\n7,invalid_date,"""c\n"",x,1"\n9,missing_field,bad\n'
