"""Reports of use: their period, and the number of rows that they tell."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, InputFile, Options, aggregate, inspect
from bmat.aggregation.source import soundexchange
from bmat.aggregation.tests.reading import SAMPLES, opened, read

SAMPLE = (SAMPLES / "soundexchange.csv").read_text()
PLAIN = SAMPLES / "soundexchange_plain_20260201-20260228.csv"
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(text: str, name: str = "report.csv") -> Path:
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name

    return saved


def failed(path: Path, **given: object) -> tuple[str, str]:
    with pytest.raises(AggregationError) as raised:
        opened(path, preset="soundexchange", **given)
    return raised.value.code, raised.value.message


def test_a_report_is_of_the_period_that_its_header_says() -> None:
    found = read(SAMPLES / "soundexchange.csv", group_by="song,artist,service")
    assert found.plays == [
        ("Night Bus", "The Examples", "Example Radio", "2026-01-01", "14"),
        ("Days, Nights", "Ada & Grace", "Example Radio", "2026-01-01", "3"),
        ("Days, Nights", "Ada & Grace", "Example Radio", "2026-01-01", "2"),
    ]
    file = found.opened
    assert (file.are_periods, file.header_line, file.layout.first_line) == (True, 14, 15)
    assert file.layout.header.startswith(b"Name of Service,")


def test_a_report_of_one_day_is_of_that_day(save: Save) -> None:
    file = opened(save(SAMPLE.replace("20260131", "2026-01-01")))
    assert file.layout.fixed_day == (date(2026, 1, 1) - date.min).days
    assert not file.are_periods


def test_a_spreadsheet_program_may_have_saved_the_report(save: Save) -> None:
    lines = SAMPLE.replace('\n"\n,\n', '\n""""\n","\n').splitlines()
    text = "\n".join([line + "," * 4 if at < 13 else line for at, line in enumerate(lines)])
    assert read(save(text)).plays == read(save(SAMPLE)).plays
    assert failed(save(text.replace('""""', "^")))[0] == "missing_column"
    assert failed(save(SAMPLE.replace("\n3\n", "\n3,000\n")))[0] == "count_mismatch"


def test_a_report_without_those_lines_is_of_the_period_in_its_name() -> None:
    found = read(PLAIN)
    assert found.plays == [
        ("Night Bus", "2026-02-01", "140"),
        ("Days, Nights", "2026-02-01", "25"),
    ]
    assert (found.opened.are_periods, found.opened.header_line) == (True, 1)


@pytest.mark.parametrize(
    "name", ["a.csv", "20260132-20260231.csv", "20260201-20260101.csv", "202602011-20260301.csv"]
)
def test_without_a_period_it_is_refused(save: Save, name: str) -> None:
    code, message = failed(save(PLAIN.read_text(), name))
    assert code == "missing_column" and "say of which days it is" in message


def test_a_column_may_be_the_date(save: Save) -> None:
    found = read(save(PLAIN.read_text()), date_column="isrc")
    assert found.plays[0] == ("Night Bus", "DEA012600001", "140") and not found.opened.are_periods


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n3\n", "\n4\n"),
        ('"Days, Nights"', '"Days,\nNights"\n"more"'),
        ('"Late",2\n', '"Late",2\n"x"\n'),
    ],
)
def test_other_rows_than_it_says_are_refused(save: Save, old: str, new: str) -> None:
    code, message = failed(save(SAMPLE.replace(old, new)))
    assert code == "count_mismatch" and " rows, but it has " in message


@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 2**20])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("Nights", "\nNights\n\n"),
        ("Night Bus", '""\n""Night'),
        ('"Night Bus"', '12" Mix'),
        ('"Late",2\n', '"Late",2'),
        ('"Late",2\n', '"Late",2\n\n\r\n'),
        ("\n", "\r\n"),
        ("\n", "\r\r\n"),
        ("\n3\n", "\n 3 \n"),
    ],
)
def test_rows_are_counted_whatever_is_in_them(
    save: Save, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int, old: str, new: str
) -> None:
    monkeypatch.setattr(soundexchange, "CHUNK_BYTES", chunk_bytes)
    assert opened(save(SAMPLE.replace(old, new) if old else SAMPLE)).header_line == 14


def test_texts_between_other_characters_than_quotes_are_refused(save: Save) -> None:
    path = save(SAMPLE.replace('"', "^"))
    assert "its texts stand between '^', and only quotes are read" in failed(path)[1]
    assert opened(path, quoting="none").header_line == 14


def test_a_report_with_tabs_is_told_by_its_header(save: Save) -> None:
    text = "NAME_OF_SERVICE\tFEATURED_ARTIST\tSOUND_RECORDING_TITLE\tPLAY_FREQUENCY\nr\ta\ts\t3\n"
    path = save(text, "r20260101-20260101.txt")
    assert read(path).plays == [("s", "2026-01-01", "3")]
    assert read(save("\ufeff" + text, path.name)).plays == [("s", "2026-01-01", "3")]
    assert "has no header with a sound recording" in failed(path, delimiter=",")[1]


def test_a_stray_carriage_return_in_front_of_the_header_is_no_error(save: Save) -> None:
    path = save("a\rb,c\n" + PLAIN.read_text(), PLAIN.name)
    assert opened(path).header_line == 2
    assert failed(save(PLAIN.read_text().replace("\n", "\r")))[0] == "missing_column"


def test_the_header_is_on_the_line_that_is_named(save: Save) -> None:
    assert opened(SAMPLES / "soundexchange.csv", header_line=14).header_line == 14
    assert failed(SAMPLES / "soundexchange.csv", header_line=13)[0] == "missing_column"


def test_plays_come_before_performances(save: Save) -> None:
    text = PLAIN.read_text().replace("MARKETING_LABEL", "PLAY_FREQUENCY")
    assert read(save(text, PLAIN.name)).plays[0][2] == "Example Records"


def test_a_column_that_is_there_twice_is_refused(save: Save) -> None:
    path = save(PLAIN.read_text().replace("ALBUM_TITLE", "ISRC"), PLAIN.name)
    assert failed(path, group_by="isrc")[0] == "duplicate_column"


def test_the_period_may_be_in_the_name_by_which_its_owner_calls_it(tmp_path: Path) -> None:
    kept = InputFile(tmp_path / "input.csv", PLAIN.name)
    kept.path.write_bytes(PLAIN.read_bytes())

    assert inspect(kept, Options()) == inspect(PLAIN, Options())
    aggregate([kept], tmp_path / "out.csv")
    aggregate([PLAIN], tmp_path / "named.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "named.csv").read_bytes()
