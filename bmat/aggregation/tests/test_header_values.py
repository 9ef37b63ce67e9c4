"""What is a date and what a count, in the first record of a file that may have no header."""

import pytest

from bmat.aggregation.source.values import is_date, is_plays

TIMES = [
    *[b"T10", b"t10:30", b" 10:30:60", b"T10:00:00.123", b"T10:00:00,5"],
    *[b"T10Z", b"T10:00z", b" 10:00 UTC", b"T10:00+01", b" 10:00 +0000", b"T10:00-05:30"],
    *[b"T10:00Z[UTC]", b"T10:00+01:00[Europe/Madrid]", b"T10:00[Etc/GMT+1]"],
]
NO_TIMES = [
    *[b"T", b" ", b"T24", b"T10:60", b"T10:00:61", b"T10:00:00.", b"  10:00", b"T1:00", b"_10:00"],
    *[
        b" UTC",
        b"Z",
        b"+01",
        b"T10:00UTC",
        b"T10:00 Z",
        b"T10:00  +01",
        b"T10:00+24",
        b"T10:00 utc",
    ],
    *[b"[UTC]", b"T10:00[]", b"T10:00 [UTC]", b"T10:00[UTC", b"T10:00[\xc3\xa9]"],
]
DATES = {
    "iso": ([b"2020-02-29", b"0001-01-01", b"9999-12-31", b"  2020-01-01 "], b"2021-02-29"),
    "dmy": ([b"31/12/2019", b"1.2.2020", b"01-02-2020", b"31122019"], b"12/31/2019"),
    "mdy": ([b"12/31/2019", b"2.1.2020", b"2-01-2020", b"12312019"], b"31/12/2019"),
    "ymd": ([b"2019/12/31", b"2020.2.1", b"2020-2-01", b"20191231"], b"2019/31/12"),
}
NO_DATES = [b"", b"x", b"2020-1-1", b"1/2-2020", b"1/2/20", b"1122020", b"2020/ 1/1", b"0000-01-01"]


@pytest.mark.parametrize("date_format", DATES)
def test_a_day_is_one_of_the_calendar_in_its_format(date_format: str) -> None:
    days, no_day = DATES[date_format]
    assert [is_date(day, date_format) for day in days] == [True] * len(days)
    assert not is_date(no_day, date_format)
    assert [is_date(text, date_format) for text in NO_DATES if b"-1-" not in text] == [False] * 7


def test_iso_needs_two_digits() -> None:
    assert is_date(b"2020-1-1", "ymd")
    assert not is_date(b"2020-1-1", "iso")


@pytest.mark.parametrize("date_format", DATES)
def test_a_time_may_follow(date_format: str) -> None:
    for day in DATES[date_format][0]:
        assert [time for time in TIMES if not is_date(day.strip() + time, date_format)] == []
        assert [time for time in NO_TIMES[2:] if is_date(day.strip() + time, date_format)] == []


def test_a_time_needs_its_letter_and_its_digits() -> None:
    assert not is_date(b"2020-01-01T", "iso")
    assert is_date(b"2020-01-01 ", "iso")


@pytest.mark.parametrize(
    ("text", "in_seconds", "in_milliseconds"),
    [
        (b"0", True, True),
        (b" -1 ", True, True),
        (b"1577836800.25", True, True),
        (b"-62135596800", True, True),
        (b"-62135596800.0", True, True),
        (b"-62135596800.5", False, True),
        (b"-62135596801", False, True),
        (b"253402300799.999", True, True),
        (b"253402300800", False, True),
        (b"253402300799999.9", False, True),
        (b"-62135596800000.1", False, False),
        (b"253402300800000", False, False),
        (b"0" * 5000 + b"1", True, True),
        (b"9" * 5000, False, False),
        *[(text, False, False) for text in (b"", b"-", b"+1", b"1.", b".5", b"1 2", b"1e9")],
    ],
)
def test_an_epoch_is_a_day_of_the_years_1_to_9999(
    text: bytes, in_seconds: bool, in_milliseconds: bool
) -> None:
    assert is_date(text, "epoch") is in_seconds
    assert is_date(text, "epoch_ms") is in_milliseconds


@pytest.mark.parametrize(
    "text", [b"0", b" 007 ", b"5.0", b"5.00", b"5.0000", b"9223372036854775807", b"0" * 5000 + b"1"]
)
def test_a_count_is_a_whole_number(text: bytes) -> None:
    assert [is_plays(text, thousands) for thousands in (None, ",", "'", "space")] == [True] * 4


@pytest.mark.parametrize(
    "text",
    [
        *[b"", b" ", b"-1", b"+1", b"5.", b".0", b"5.1", b"5 .0", b"1e3", b"\t5", b"\xd9\xa1"],
        *[
            b"9223372036854775808",
            b"9" * 5000,
            b"5.000",
            b"1,2345",
            b"1234,567",
            b",123",
            b"1,,234",
        ],
        *[b"1,234'567", b"1,234.000"],
    ],
)
def test_these_are_no_counts(text: bytes) -> None:
    assert [is_plays(text, thousands) for thousands in (None, ",", "'", "space")] == [False] * 4


GROUPED = {
    ",": [b"1,234", b"12,345,678", b"1,234.0", b" 001,234 "],
    ".": [b"1.234", b"12.345.678", b"5.000", b"1234"],
    "'": [b"1'234", b"123'456", b"1'234.00"],
    "space": [b"1 234", b"1\xc2\xa0234", b"1\xe2\x80\xaf234\xc2\xa0567", b"1 234.0"],
}


@pytest.mark.parametrize("thousands", GROUPED)
def test_thousands_may_be_separated_where_an_option_says_so(thousands: str) -> None:
    for text in GROUPED[thousands]:
        assert is_plays(text, thousands)
        others = [other for other in (None, *GROUPED) if other != thousands and other != "."]
        is_plain = text in (b"1234",)
        assert [is_plays(text, other) for other in others] == [is_plain] * len(others)


@pytest.mark.parametrize("text", [b"12.34", b"1234.567", b"1.234.0", b"5.0", b"1.234.56", b".123"])
def test_a_point_between_thousands_is_none_before_zeros(text: bytes) -> None:
    assert not is_plays(text, ".")
