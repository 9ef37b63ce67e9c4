"""Rows of results, against plain Python over the output."""

import itertools
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmat.results import (
    Grain,
    NotConverted,
    NotInKey,
    Order,
    Page,
    Question,
    Row,
    files,
    pieces,
    rows,
)
from bmat.results.connection import Database, add_totals
from bmat.results.pieces import after_prefix
from bmat.results.rows import Pager
from bmat.results.tests.results import LARGEST, SONGS, Result, answer, plays_of, questions_about

DAY = date(2020, 1, 1)
PLAYS = [("Umbrella", DAY, 100), ("Umbrella", date(2020, 1, 2), 200), ("In The End", DAY, 500)]
MANY = [
    (song, date(2019, 12, 25) + timedelta(number * step), (number * 7 + step) % 10)
    for song in SONGS
    for step in (1, 30)
    for number in range(60)
]
PAIRS = [
    (field, song, day, plays)
    for song, day, plays in MANY
    for field in ["", song, "ab", 'a,"', "夜"][: 1 + plays // 2]
]
KEYS = [("song",), ("artist", "song"), ("song", "territory"), ("service", "isrc")]


def by_song(song: str, day: date, plays: int) -> Row:
    return Row({"song": song}, day, plays)


UMBRELLA = [by_song(*play) for play in PLAYS[:2]]
IN_THE_END = by_song(*PLAYS[2])


@pytest.fixture(scope="module", params=itertools.product(KEYS, [False, True]), ids=str)
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Thousands of rows, as a small result has them and as a large one."""
    key, is_parquet = request.param
    folder = tmp_path_factory.mktemp("many") / "result"
    return Result(folder, MANY if len(key) == 1 else PAIRS, is_parquet, key)


@pytest.fixture(scope="module")
def database(many: Result) -> Iterator[Database]:
    with Database([files.totals_file(many.folder)]) as opened:
        add_totals(opened, files.totals_file(many.folder))
        yield opened


@pytest.fixture(autouse=True, scope="module")
def small_pieces() -> Iterator[None]:
    """Lets few rows be many."""
    with (
        patch("bmat.results.pieces.ROWS_PER_PIECE", 300),
        patch("bmat.results.rows.FIRST_WINDOW_ROWS", 100),
    ):
        yield


@given(st.data(), st.integers(1, 4), st.integers(1, 30))
@settings(max_examples=30, deadline=None)
def test_its_pages_hold_what_a_filter_over_the_output_finds(
    many: Result, database: Database, data: st.DataObject, pages: int, more: int
) -> None:
    question = data.draw(questions_about(many.key))
    expected = answer(many.totals, question)
    pager = Pager(database, many.folder, question, len(expected) // pages + more)

    page = pager.page(None)
    found = list(page.rows)
    while page.following is not None:
        assert page.rows
        page = pager.page(page.following)
        found += page.rows

    assert found == expected


@given(st.data(), st.sampled_from(KEYS))
@settings(max_examples=40, deadline=None)
def test_it_answers_about_any_result(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, key: tuple[str, ...]
) -> None:
    plays, question = data.draw(plays_of(key)), data.draw(questions_about(key))
    result = Result(tmp_path_factory.mktemp("any") / "result", plays, key=key)

    page = rows(result.folder, question, 1000)

    assert (page.rows, page.following) == (answer(result.totals, question), None)


def test_it_goes_on_where_the_page_before_ended(result: Callable[..., Result]) -> None:
    folder = result(PLAYS).folder

    first = rows(folder, Question(), 2)
    second = rows(folder, Question(), 2, first.following)

    assert first.rows + second.rows == [IN_THE_END, *UMBRELLA]
    assert second.following is None


def test_it_goes_on_backwards_where_the_page_before_ended(result: Callable[..., Result]) -> None:
    folder, backwards = result(PLAYS).folder, Question(order=Order.SONG_BACKWARDS)

    first = rows(folder, backwards, 2)
    second = rows(folder, backwards, 2, first.following)

    assert first.rows + second.rows == [*reversed(UMBRELLA), IN_THE_END]
    assert second.following is None


def test_a_row_of_all_days_has_no_date(result: Callable[..., Result]) -> None:
    folder = result([*PLAYS, ("Umbrella", date(2020, 2, 1), 1)]).folder
    most = Question(grain=Grain.ALL, order=Order.MOST_PLAYS, last=date(2020, 1, 31))

    first = rows(folder, most, 1)
    second = rows(folder, most, 1, first.following)

    assert first.rows == [Row({"song": "In The End"}, None, 500)]
    assert second.rows == [Row({"song": "Umbrella"}, None, 300)]
    assert second.following is None


@pytest.mark.parametrize("order", [Order.DATE, Order.DATE_BACKWARDS])
def test_rows_of_all_days_have_one_order_of_dates(
    result: Callable[..., Result], order: Order
) -> None:
    folder, by_date = result(PLAYS).folder, Question(grain=Grain.ALL, order=order)

    first = rows(folder, by_date, 1)
    second = rows(folder, by_date, 1, first.following)

    assert [row.plays for row in first.rows + second.rows] == [500, 300]


def test_sums_past_64_bits_are_exact(result: Callable[..., Result]) -> None:
    plays = [("a", date(2020, 1, day), LARGEST) for day in range(1, 32)]
    folder = result(plays).folder

    assert rows(folder, Question(grain=Grain.MONTH), 10).rows == [by_song("a", DAY, 31 * LARGEST)]
    pages = rows(folder, Question(grain=Grain.WEEK, order=Order.MOST_PLAYS), 1)
    assert pages.rows == [by_song("a", date(2020, 1, 6), 7 * LARGEST)]
    more = rows(folder, Question(grain=Grain.WEEK, order=Order.MOST_PLAYS), 2, pages.following)
    assert [row.plays for row in more.rows] == [7 * LARGEST, 7 * LARGEST]


def test_weeks_begin_on_monday_and_may_begin_in_the_year_before(
    result: Callable[..., Result],
) -> None:
    folder = result([("a", date(2020, 1, 5), 1), ("a", date(2020, 1, 6), 2)]).folder

    found = rows(folder, Question(grain=Grain.WEEK), 10).rows

    assert found == [by_song("a", date(2019, 12, 30), 1), by_song("a", date(2020, 1, 6), 2)]


def test_a_period_holds_only_the_days_that_are_asked_for(result: Callable[..., Result]) -> None:
    folder = result(PLAYS).folder

    found = rows(folder, Question(song="Umbrella", last=DAY, grain=Grain.YEAR), 10).rows

    assert found == UMBRELLA[:1]


@pytest.mark.parametrize("is_parquet", [False, True])
@pytest.mark.parametrize("key", KEYS)
def test_a_result_without_totals_has_no_rows(
    tmp_path: Path, key: tuple[str, ...], is_parquet: bool
) -> None:
    result = Result(tmp_path / "empty", [], is_parquet, key)

    for order in Order:
        for grain in (Grain.DAY, Grain.MONTH):
            assert rows(result.folder, Question(order=order, grain=grain), 5) == Page([], None)


def test_nothing_is_behind_the_last_character(result: Callable[..., Result]) -> None:
    folder = result([("a", DAY, 1)]).folder
    assert rows(folder, Question(prefix="\U0010ffff"), 9).rows == []


def test_one_field_of_a_key_may_be_asked_for(result: Callable[..., Result]) -> None:
    plays = [(artist, song, DAY, 1) for artist in ("", "B", "A") for song in "xy"]
    folder = result(plays, key=("artist", "song")).folder

    found = rows(folder, Question(artist="B", order=Order.SONG_BACKWARDS), 9).rows

    assert found == [Row({"artist": "B", "song": song}, DAY, 1) for song in "yx"]
    everything = rows(folder, Question(grain=Grain.YEAR), 9).rows
    assert [row.key["artist"] for row in everything] == ["", "", "A", "A", "B", "B"]


@pytest.mark.parametrize("field", ["song", "prefix", "contains", "artist"])
def test_what_is_not_in_the_key_cannot_be_asked_for(
    result: Callable[..., Result], field: str
) -> None:
    folder = result([("DEA", "DE", DAY, 1)], key=("isrc", "territory")).folder
    texts: dict[str, Any] = {field: "x"}
    question = Question(**texts)

    with pytest.raises(NotInKey, match="its totals are by ISRC, Territory") as raised:
        rows(folder, question, 9)

    assert raised.value.field == field


def test_a_song_is_found_wherever_the_result_lies(tmp_path: Path) -> None:
    for number, name in enumerate(["we[i]rd", "*", "it's", "?", 'a "b"', "{a,b}", "ä"]):
        result = Result(tmp_path / name, PLAYS, parquet=bool(number % 2))
        assert rows(result.folder, Question(song="Umbrella"), 9).rows == UMBRELLA


def test_a_quoted_song_that_comes_late_is_read_as_it_is(result: Callable[..., Result]) -> None:
    early = [(f"a{number:06}", DAY, 1) for number in range(60_000)]
    late = [(f'z\n"{number},', DAY, number) for number in range(20_000)]
    folder = result([*early, *late]).folder

    found = rows(folder, Question(prefix="z", order=Order.MOST_PLAYS), 3).rows

    assert found == [by_song(f'z\n"{number},', DAY, number) for number in (19_999, 19_998, 19_997)]


def test_a_large_result_is_asked_as_parquet_only(
    result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = result(PLAYS)
    monkeypatch.setattr(files, "MOST_CSV_BYTES", 10)

    with pytest.raises(NotConverted):
        rows(made.folder, Question(), 9)
    made.write_parquet()
    assert rows(made.folder, Question(), 9).rows == [IN_THE_END, *UMBRELLA]


def test_a_result_that_is_gone_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rows(tmp_path, Question(), 9)


@pytest.mark.parametrize(
    "prefix, beyond",
    [
        ("a", "b"),
        ("az", "a{"),
        ("a\U0010ffff", "b"),
        ("\ud7ff", "\ue000"),
        ("\uffff", "\U00010000"),
        ("\U0010ffff", None),
        ("", None),
    ],
)
def test_it_knows_the_first_text_behind_a_prefix(prefix: str, beyond: str | None) -> None:
    assert after_prefix(prefix) == beyond


def test_pieces_are_cut_between_keys(many: Result, database: Database) -> None:
    found = list(pieces.pieces(database, "totals", many.folder))

    assert len(found) > 4
    assert [first for first, _ in found[1:]] == [beyond for _, beyond in found[:-1]]
    assert (found[0][0], found[-1][1]) == ((), None)
    assert {first for first, _ in found[1:]} <= {tuple(row.key.values()) for row in many.totals}
