"""What a person is told to look at; no total depends on it."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER

Warned = Callable[..., dict[str, str]]


@pytest.fixture
def warned(run: Run) -> Warned:
    """The warnings of a run over these records, by their codes."""
    return lambda rows, **options: dict(run(HEADER + rows, **options).summary.warnings)


def test_a_run_without_anything_odd_warns_of_nothing(warned: Warned) -> None:
    assert warned(b"a,2020-01-01,1\nb,2020-01-01,1\n") == {}


@pytest.mark.parametrize(("rejected", "is_told"), [(1, False), (2, True)])
def test_more_than_5_percent_of_rejects(warned: Warned, rejected: int, is_told: bool) -> None:
    warnings = warned(b"a,2020-01-01,1\n" * (20 - rejected) + b"bad\n" * rejected)
    assert ("many_rejects" in warnings) == is_told


def test_an_input_that_is_mostly_rejected_is_told_of_however_small_it_is(run: Run) -> None:
    good, bad = HEADER + b"a,2020-01-01,1\n" * 200, HEADER + b"a,2020-01-32,1\n" * 2
    [(code, message)] = run(good, bad, good).summary.warnings
    assert (code, message.startswith("2 of 402 rows were rejected, 0.5 %: 2 of 2 in '")) == (
        "many_rejects",
        True,
    )
    [(_, message)] = run(good, *[bad] * 5).summary.warnings
    assert message.endswith(", and many in 2 more inputs.")


def test_plays_of_days_to_come(warned: Warned) -> None:
    tomorrow = date.today() + timedelta(days=1)
    later = date.today() + timedelta(days=3)
    assert warned(f"a,{tomorrow},1\n".encode()) == {}
    [message] = warned(f"a,{later},5\na,{later},2\n".encode()).values()
    assert message.startswith("7 plays are of days to come") and str(later) in message


def test_plays_of_days_before_1900(warned: Warned) -> None:
    assert warned(b"a,1900-01-01,1\n") == {}
    assert "1899-12-31" in warned(b"a,1899-12-31,1\n")["early_dates"]


def test_times_since_1970_of_another_unit(warned: Warned) -> None:
    seconds = b"a,1577836800,1\nb,1577836801,2\n"
    assert warned(seconds, date_format="epoch") == {}
    message = warned(seconds, date_format="epoch_ms")["early_dates"]
    assert message.startswith("3 plays are of days before 1971, the first one 1970-01-19: ")


@pytest.mark.parametrize(
    "last", [b"Total,2020-01-01,3", b'"TOTAL:",2020-01-01,3\r\n\n', b"sum ,2020-01-01,3\r"]
)
def test_a_last_record_that_is_the_sum_of_its_day(warned: Warned, last: bytes) -> None:
    rows = b"a,2020-01-01,1\nb,2020-01-01,2\nc,2020-01-02,9\n"
    assert set(warned(rows + last)) == {"totals_row"}


@pytest.mark.parametrize(
    "last",
    [
        b"Total,2020-01-01,4",
        b"Total,2020-01-02,3",
        b"Totally,2020-01-01,3",
        b"Total,2020-01-01,x",
        b"Total,2020-01-01,0",
        b"Total,2020-01-01,3\nb,2020-01-03,1",
    ],
)
def test_a_last_record_that_is_something_else(warned: Warned, last: bytes) -> None:
    rows = b"a,2020-01-01,1\nb,2020-01-01,2\nc,2020-01-02,9\n"
    assert "totals_row" not in warned(rows + last)


def test_a_last_line_too_long_to_be_looked_at(warned: Warned) -> None:
    rows = b"a,2020-01-01,1\nTotal,2020-01-01,1" + b" " * 10_000
    assert warned(rows) == {}


def test_a_row_of_totals_of_several_columns(run: Run) -> None:
    rows = b"Artist,Song,Date,Number of Plays\nx,a,2020-01-01,3\nAll,Total,2020-01-01,3\n"
    [(code, _)] = run(rows, group_by="artist,song").summary.warnings
    assert code == "totals_row"


def test_songs_that_differ_by_what_is_hard_to_see(warned: Warned) -> None:
    songs = ["Über", "u\u0308ber", "a  b", "A b ", "c", "d"]
    message = warned("".join(f"{song},2020-01-01,1\n" for song in songs).encode())["similar_songs"]
    assert message.startswith("4 songs differ")
    assert "'A b ' and 'a  b'" in message


def test_songs_of_several_partitions_are_compared(warned: Warned) -> None:
    songs = [f"{letter}{number}" for letter in "aA" for number in range(400)]
    rows = "".join(f"{song},2020-01-01,1\n" for song in songs).encode()
    message = warned(rows, memory_budget_bytes=10**6, block_bytes=1000)["similar_songs"]
    assert message.startswith("800 songs differ")


def test_too_many_songs_are_not_compared(warned: Warned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmat.aggregation.merge.part.MOST_COMPARED_SONGS", 1)
    monkeypatch.setattr("bmat.aggregation.exchange.parts.MOST_COMPARED_SONGS", 1)
    assert warned(b"a,2020-01-01,1\nA,2020-01-01,1\n") == {}
