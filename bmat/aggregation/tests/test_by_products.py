"""The files beside the totals: Parquet and summary.json."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation import Limits, aggregate
from bmat.aggregation.tests.plays import drawn_plays, many_songs
from bmat.aggregation.tests.running import HEADER, names_in

LIMITS = Limits(block_bytes=100_000, memory_budget_bytes=10**6)


class Products:
    """What a run over `data` leaves, each file read by somebody else's reader."""

    def __init__(self, folder: Path, data: bytes, limits: Limits = LIMITS) -> None:
        self.parquet, self.json = folder / "totals.parquet", folder / "summary.json"
        source, output = folder / "in.csv", folder / "totals.csv"
        source.write_bytes(data)
        products: Any = {"parquet": self.parquet, "summary_file": self.json}
        self.counts = aggregate([source], output, limits=limits, **products)
        assert names_in(folder) == ["in.csv", "summary.json", "totals.csv", "totals.parquet"]
        with output.open(encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        self.totals = [(song, day, int(plays)) for song, day, plays in rows]
        self.summary: dict[str, Any] = json.loads(self.json.read_text(encoding="utf-8"))

    def parquet_rows(self) -> list[tuple[str, str, int]]:
        import pyarrow.parquet

        columns = pyarrow.parquet.read_table(self.parquet).to_pydict()
        days = [day.isoformat() for day in columns["Date"]]
        return list(zip(columns["Song"], days, columns["Plays"], strict=True))


@pytest.fixture
def many(tmp_path: Path) -> Products:
    return Products(tmp_path, many_songs(songs=3000, rows=60_000) + b"bad\nbad,x,1\n")


def test_the_parquet_file_holds_the_totals_in_order(many: Products) -> None:
    assert len(many.totals) == many.counts.groups
    assert many.parquet_rows() == many.totals


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("budget", [1, 2**30])
def test_it_holds_whatever_the_totals_hold(tmp_path: Path, seed: int, budget: int) -> None:
    limits = Limits(block_bytes=50_000, memory_budget_bytes=budget)
    products = Products(tmp_path, drawn_plays(seed), limits)
    assert products.parquet_rows() == products.totals


def test_its_row_groups_tell_where_a_song_is(many: Products) -> None:
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(many.parquet)
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    statistics = [group.column(0).statistics for group in groups]
    assert len(groups) > 2
    bounds = [text.encode() for one in statistics for text in (one.min, one.max)]
    assert bounds == sorted(bounds)
    wanted = [("Song", "==", "song 777")]
    found = pyarrow.parquet.read_table(many.parquet, filters=wanted).num_rows
    assert found == sum(song == "song 777" for song, _, _ in many.totals)


def test_the_summary_holds_the_counts(many: Products) -> None:
    assert many.summary["rows_read"] == 60_002
    assert many.summary["rows_rejected"] == 2
    assert many.summary["rejects_by_reason"] == {"invalid_date": 1, "missing_field": 1}
    assert many.summary["groups"] == len(many.totals)
    assert many.summary["plays_total"] == sum(plays for _, _, plays in many.totals)


def test_the_summary_holds_the_plays_of_each_day(many: Products) -> None:
    days: Counter[str] = Counter()
    for _, day, plays in many.totals:
        days[day] += plays
    assert many.summary["plays_by_day"] == dict(sorted(days.items()))
    assert (many.summary["first_day"], many.summary["last_day"]) == (min(days), max(days))


def test_the_summary_holds_the_hundred_songs_with_the_most_plays(many: Products) -> None:
    songs: Counter[str] = Counter()
    for song, _, plays in many.totals:
        songs[song] += plays
    best = sorted(songs.items(), key=lambda item: (-item[1], item[0].encode()))[:100]
    assert many.summary["top_songs"] == [{"song": song, "plays": plays} for song, plays in best]


def test_songs_with_the_same_plays_stand_in_order(tmp_path: Path) -> None:
    products = Products(tmp_path, HEADER + b"".join(b"%03d,2020-01-01,1\n" % n for n in range(150)))
    names = [entry["song"] for entry in products.summary["top_songs"]]
    assert names == ["%03d" % number for number in range(100)]


def test_plays_past_64_bits_stay_exact(tmp_path: Path) -> None:
    rows = b"".join(b"a,2020-01-%02d,9223372036854775807\n" % day for day in range(1, 29))
    products = Products(tmp_path, HEADER + rows)
    assert products.summary["top_songs"] == [{"song": "a", "plays": 28 * (2**63 - 1)}]


def test_days_and_songs_without_plays_are_in_the_summary(tmp_path: Path) -> None:
    rows = [b"b,2020-01-03,0\n", b"a,2020-01-01,0\n", b"a,2020-01-02,0\n", b"a,2020-01-02,%d\n"]
    for plays in (0, 7):
        summary = Products(tmp_path, HEADER + b"".join(rows) % plays).summary
        assert (summary["first_day"], summary["last_day"]) == ("2020-01-01", "2020-01-03")
        assert summary["plays_by_day"] == {"2020-01-01": 0, "2020-01-02": plays, "2020-01-03": 0}
        assert summary["top_songs"] == [{"song": "a", "plays": plays}, {"song": "b", "plays": 0}]
        for path in tmp_path.iterdir():
            path.unlink()
