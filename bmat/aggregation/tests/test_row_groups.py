"""The encoding of totals as Parquet: what somebody else's reader makes of it."""

import csv
import random
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bmat.aggregation import Limits, aggregate, parquet_format, row_groups
from bmat.aggregation.padded import padded_bytes
from bmat.aggregation.parquet_format import MAGIC, RowGroup, footer
from bmat.aggregation.scratch import NOTHING
from bmat.aggregation.sizing import sizes_of
from bmat.aggregation.tests.running import HEADER

MOST_PLAYS = 2**63 - 1
LIMITS = Limits(memory_budget_bytes=10**7)
LEAST_MEMORY = Limits(memory_budget_bytes=1, threads=1)

Totals = list[tuple[str, date, int]]


def read_back(folder: Path, totals: Totals, limits: Limits = LIMITS) -> Totals:
    """What pyarrow reads from the Parquet file of these totals."""
    source, parquet = folder / "in.csv", folder / "totals.parquet"
    with source.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER.decode())
        csv.writer(file).writerows(totals)
    aggregate([source], folder / "out.csv", parquet=parquet, limits=limits)
    columns = pq.read_table(parquet).to_pydict().values()
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    "rows", [1, 2, 33, 129, 130, 257, pytest.param(4000, marks=pytest.mark.compiled)]
)
@pytest.mark.parametrize("bits", [1, 14, 15, 16, 31, 33, 63])
def test_numbers_of_any_width_come_back(tmp_path: Path, rows: int, bits: int) -> None:
    drawn = random.Random(bits)
    days = sorted(drawn.sample(range(1, date.max.toordinal()), rows))
    totals = [("a", date.fromordinal(day), drawn.getrandbits(bits)) for day in days]
    assert read_back(tmp_path, totals) == totals


def test_the_widest_differences_come_back(tmp_path: Path) -> None:
    totals = [("a", date(2000, 1, day), MOST_PLAYS * (day % 2)) for day in range(1, 32)]
    assert read_back(tmp_path, totals) == totals


def test_the_first_and_the_last_day_come_back(tmp_path: Path) -> None:
    totals = [("a", day, 1) for day in (date.min, date(1969, 12, 31), date(1970, 1, 1), date.max)]
    assert read_back(tmp_path, totals) == totals


@pytest.mark.parametrize("limits", [LIMITS, LEAST_MEMORY])
def test_songs_that_share_any_number_of_bytes_come_back(tmp_path: Path, limits: Limits) -> None:
    songs = ["x" * count + tail for count in range(1, 70) for tail in ("", "a", "é", "\nb", '"')]
    songs += ["x" * count for count in (100, 5000, 40_000)]
    totals = [
        (song, date(2000, 1, day), number)
        for number, song in enumerate(sorted(set(songs), key=str.encode))
        for day in range(1, 2 + number % 3)
    ]
    assert read_back(tmp_path, totals, limits) == totals


@pytest.mark.compiled
def test_a_song_with_more_days_than_a_row_group_has_rows(tmp_path: Path) -> None:
    days = [date.fromordinal(700_000 - row) for row in range(2 * row_groups.ROWS_PER_GROUP, 0, -1)]
    totals = [("a", date(2000, 1, 1), 1), *(("b", day, 2) for day in days)]
    assert read_back(tmp_path, totals) == totals
    metadata = pq.read_metadata(tmp_path / "totals.parquet")
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert max(rows) == row_groups.ROWS_PER_GROUP


def test_songs_that_take_much_memory_make_smaller_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_groups, "TEXT_BYTES_PER_GROUP", 100)
    totals = [(f"{number:030}", date(2000, 1, 1), number) for number in range(9)]
    totals.append(("x" * 200, date(2000, 1, 1), 9))
    assert read_back(tmp_path, totals) == totals
    metadata = pq.read_metadata(tmp_path / "totals.parquet")
    rows = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
    assert rows == [3, 3, 3, 1]


@pytest.mark.compiled
def test_it_is_the_same_file_whatever_the_threads(tmp_path: Path) -> None:
    drawn = random.Random(1)
    totals = [(f"song {drawn.randrange(500)}", date(2000, 1, 1), n) for n in range(20_000)]
    files = []
    for threads in (1, 2, 4):
        limits = Limits(memory_budget_bytes=threads * 10**6, threads=threads)
        read_back(tmp_path, totals, limits)
        files.append((tmp_path / "totals.parquet").read_bytes())
    assert files[0] == files[1] == files[2]


def test_it_says_by_what_its_rows_are_sorted(tmp_path: Path) -> None:
    read_back(tmp_path, [("a", date(2000, 1, 1), 1)])
    columns = pq.read_metadata(tmp_path / "totals.parquet").row_group(0).sorting_columns
    assert [(one.column_index, one.descending) for one in columns] == [(0, False), (1, False)]


def test_a_row_group_past_16_bits_has_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_format, "MOST_ORDINALS", 2)
    path = tmp_path / "totals.parquet"
    path.write_bytes(MAGIC + footer([RowGroup(5, (1, 2, 3), None)] * 40))
    metadata = pq.read_metadata(path)
    assert (metadata.num_row_groups, metadata.num_rows) == (40, 200)


def test_a_part_without_rows_gives_no_buffer_to_the_next_one() -> None:
    sizes = sizes_of(Limits(), 1000, shares_memory=True)
    row_groups.give_page_buffer_back(sizes, NOTHING)
    assert len(row_groups.PAGES.take(sizes, lambda: padded_bytes(5))) > 0
