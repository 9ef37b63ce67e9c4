"""Looking rows up in the Parquet file, against a filter over all totals."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation import aggregate, parquet_rows, row_groups
from bmat.aggregation.parquet_rows import TotalsFile, footer_of
from bmat.aggregation.spans import Days, Place, Row, Span
from bmat.aggregation.tests.plays import lines_of

# Songs that begin alike, that sort by bytes otherwise than by letters, and one that is too long for
# the statistics of a row group.
SONGS = [
    "A",
    "A A",
    "B",
    "a",
    "ab",
    "abc",
    'a"b',
    "a,b",
    "a\nb",
    "b",
    "é",
    "ézé",
    "夜に",
    "🎵",
    " ",
]
SONGS += [f"song {number:02}" for number in range(20)]
SONGS += [name * 2000 for name in ("a", "m", "é")]
DAYS = 40


class World:
    """Some totals, as rows and as a Parquet file of small row groups."""

    def __init__(self, folder: Path) -> None:
        random = np.random.default_rng(7)
        drawn = [(song, day) for song in SONGS for day in range(DAYS) if random.random() < 0.4]
        plays = random.integers(0, 9, len(drawn)).tolist()
        rows = zip(drawn, plays, strict=True)
        source, output, self.path = folder / "in.csv", folder / "out.csv", folder / "totals.parquet"
        source.write_bytes(lines_of([(song.encode(), day, count) for (song, day), count in rows]))
        aggregate([source], output, parquet=self.path)
        with output.open(encoding="utf-8", newline="") as file:
            _, *totals = csv.reader(file)
        self.rows = [Row(song, date.fromisoformat(day), int(plays)) for song, day, plays in totals]
        self.footer = footer_of(self.path)

    def open(self) -> TotalsFile:
        return TotalsFile(self.path, self.footer)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_groups, "ROWS_PER_GROUP", 7)
        patch.setattr(parquet_rows, "MOST_GROUPS", 3)
        made = World(tmp_path_factory.mktemp("world"))
        assert made.footer.num_row_groups > 60
        yield made


songs = st.sampled_from(SONGS) | st.text(st.sampled_from("aAbé夜 song019"), min_size=1, max_size=4)
spans_of_days = st.lists(st.dates(date(1999, 12, 30), date(2000, 2, 20)), min_size=2, max_size=2)


def pages(totals: TotalsFile, span: Span, limit: int, days: Days, backwards: bool) -> list[Row]:
    """The rows of all pages of a span, one after another."""
    found: list[Row] = []
    rest: Span | None = span
    while rest is not None:
        page = totals.page(rest, limit, days, backwards)
        assert len(page.rows) <= limit
        assert page.rest != rest
        found, rest = found + page.rows, page.rest
    return found


@given(st.data())
def test_its_pages_equal_a_filter_over_all_totals(world: World, data: st.DataObject) -> None:
    name = data.draw(songs)
    days = Days(*sorted(data.draw(spans_of_days))) if data.draw(st.booleans()) else Days()
    is_prefix, backwards = data.draw(st.booleans()), data.draw(st.booleans())
    limit = data.draw(st.integers(1, 30))
    expected = [
        row
        for row in world.rows
        if (row.song.startswith(name) if is_prefix else row.song == name)
        and days.first <= row.date <= days.last
    ]
    with world.open() as totals:
        wanted = name.encode()
        span = totals.of_prefix(wanted) if is_prefix else totals.of_song(wanted)
        found = pages(totals, span, limit, days, backwards)
        assert found == (expected[::-1] if backwards else expected)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("limit", [1, 7, 13, 10_000])
def test_its_pages_hold_every_row_once(world: World, limit: int, backwards: bool) -> None:
    with world.open() as totals:
        assert totals.count(totals.everything()) == len(world.rows)
        found = pages(totals, totals.everything(), limit, Days(), backwards)
    assert found == (world.rows[::-1] if backwards else world.rows)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_page_ends_after_some_row_groups_however_little_it_found(
    world: World, backwards: bool
) -> None:
    with world.open() as totals:
        page = totals.page(totals.everything(), 5, Days(first=date(2001, 1, 1)), backwards)
        assert page.rows == []
        assert page.rest is not None
        read = totals.count(totals.everything()) - totals.count(page.rest)
    assert read == sum(
        world.footer.row_group(number).num_rows
        for number in (range(-3, 0) if backwards else range(3))
        for number in [number % world.footer.num_row_groups]
    )


@given(songs, spans_of_days, st.booleans())
def test_it_sorts_one_song_by_plays(
    world: World, song: str, bounds: list[date], descending: bool
) -> None:
    days = Days(*sorted(bounds))
    expected = [
        row for row in world.rows if row.song == song and days.first <= row.date <= days.last
    ]
    expected.sort(key=lambda row: -row.plays if descending else row.plays)
    with world.open() as totals:
        assert totals.by_plays(song, days, descending) == expected


def test_a_song_before_all_others_has_no_rows(world: World) -> None:
    with world.open() as totals:
        assert totals.of_song(b"\x01") == Span(Place(0, 0), Place(0, 0))
        assert totals.page(totals.of_song(b"\x01"), 5, Days()).rest is None
