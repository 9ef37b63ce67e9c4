import pytest

from bmat.aggregation.source.header import is_date, is_plays
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER

DAY = "2020-02-29"


def row(song: str = "a", date: str = DAY, plays: str = "1") -> bytes:
    """A row; each character is one byte."""
    return f'"{song}","{date}","{plays}"\n'.encode("latin-1")


def reason_of(run: Run, rejected: bytes) -> str:
    """Why the row is rejected."""
    [reason] = run(HEADER + row() + rejected).summary.rejects_by_reason
    return str(reason)


def latin1(text: str) -> str:
    """A character for each byte of the text in UTF-8."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize(
    "written",
    [
        DAY,
        "0001-01-01",
        "9999-12-31",
        DAY + "T00",
        DAY + " 23:59",
        DAY + "t23:59:60",
        DAY + "T10:00:00.123456789",
        DAY + "T10:00:00,5Z",
        DAY + "T10:00z",
        DAY + "T10:00:00+02",
        DAY + "T10:00:00-0230",
        DAY + "T10:00:00+14:00",
    ],
)
def test_it_counts_for_the_written_day(run: Run, written: str) -> None:
    assert run(HEADER + row(date=written)).totals == b"a,%s,1\n" % written[:10].encode()
    assert is_date(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "2020-1-01",
        "2019-02-29",
        "1900-02-29",
        "0000-01-01",
        "2020-13-01",
        "2020-00-10",
        "2020-01-32",
        "01/02/2020",
        "20200101",
        "2020-W01-1",
        " " + DAY,
        DAY + " ",
        DAY + "T",
        DAY + "T24:00",
        DAY + "T10:60",
        DAY + "T10:00:61",
        DAY + "T10:00:00.",
        DAY + "T10:00.5",
        DAY + "T1000",
        DAY + "Z",
        DAY + "T10:00+24",
        DAY + "T10:00+0260",
        DAY + "  10:00",
        latin1("２020-01-01"),
    ],
)
def test_it_rejects_what_is_no_day(run: Run, written: str) -> None:
    assert reason_of(run, row(date=written)) == "invalid_date"
    assert not is_date(written)


@pytest.mark.parametrize(
    ("written", "plays"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("  7 ", 7),
        ("7.0", 7),
        ("7.000", 7),
        (" 0.0 ", 0),
        ("9223372036854775807", 2**63 - 1),
        ("0" * 5000 + "9223372036854775807", 2**63 - 1),
    ],
)
def test_it_reads_a_count(run: Run, written: str, plays: int) -> None:
    assert run(HEADER + row(plays=written)).summary.plays_total == plays
    assert is_plays(written)


@pytest.mark.parametrize(
    "written",
    ["", " ", "x", "1x", "1 2", "+1", "1.", ".0", "1.5", "1,0", "1e3", "\t1", "1\r", "--1", "- 1"]
    + ["9223372036854775808", "9" * 5000, "-1.5", "-", latin1("１")],
)
def test_it_rejects_what_is_no_count(run: Run, written: str) -> None:
    assert reason_of(run, row(plays=written)) == "invalid_plays"
    assert not is_plays(written)


@pytest.mark.parametrize("written", ["-1", " -1 ", "-0", "-1.0", "-" + "9" * 30])
def test_it_rejects_a_negative_count_as_such(run: Run, written: str) -> None:
    assert reason_of(run, row(plays=written)) == "negative_plays"
    assert not is_plays(written)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty_song"),
        ("a\0b", "invalid_character"),
        ("\0\xff", "invalid_character"),
        ("\xff", "invalid_encoding"),
        ("caf\xe9", "invalid_encoding"),
        ("\xc0\xaf", "invalid_encoding"),
        ("\xed\xa0\x80", "invalid_encoding"),
        ("\xf4\x90\x80\x80", "invalid_encoding"),
    ],
)
def test_it_rejects_what_is_no_song(run: Run, written: str, reason: str) -> None:
    assert reason_of(run, row(song=written)) == reason


@pytest.mark.parametrize("written", ["a", " ", "None", "NA", "null", "=1+1", "ü", "日本", "🎵"])
def test_it_takes_any_other_text_for_a_song(run: Run, written: str) -> None:
    totals = run(HEADER + row(song=latin1(written))).totals
    assert totals == f"{written},{DAY},1\n".encode()
