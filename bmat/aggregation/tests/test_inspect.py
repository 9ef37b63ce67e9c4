"""What an input would be read as, told from its first bytes."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, ColumnsNotFound, Inspection, Options, inspect
from bmat.aggregation.cli import described
from bmat.aggregation.inspection import INSPECTED_BYTES, INSPECTED_RECORDS
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER

Inspect = Callable[..., Inspection]


@pytest.fixture
def inspected(tmp_path: Path) -> Inspect:
    """`inspected(data, option=value)`."""

    def run(data: bytes, **options: object) -> Inspection:
        (tmp_path / "in.csv").write_bytes(data)
        return inspect(tmp_path / "in.csv", Options(**options))  # type: ignore[arg-type]

    return run


def test_it_shows_how_a_file_is_read(inspected: Inspect) -> None:
    found = inspected(
        b"sep=;\r\nDate;Song;Note;Number of Plays\r\n2020-01-01;A,B;x;5\r\n", encoding="cp1252"
    )
    assert (found.preset, found.encoding, found.delimiter) == ("default", "cp1252", ";")
    assert (found.line_end, found.header_line, found.is_cut) == ("CRLF", 2, False)
    assert [(column.name, column.role) for column in found.columns] == [
        ("Date", "date"),
        ("Song", "song"),
        ("Note", None),
        ("Number of Plays", "plays"),
    ]


def test_it_shows_each_record_as_it_is_counted_or_rejected(inspected: Inspect) -> None:
    found = inspected(HEADER + b'"A ""x""", 2020-01-01T10:00 ,5.0\n\n"B" x,2020-01-01,5\nC,bad,5')
    first, second, third = found.records
    assert (first.line, first.key, first.date, first.plays) == (
        2,
        {"song": 'A "x"'},
        "2020-01-01",
        5,
    )
    assert first.fields == ['A "x"', " 2020-01-01T10:00 ", "5.0"]
    assert (second.line, second.reason, second.key) == (4, "malformed_quotes", None)
    assert second.fields == ['"B" x,2020-01-01,5']
    assert (third.line, third.reason) == (5, "invalid_date")


def test_it_shows_what_is_rejected_in_front_of_the_header(inspected: Inspect) -> None:
    found = inspected(b'"open\n' + HEADER + b"a,2020-01-01,1\n")
    assert [(record.line, record.reason) for record in found.records] == [
        (1, "unterminated_quote"),
        (3, None),
    ]
    assert found.header_line == 2


@pytest.mark.parametrize(
    ("start", "name"),
    [(b"\n", "LF"), (b"\r\n", "CRLF"), (b"\r\r\n", "CRCRLF"), (b"\r", "CR"), (b"", "LF")],
)
def test_it_names_the_line_ends(inspected: Inspect, start: bytes, name: str) -> None:
    assert inspected(HEADER.rstrip() + start).line_end == name


def test_it_shows_what_a_file_has_in_place_of_the_columns(inspected: Inspect) -> None:
    data = 'Day;Track;Plays\n2020-01-01;"Ä";5\n"""x" y;2\n'.encode("utf-16")
    with pytest.raises(ColumnsNotFound) as raised:
        inspected(data, plays_column="Plays")
    found = raised.value.inspection
    assert (found.encoding, found.delimiter, found.header_line) == ("utf-16", ";", 1)
    assert [(column.name, column.role) for column in found.columns] == [
        ("Day", None),
        ("Track", None),
        ("Plays", "plays"),
    ]
    first, second = found.records
    assert (first.fields, first.key, first.reason) == (["2020-01-01", "Ä", "5"], None, None)
    assert (second.line, second.reason) == (3, "malformed_quotes")


def test_what_is_cut_of_a_file_without_the_columns_is_not_shown(inspected: Inspect) -> None:
    long = b"x" * 2**15 + b"\n"
    with pytest.raises(ColumnsNotFound) as raised:
        inspected(b"Track\n" + 3 * long)
    assert (len(raised.value.inspection.records), raised.value.inspection.is_cut) == (1, True)


def test_json_that_is_left_out_is_shown_as_it_stands(inspected: Inspect) -> None:
    record = b'{"ts": "2026-01-05T07:03:20Z", "ms_played": 1, "master_metadata_track_name": "a"}'
    [shown] = inspected(b"[" + record + b"]").records
    assert (shown.reason, shown.fields) == ("not_a_play", [record.decode()])


def test_it_shows_no_columns_of_a_format_that_has_a_reader_of_its_own(inspected: Inspect) -> None:
    data = b"NAME_OF_SERVICE,FEATURED_ARTIST,SOUND_RECORDING_TITLE,PLAY_FREQUENCY\na,b,c,1\n"
    with pytest.raises(AggregationError, match="say of which days") as raised:
        inspected(data)
    assert not isinstance(raised.value, ColumnsNotFound)


def test_there_are_no_columns_where_nothing_is_on_the_named_line(inspected: Inspect) -> None:
    with pytest.raises(ColumnsNotFound) as raised:
        inspected(HEADER + b"a,2020-01-01,1\n", header_line=9)
    assert (raised.value.inspection.columns, raised.value.inspection.records) == ([], [])


def test_columns_without_a_header_have_numbers(inspected: Inspect) -> None:
    found = inspected(b"a,2020-01-01,5\n")
    assert found.header_line == 0
    assert [(column.name, column.role) for column in found.columns] == [
        ("1", "song"),
        ("2", "date"),
        ("3", "plays"),
    ]


def test_keys_of_several_columns_are_shown_field_by_field(inspected: Inspect) -> None:
    data = b"Artist,Song,Date\nx,a,2020-01-01\n"
    [record] = inspected(data, group_by="artist,song", plays="one").records
    assert (record.key, record.plays) == ({"artist": "x", "song": "a"}, 1)


def test_of_a_long_file_no_record_is_shown_that_is_cut(inspected: Inspect) -> None:
    row = b"a,2020-01-01,5," + b"x" * 10_000 + b"\n"
    found = inspected(HEADER.replace(b"\n", b",Note\n") + row * 20)
    assert found.is_cut
    assert [record.reason for record in found.records] == [None] * (INSPECTED_BYTES // len(row))


def test_no_more_than_twenty_records_are_shown(inspected: Inspect) -> None:
    found = inspected(HEADER + b"a,2020-01-01,5\n" * 50)
    assert len(found.records) == INSPECTED_RECORDS


@pytest.mark.parametrize("rows", [3, 500])
def test_json_is_shown_by_its_own_lines(inspected: Inspect, rows: int) -> None:
    line = (
        b'{"listened_at": 1577836800, "track_metadata": {"track_name": "a", "artist_name": "x"}}\n'
    )
    bad = b'{"listened_at": null, "track_metadata": {"track_name": "a", "artist_name": "x"}}\n'
    found = inspected(line + bad + line * rows + b'{"pad": "' + b"x" * INSPECTED_BYTES)
    assert found.preset == "listenbrainz"
    assert [(record.line, record.reason) for record in found.records[:3]] == [
        (1, None),
        (2, "missing_field"),
        (3, None),
    ]
    assert len(found.records) == min(rows + 2, INSPECTED_RECORDS)
    assert [column.role for column in found.columns] == ["song", "date"]


def test_a_file_that_cannot_be_read_is_the_same_error_as_in_a_run(
    inspected: Inspect, tmp_path: Path
) -> None:
    with pytest.raises(AggregationError, match="no column 'Song'") as caught:
        inspected(b"x,y,z\n1,2,3\n")
    assert caught.value.source == tmp_path / "in.csv"


def test_what_is_shown_is_what_a_run_counts(inspected: Inspect, run: Run) -> None:
    rows = b'a,2020-01-01,1\n"b\nc",2020-01-01,2\n,2020-01-01,3\nd,2020-01-01,1.000\ne,2020-01-01\n'
    summary = run(HEADER + rows).summary
    records = inspected(HEADER + rows).records
    assert sum(record.plays or 0 for record in records) == summary.plays_total
    reasons = sorted(record.reason for record in records if record.reason)
    assert reasons == sorted(summary.rejects_by_reason)


def test_standard_input_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(HEADER + b"a,2020-01-01,5\n")))
    [record] = inspect(Path("-"), Options()).records
    assert record.plays == 5


def test_a_person_reads_a_line_for_each_record(inspected: Inspect) -> None:
    text = described(inspected(HEADER + b"a,2020-01-01,5\nb,bad,1\n"))
    assert "Song (song), Date (date), Number of Plays (plays)" in text
    assert "line 2: 'a' on 2020-01-01: 5" in text
    assert "line 3: invalid_date: b, bad, 1" in text
    assert "header     none" in described(inspected(b"a,2020-01-01,5\n"))
    assert "Note" in described(inspected(b"Song,Date,Number of Plays,Note\n"))
