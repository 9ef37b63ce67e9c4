import os
import time
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, aggregate
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER, error_of, names_in

ROW = b"a,2020-01-01,1\n"


@pytest.mark.parametrize(
    "header",
    [
        b"Song,Date,Number of Plays",
        b"SONG,date,NUMBER_OF_PLAYS",
        b" s-o_n g ,Date,number-of-plays",
        b'"Song","Date","Number of Plays"',
        b'"So\nng",Date,Number of Plays'.replace(b"\n", b"_"),
        b"\xef\xbb\xbfSong,Date,Number of Plays",
        b"\n\r\n\nSong,Date,Number of Plays\r",
    ],
)
def test_it_compares_names_without_case_spaces_and_dashes(run: Run, header: bytes) -> None:
    assert run(header + b"\n" + ROW).totals == ROW


def test_the_columns_may_stand_anywhere_among_others(run: Run) -> None:
    data = b"Number of Plays,x,Date,y,Song\n5,,2020-01-01,,a\n6,,2020-01-01,,a,\n7,,2020-01-01\n"
    result = run(data)
    assert result.totals == b"a,2020-01-01,5\n"
    assert result.rejects == (
        b'3,extra_field,"6,,2020-01-01,,a,"\n4,missing_field,"7,,2020-01-01"\n'
    )


def test_a_record_may_end_before_columns_that_nobody_reads(run: Run) -> None:
    assert run(b"Song,Date,Number of Plays,Label,Note\n" + ROW).totals == ROW


def test_it_takes_other_names_as_options(run: Run) -> None:
    data = b"Track;Day;Spins;Song\na;2020-01-01;5;b\n"
    result = run(data, song_column="TRACK", date_column="day", plays_column="spins")
    assert result.totals == b"a,2020-01-01,5\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_it_reads_the_delimiter_off_the_header(run: Run, delimiter: str) -> None:
    data = (HEADER + b"a,2020-01-01,1\n").replace(b",", delimiter.encode())
    assert run(data).totals == b"a,2020-01-01,1\n"


def test_it_takes_any_other_delimiter_as_an_option(run: Run) -> None:
    data = b"Song^Date^Number of Plays\na,b^2020-01-01^1\n"
    assert run(data, delimiter="^").totals == b'"a,b",2020-01-01,1\n'


@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|"])
def test_a_file_without_header_is_data_from_its_first_record(run: Run, delimiter: bytes) -> None:
    assert run((ROW + ROW).replace(b",", delimiter)).totals == b"a,2020-01-01,2\n"


def test_a_header_may_hold_a_newline(run: Run) -> None:
    result = run(b'Song,Date,Number of Plays,"Not\ne"\nbad\n' + ROW)
    assert result.rejects == b"3,missing_field,bad\n"


def test_a_stray_quote_before_the_header_costs_one_line(run: Run) -> None:
    result = run(b'\n"oops\n\n' + HEADER + ROW)
    assert (result.totals, result.rejects) == (ROW, b'2,unterminated_quote,"""oops"\n')


def test_a_stray_quote_in_the_first_record_of_a_file_without_header(run: Run) -> None:
    result = run(b',"a,2020-01-01,9\n' + ROW)
    assert result.totals == ROW
    assert result.rejects == b'1,unterminated_quote,",""a,2020-01-01,9"\n'


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\n\r", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_a_file_of_nothing_is_an_error(tmp_path: Path, data: bytes) -> None:
    error = error_of(tmp_path, data)
    assert error.code == "empty_file"
    assert str(error) == "The file is empty: it needs a header and at least one record."


@pytest.mark.parametrize(
    ("data", "looks_like"),
    [
        (b"PK\x03\x04rest", "an Excel workbook (.xlsx) or another ZIP archive"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a PNG image"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"S\0o\0n\0g\0,\0", "binary data"),
        (b"\xfe\xfa\x01,\n", "bytes that are not UTF-8"),
    ],
)
def test_it_says_what_a_binary_file_looks_like(
    tmp_path: Path, data: bytes, looks_like: str
) -> None:
    error = error_of(tmp_path, data)
    assert error.code == "not_text"
    assert error.message.startswith(f"The file is not a CSV text: it looks like {looks_like}. ")


def test_a_missing_column_is_named_with_those_found(tmp_path: Path) -> None:
    error = error_of(tmp_path, b"Song;Datum;Plays\n")
    assert error.code == "missing_column"
    assert error.source == tmp_path / "plays-0.csv"
    assert error.message == (
        "The header has no column 'Date' or 'Number of Plays': it has 'Song', 'Datum', 'Plays'. "
        "Rename the column, or name yours in the options song_column, date_column, plays_column."
    )


def test_a_header_of_a_thousand_columns_makes_a_short_message(tmp_path: Path) -> None:
    assert len(error_of(tmp_path, b"column," * 1000).message) < 1000


def header_of(size: int) -> bytes:
    """A header of so many bytes, without its line end."""
    return HEADER.strip().ljust(size - 1, b",") + b"x"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_header_may_take_a_mebibyte(run: Run, line_end: bytes) -> None:
    assert run(header_of(2**20) + line_end + ROW).totals == ROW
    assert run(header_of(2**20 - 4) + b"\n\n\n" + line_end + ROW).totals == ROW


@pytest.mark.parametrize(
    "data",
    [
        header_of(2**20 + 1) + b"\n" + ROW,
        b"\n" + header_of(2**20) + b"\n" + ROW,
        b"\r\n" * 2**20 + HEADER + ROW,
        b'"open\n' + b"x" * 2**20 + HEADER + ROW,
        b"x" * 2**20 + "é".encode() * 2**20,
    ],
)
def test_a_header_that_ends_behind_the_first_mebibyte_is_none(tmp_path: Path, data: bytes) -> None:
    error = error_of(tmp_path, data)
    assert error.code == "not_text"
    assert error.message == (
        "The file is not a CSV text: it looks like text without a header in its first MiB. "
        "Upload it as CSV, one record on a line."
    )


@pytest.mark.parametrize(
    "piece", [b"\0", b",", b'"",', b',"', b'"a"b', b"\n", b"\n\r\n", b'""', b"\xff", b"x;,|\t"]
)
def test_no_file_of_gigabytes_takes_long_to_refuse(tmp_path: Path, piece: bytes) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(piece * (3 * 2**20 // len(piece)))
    os.truncate(path, 2**32)
    begin = time.process_time()
    with pytest.raises(AggregationError) as caught:
        aggregate([path], tmp_path / "out.csv")
    assert caught.value.code in ("not_text", "missing_column")
    # Within two seconds on an idle machine, and not in the minutes of a square.
    assert time.process_time() - begin < 10
    assert names_in(tmp_path) == ["in.csv"]


def test_a_file_of_one_stray_quote_has_no_header(tmp_path: Path) -> None:
    error = error_of(tmp_path, b'"Song,Date\n')
    assert error.code == "missing_column"
    assert "it has no line that could be one" in error.message


def test_a_column_that_is_there_twice_is_an_error(tmp_path: Path) -> None:
    error = error_of(tmp_path, b"Song,Date,song,Number of Plays\n")
    assert error.code == "duplicate_column"
    assert error.message == (
        "The header has the column 'Song' more than once: "
        "it has 'Song', 'Date', 'song', 'Number of Plays'. "
        "Leave one of them, or name the right one in the options."
    )


def test_an_ignored_column_may_be_there_twice(run: Run) -> None:
    assert run(b"Song,Date,Number of Plays,x,x\n" + ROW).totals == ROW
