import pytest

from bmat.aggregation.source import fields

DAY = "2020-02-29"


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
def test_it_counts_for_the_written_day(written: str) -> None:
    assert fields.day(written) == written[:10]


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
        "２020-01-01".encode().decode("latin-1"),
    ],
)
def test_it_rejects_what_is_no_day(written: str) -> None:
    with pytest.raises(fields.Reject, match="^invalid_date$"):
        fields.day(written)


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
def test_it_reads_a_count(written: str, plays: int) -> None:
    assert fields.plays(written) == plays


@pytest.mark.parametrize(
    "written",
    ["", " ", "x", "1x", "1 2", "+1", "1.", ".0", "1.5", "1,0", "1e3", "\t1", "1\r", "--1", "- 1"]
    + ["9223372036854775808", "9" * 5000, "-1.5", "-", "１".encode().decode("latin-1")],
)
def test_it_rejects_what_is_no_count(written: str) -> None:
    with pytest.raises(fields.Reject, match="^invalid_plays$"):
        fields.plays(written)


@pytest.mark.parametrize("written", ["-1", " -1 ", "-0", "-1.0", "-" + "9" * 30])
def test_it_rejects_a_negative_count_as_such(written: str) -> None:
    with pytest.raises(fields.Reject, match="^negative_plays$"):
        fields.plays(written)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (b"", "empty_song"),
        (b"a\0b", "invalid_character"),
        (b"\0\xff", "invalid_character"),
        (b"\xff", "invalid_encoding"),
        (b"caf\xe9", "invalid_encoding"),
        (b"\xc0\xaf", "invalid_encoding"),
        (b"\xed\xa0\x80", "invalid_encoding"),
        (b"\xf4\x90\x80\x80", "invalid_encoding"),
    ],
)
def test_it_rejects_what_is_no_song(written: bytes, reason: str) -> None:
    with pytest.raises(fields.Reject, match=f"^{reason}$"):
        fields.song(written.decode("latin-1"), 4096)


@pytest.mark.parametrize("written", ["a", " ", "None", "NA", "null", "=1+1", "ü", "日本", "🎵"])
def test_it_takes_any_other_text_for_a_song(written: str) -> None:
    assert (
        fields.song(written.encode().decode("latin-1"), 4096).encode("latin-1") == written.encode()
    )
