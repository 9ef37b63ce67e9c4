"""The file beside the totals: summary.json."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation import Limits, aggregate
from bmat.aggregation.tests.plays import many_songs
from bmat.aggregation.tests.running import HEADER, names_in

LIMITS = Limits(block_bytes=100_000, memory_budget_bytes=10**6)


class Summarized:
    """What a run over `data` leaves, each file read by somebody else's reader."""

    def __init__(self, folder: Path, data: bytes, limits: Limits = LIMITS) -> None:
        summary = folder / "summary.json"
        source, output = folder / "in.csv", folder / "totals.csv"
        source.write_bytes(data)
        aggregate([source], output, limits=limits, summary_file=summary)
        assert names_in(folder) == ["in.csv", "summary.json", "totals.csv"]
        with output.open(encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        self.totals = [(song, day, int(plays)) for song, day, plays in rows]
        self.summary: dict[str, Any] = json.loads(summary.read_text(encoding="utf-8"))


@pytest.fixture
def many(tmp_path: Path) -> Summarized:
    return Summarized(tmp_path, many_songs(songs=3000, rows=60_000) + b"bad\nbad,x,1\n")


def test_the_summary_holds_the_counts(many: Summarized) -> None:
    assert many.summary["rows_read"] == 60_002
    assert many.summary["rows_rejected"] == 2
    assert many.summary["rejects_by_reason"] == {"invalid_date": 1, "missing_field": 1}
    assert many.summary["groups"] == len(many.totals)
    assert many.summary["plays_total"] == sum(plays for _, _, plays in many.totals)


def test_the_summary_holds_the_plays_of_each_day(many: Summarized) -> None:
    days: Counter[str] = Counter()
    for _, day, plays in many.totals:
        days[day] += plays
    assert many.summary["plays_by_day"] == dict(sorted(days.items()))
    assert (many.summary["first_day"], many.summary["last_day"]) == (min(days), max(days))


def test_the_summary_holds_the_hundred_songs_with_the_most_plays(many: Summarized) -> None:
    songs: Counter[str] = Counter()
    for song, _, plays in many.totals:
        songs[song] += plays
    best = sorted(songs.items(), key=lambda item: (-item[1], item[0].encode()))[:100]
    assert many.summary["top_songs"] == [{"song": song, "plays": plays} for song, plays in best]


def test_songs_with_the_same_plays_stand_in_order(tmp_path: Path) -> None:
    products = Summarized(
        tmp_path, HEADER + b"".join(b"%03d,2020-01-01,1\n" % n for n in range(150))
    )
    names = [entry["song"] for entry in products.summary["top_songs"]]
    assert names == ["%03d" % number for number in range(100)]


def test_plays_past_64_bits_stay_exact(tmp_path: Path) -> None:
    rows = b"".join(b"a,2020-01-%02d,9223372036854775807\n" % day for day in range(1, 29))
    products = Summarized(tmp_path, HEADER + rows)
    assert products.summary["top_songs"] == [{"song": "a", "plays": 28 * (2**63 - 1)}]


def test_the_days_of_a_result_are_those_of_its_totals_even_without_plays(tmp_path: Path) -> None:
    summary = Summarized(tmp_path, HEADER + b"a,2020-01-02,0\na,2020-01-01,0\n").summary
    assert (summary["first_day"], summary["last_day"]) == ("2020-01-01", "2020-01-02")
    assert summary["plays_by_day"] == {}
