"""Results in other formats: whatever they hold, in its order, and nothing else."""

import json
import resource
import runpy
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow.parquet
import pytest

from bmat.results import NoResult, TooLarge, write_json_lines, write_parquet
from bmat.results.cli import main
from bmat.results.connection import Database
from bmat.results.files import OUTPUT, PARQUET
from bmat.results.tests.results import LARGEST, SONGS, Result

DAYS = [date.min, date(2020, 2, 29), date.max]
ODD = [(song, day, LARGEST - number) for number, song in enumerate(SONGS) for day in DAYS]


@pytest.fixture
def odd(result: Callable[..., Result]) -> Result:
    return result([*ODD, ("none", date(2020, 1, 1), 0)])


def test_parquet_holds_whatever_the_totals_hold(odd: Result) -> None:
    target = odd.folder / PARQUET

    assert write_parquet(odd.folder / OUTPUT, target) == len(odd.totals)

    columns = pyarrow.parquet.read_table(target).to_pydict()
    read = list(zip(columns["Song"], columns["Date"], columns["Plays"], strict=True))
    assert read == [(row.key["song"], row.date, row.plays) for row in odd.totals]


def test_parquet_has_three_columns_of_plain_types(odd: Result) -> None:
    odd.write_parquet()

    schema = pyarrow.parquet.read_schema(odd.folder / PARQUET)

    types = {field.name: str(field.type) for field in schema}
    assert types == {"Song": "string", "Date": "date32[day]", "Plays": "int64"}


@pytest.mark.parametrize("is_parquet", [False, True])
def test_json_lines_hold_whatever_the_totals_hold(odd: Result, is_parquet: bool) -> None:
    source, target = odd.folder / OUTPUT, odd.folder / "totals.jsonl"
    if is_parquet:
        odd.write_parquet()
        source = odd.folder / PARQUET

    assert write_json_lines(source, target) == len(odd.totals)

    *lines, end = target.read_bytes().split(b"\n")
    assert end == b""
    assert [json.loads(line) for line in lines] == [
        {"song": row.key["song"], "date": str(row.date), "plays": row.plays}
        for row in odd.totals
    ]


def test_json_lines_are_as_short_as_they_can_be(result: Callable[..., Result]) -> None:
    folder = result([("ü\u2028/", date(2020, 1, 1), 5)]).folder

    write_json_lines(folder / OUTPUT, folder / "totals.jsonl")

    written = (folder / "totals.jsonl").read_text(encoding="utf-8")
    assert written == '{"song":"ü\u2028/","date":"2020-01-01","plays":5}\n'


def test_each_field_of_a_key_is_a_column(result: Callable[..., Result]) -> None:
    made = result([("é,", "", date(2020, 1, 1), 5)], key=("song", "isrc"))
    made.write_parquet()

    write_json_lines(made.folder / PARQUET, made.folder / "totals.jsonl")

    table = pyarrow.parquet.read_table(made.folder / PARQUET)
    assert table.column_names == ["Song", "ISRC", "Date", "Plays"]
    assert table.to_pylist() == [{"Song": "é,", "ISRC": "", "Date": date(2020, 1, 1), "Plays": 5}]
    written = (made.folder / "totals.jsonl").read_text(encoding="utf-8")
    assert written == '{"song":"é,","isrc":"","date":"2020-01-01","plays":5}\n'


def test_a_result_without_totals_becomes_a_file_without_rows(
    result: Callable[..., Result],
) -> None:
    made = result([], key=("territory", "song"))

    assert write_parquet(made.folder / OUTPUT, made.folder / PARQUET) == 0
    assert write_json_lines(made.folder / PARQUET, made.folder / "totals.jsonl") == 0

    schema = pyarrow.parquet.read_schema(made.folder / PARQUET)
    types = {field.name: str(field.type) for field in schema}
    plain = {"Date": "date32[day]", "Plays": "int64"}
    assert types == {"Territory": "string", "Song": "string", **plain}
    assert (made.folder / "totals.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"Song,Date,Number of Plays\n",
        b"Song,Day,Date,Total Number of Plays for Date\n",
        b"Date,Total Number of Plays for Date\n",
        b"\xff\xfe" * 1000,
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path: Path, start: bytes) -> None:
    source = tmp_path / "other.csv"
    source.write_bytes(start)

    with pytest.raises(NoResult, match="other.csv holds no totals of bmat: it starts with"):
        write_parquet(source, tmp_path / "out.parquet")


def test_it_writes_into_the_file_that_is_there(odd: Result) -> None:
    target = odd.folder / "part"
    target.write_bytes(b"x" * 10**6)
    number = target.stat().st_ino

    write_parquet(odd.folder / OUTPUT, target)

    assert target.stat().st_ino == number
    assert pyarrow.parquet.read_metadata(target).num_rows == len(odd.totals)


def test_what_a_look_raises_ends_the_work(odd: Result) -> None:
    looks = iter([None, KeyError("stop")])

    def look() -> None:
        error = next(looks)
        if error:
            raise error

    endless = "SELECT count(*) FROM range(1000000000000) WHERE range % 7 = 8"
    with Database([odd.folder / OUTPUT]) as database, pytest.raises(KeyError, match="stop"):
        database.run(endless, look)


def test_songs_too_long_for_a_group_are_written_in_smaller_ones(
    result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmat.results.connection.MEMORY_BYTES", 96 * 2**20)
    plays = [(f"{number:06}" + "x" * 3000, date(2020, 1, 1), 1) for number in range(40_000)]
    folder = result(plays).folder

    write_parquet(folder / OUTPUT, folder / PARQUET)

    metadata = pyarrow.parquet.read_metadata(folder / PARQUET)
    assert metadata.num_rows == 40_000
    assert metadata.num_row_groups > 1


def test_it_says_when_not_even_a_small_group_fits(
    result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmat.results.connection.MEMORY_BYTES", 2**22)
    plays = [(f"{number:06}" + "x" * 3000, date(2020, 1, 1), 1) for number in range(4000)]
    folder = result(plays).folder

    with pytest.raises(TooLarge):
        write_parquet(folder / OUTPUT, folder / PARQUET)


def test_a_full_disk_is_an_error_of_the_system(odd: Result) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_json_lines(odd.folder / OUTPUT, odd.folder / "totals.jsonl")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("name", ["totals.parquet", "totals.jsonl"])
def test_the_command_line_converts(odd: Result, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name for path in odd.folder.iterdir()}
    arguments = ["convert", str(odd.folder / OUTPUT), str(odd.folder / name)]
    monkeypatch.setattr("sys.argv", ["bmat.results", *arguments])

    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("bmat.results", run_name="__main__")

    assert {path.name for path in odd.folder.iterdir()} == before | {name}


def test_the_command_line_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(tmp_path / "none.csv"), str(tmp_path / "out.parquet")]) == 1

    assert "No such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_has_two_formats(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["convert", "in.csv", "out.xlsx"])

    assert "'out.xlsx' does not end with .parquet or .jsonl" in capsys.readouterr().err
