"""Changes between two results, against plain Python over both outputs."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bmat.results import (
    Change,
    ChangeOrder,
    Changes,
    Grain,
    NotConverted,
    OtherKey,
    Row,
    compare,
    files,
)
from bmat.results.tests.results import LARGEST, Result, first_day, plays_of, sorted_by

DAY = date(2020, 1, 1)
KEYS = [("song",), ("song", "artist"), ("territory", "service", "song")]
KeyAndDay = tuple[tuple[tuple[str, str], ...], date | None]


@pytest.fixture(autouse=True, scope="module")
def small_pieces() -> Iterator[None]:
    """Lets few rows be many."""
    with patch("bmat.results.pieces.ROWS_PER_PIECE", 7):
        yield


def sums(totals: list[Row], grain: Grain | None) -> dict[KeyAndDay, int]:
    found: dict[KeyAndDay, int] = defaultdict(int)
    for row in totals:
        key = tuple(row.key.items())
        found[key, first_day(row.date, grain) if grain else None] += row.plays
    return found


def kind_of(before: int | None, after: int | None) -> str:
    if before is None:
        return "new"
    if after is None:
        return "gone"
    return "same" if before == after else "up" if after > before else "down"


def size_of(change: Change, order: ChangeOrder) -> tuple[float, int]:
    share = abs(change.difference) / change.before if change.before else float("inf")
    return -share if order is ChangeOrder.PERCENT else 0, -abs(change.difference)


def expected(
    later: Result, earlier: Result, limit: int, grain: Grain | None, order: ChangeOrder
) -> dict[str, Changes]:
    after, before = sums(later.totals, grain), sums(earlier.totals, grain)
    kinds: dict[str, list[Change]] = {kind: [] for kind in ("new", "gone", "up", "down", "same")}
    for key, day in sorted(after.keys() | before.keys(), key=str):
        pair = before.get((key, day)), after.get((key, day))
        kinds[kind_of(*pair)].append(Change(dict(key), day, pair[0] or 0, pair[1] or 0))
    found = {}
    for kind, changes in kinds.items():
        changes.sort(key=lambda each: sorted_by(Row(each.key, each.date or DAY, 0)))
        largest = sorted(changes, key=lambda change: size_of(change, order))
        totals = sum(change.before for change in changes), sum(change.after for change in changes)
        listed = [] if kind == "same" else largest[:limit]
        found[kind] = Changes(len(changes), *totals, listed)
    return found


@given(
    st.data(),
    st.sampled_from(KEYS),
    st.booleans(),
    st.integers(1, 12),
    st.none() | st.sampled_from(Grain),
    st.sampled_from(ChangeOrder),
)
@settings(max_examples=25, deadline=None)
def test_it_finds_what_plain_python_finds(
    tmp_path_factory: pytest.TempPathFactory,
    data: st.DataObject,
    key: tuple[str, ...],
    is_parquet: bool,
    limit: int,
    grain: Grain | None,
    order: ChangeOrder,
) -> None:
    folder = tmp_path_factory.mktemp("pair")
    later_plays, other_plays = data.draw(plays_of(key)), data.draw(plays_of(key))
    later = Result(folder / "later", later_plays, is_parquet, key)
    earlier = Result(folder / "earlier", [*later_plays[::2], *other_plays], not is_parquet, key)

    found = compare(later.folder, earlier.folder, limit, grain, order)

    assert found == expected(later, earlier, limit, grain, order)


def by_song(song: str, *rest: Any) -> Change:
    return Change({"song": song}, *rest)


def test_it_tells_new_gone_up_down_and_same(result: Callable[..., Result]) -> None:
    earlier = result([("gone", DAY, 5), ("up", DAY, 4), ("down", DAY, 8), ("same", DAY, 1)])
    later = result([("new", DAY, 7), ("up", DAY, 6), ("down", DAY, 2), ("same", DAY, 1)], "later")

    found = compare(later.folder, earlier.folder, 10)

    assert {kind: changes.largest for kind, changes in found.items()} == {
        "new": [by_song("new", None, 0, 7)],
        "gone": [by_song("gone", None, 5, 0)],
        "up": [by_song("up", None, 4, 6)],
        "down": [by_song("down", None, 8, 2)],
        "same": [],
    }
    assert found["same"] == Changes(1, 1, 1, [])
    percents = {kind: [each.percent for each in found[kind].largest] for kind in found}
    assert percents == {"new": [None], "gone": [-100], "up": [50], "down": [-75], "same": []}


def test_a_result_is_the_same_as_itself(result: Callable[..., Result]) -> None:
    folder = result([("a", DAY + timedelta(day), LARGEST) for day in range(20)]).folder

    found = compare(folder, folder, 5, Grain.WEEK)

    assert found["same"] == Changes(4, 20 * LARGEST, 20 * LARGEST, [])
    assert {found[kind].count for kind in ("new", "gone", "up", "down")} == {0}


@pytest.mark.parametrize("key", [("artist", "song"), ("song",), ("isrc",)])
def test_only_totals_by_the_same_fields_are_compared(
    result: Callable[..., Result], key: tuple[str, ...]
) -> None:
    one, other = result([("a", "b", DAY, 1)], key=("song", "artist")), result([], "other", key)

    with pytest.raises(OtherKey, match="those of this one by Song, Artist"):
        compare(one.folder, other.folder, 5)


def test_both_results_have_to_be_ready(
    result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = result([("a", DAY, 1)]), result([("b", DAY, 1)], "other")
    monkeypatch.setattr(files, "MOST_CSV_BYTES", 10)
    one.write_parquet()

    for pair in ((one.folder, other.folder), (other.folder, one.folder)):
        with pytest.raises(NotConverted):
            compare(*pair, 5)
