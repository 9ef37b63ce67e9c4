import pytest

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
        DAY + "T10:00Z[UTC]",
        DAY + " 10:00:00 UTC",
        DAY + " 10:00:00 +0000",
        DAY + "T10:00+05:30[Asia/Kolkata]",
        DAY + "T10:00[America/Argentina/Buenos_Aires]",
        DAY + " 10 -03[Etc/GMT+3]",
    ],
)
def test_it_counts_for_the_written_day(run: Run, written: str) -> None:
    assert run(HEADER + row(date=written)).totals == b"a,%s,1\n" % written[:10].encode()


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
        DAY + " UTC",
        DAY + "T10:00UTC",
        DAY + "T10:00  UTC",
        DAY + "T10:00 Z",
        DAY + "T10:00 utc",
        DAY + "T10:00 UT",
        DAY + "T10:00 X",
        DAY + "T10:00[]",
        DAY + "T10:00[UTC",
        DAY + "T10:00[U C]",
        DAY + "T10:00[A]B]",
        DAY + "[UTC]",
        "\t" + DAY,
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


@pytest.mark.parametrize("written", [" " + DAY, DAY + "  ", f"   {DAY}T10:00 UTC "])
def test_spaces_around_a_date_are_no_part_of_it(run: Run, written: str) -> None:
    assert run(HEADER + row(date=written)).totals == b"a,2020-02-29,1\n"


@pytest.mark.parametrize(
    ("date_format", "written"),
    [
        ("dmy", "29/02/2020"),
        ("dmy", "29.2.2020"),
        ("dmy", "29022020"),
        ("dmy", " 29-02-2020 10:00 UTC "),
        ("mdy", "2/29/2020"),
        ("mdy", "02.29.2020T10:00"),
        ("mdy", "02292020"),
        ("ymd", "2020/02/29"),
        ("ymd", "2020.2.29"),
        ("ymd", "20200229 10:00:00+02"),
        ("ymd", DAY),
        ("epoch", "1582934400"),
        ("epoch", "1583020799"),
        ("epoch", " 001582934400.999 "),
        ("epoch_ms", "1582934400000"),
        ("epoch_ms", "1583020799999.9"),
    ],
)
def test_it_reads_dates_in_other_formats(run: Run, date_format: str, written: str) -> None:
    result = run(HEADER + row(date=written), date_format=date_format)
    assert result.totals == b"a,2020-02-29,1\n"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("0", b"1970-01-01"),
        ("-0", b"1970-01-01"),
        ("-1", b"1969-12-31"),
        ("-86400", b"1969-12-31"),
        ("-86400.0", b"1969-12-31"),
        ("-86400.01", b"1969-12-30"),
        ("-86401", b"1969-12-30"),
        ("-62135596800", b"0001-01-01"),
        ("253402300799", b"9999-12-31"),
    ],
)
def test_seconds_are_counted_from_1970_in_both_directions(
    run: Run, written: str, day: bytes
) -> None:
    assert run(HEADER + row(date=written), date_format="epoch").totals == b"a,%s,1\n" % day


@pytest.mark.parametrize(
    ("date_format", "written"),
    [
        ("dmy", "2/29/2020"),
        ("dmy", "29/2-2020"),
        ("dmy", "29/02/20"),
        ("dmy", "029/2/2020"),
        ("dmy", "29/002/2020"),
        ("dmy", "29 2 2020"),
        ("dmy", "29/2"),
        ("dmy", "29"),
        ("dmy", "2922020"),
        ("dmy", "29/02/2020x"),
        ("dmy", "/02/2020"),
        ("dmy", "29//2020"),
        ("dmy", "29/02/"),
        ("mdy", "29.2.2020"),
        ("ymd", "20/02/29"),
        ("ymd", "2020229"),
        ("ymd", "2020/02/30"),
        ("iso", "1582934400"),
        ("epoch", DAY),
        ("epoch", ""),
        ("epoch", "-"),
        ("epoch", "1."),
        ("epoch", "1.5s"),
        ("epoch", "1,5"),
        ("epoch", "+1"),
        ("epoch", "253402300800"),
        ("epoch", "-62135596801"),
        ("epoch", "9" * 5000),
        ("epoch_ms", "253402300800000"),
    ],
)
def test_it_rejects_what_is_no_day_in_other_formats(
    run: Run, date_format: str, written: str
) -> None:
    first = {"iso": DAY, "ymd": DAY, "dmy": "29/2/2020", "mdy": "2/29/2020"}.get(date_format, "0")
    data = HEADER + row(date=first) + row(date=written)
    assert run(data, date_format=date_format).summary.rejects_by_reason == {"invalid_date": 1}


@pytest.mark.parametrize(
    ("written", "plays"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("  7 ", 7),
        ("7.0", 7),
        ("7.00", 7),
        ("7.0000", 7),
        (" 0.0 ", 0),
        ("9223372036854775807", 2**63 - 1),
        ("0" * 5000 + "9223372036854775807", 2**63 - 1),
    ],
)
def test_it_reads_a_count(run: Run, written: str, plays: int) -> None:
    assert run(HEADER + row(plays=written)).summary.plays_total == plays


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "x",
        "7.000",
        "1234.000",
        "1x",
        "1 2",
        "+1",
        "1.",
        ".0",
        "1.5",
        "1,0",
        "1e3",
        "\t1",
        "1\r",
        "--1",
        "- 1",
    ]
    + ["9223372036854775808", "9" * 5000, "-1.5", "-", latin1("１")],
)
def test_it_rejects_what_is_no_count(run: Run, written: str) -> None:
    assert reason_of(run, row(plays=written)) == "invalid_plays"


@pytest.mark.parametrize(
    ("thousands", "written", "plays"),
    [
        (",", "1,234", 1234),
        (",", " 12,345,678 ", 12_345_678),
        (",", "1,234.0", 1234),
        (",", "1234", 1234),
        (".", "1.234", 1234),
        (".", "1.000.000", 10**6),
        ("'", "1'234", 1234),
        ("space", "1 234", 1234),
        ("space", latin1("1\u00a0234\u202f567 890"), 1_234_567_890),
        (",", "9,223,372,036,854,775,807", 2**63 - 1),
    ],
)
def test_it_reads_groups_of_three_digits(
    run: Run, thousands: str, written: str, plays: int
) -> None:
    result = run(HEADER + row(plays=written), thousands=thousands)
    assert result.summary.plays_total == plays


@pytest.mark.parametrize(
    ("thousands", "written"),
    [
        (",", "1,23"),
        (",", "1,2345"),
        (",", "1234,567"),
        (",", ",123"),
        (",", "1,,234"),
        (",", "1,234,"),
        (",", "1.234"),
        (",", "1,234.000"),
        (",", "1.0,000"),
        (",", "9,223,372,036,854,775,808"),
        (".", "1.23"),
        (".", "1.234.0"),
        (".", "5.0"),
        (".", "1,234"),
        ("'", "1,234"),
        ("space", "1  234"),
        ("space", "1\t234"),
        ("space", latin1("1\u2009234")),
        ("space", latin1("1\u00a1234")),
        ("space", "1\xc2"),
        ("space", "1\xe2\x80"),
    ],
)
def test_it_rejects_other_groups_of_digits(run: Run, thousands: str, written: str) -> None:
    result = run(HEADER + row() + row(plays=written), thousands=thousands)
    assert result.summary.rejects_by_reason == {"invalid_plays": 1}


def test_a_minus_before_groups_of_digits_is_a_negative_count(run: Run) -> None:
    result = run(HEADER + row() + row(plays="-1,234"), thousands=",")
    assert result.summary.rejects_by_reason == {"negative_plays": 1}


@pytest.mark.parametrize("written", ["-1", " -1 ", "-0", "-1.0", "-" + "9" * 30])
def test_it_rejects_a_negative_count_as_such(run: Run, written: str) -> None:
    assert reason_of(run, row(plays=written)) == "negative_plays"


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
