"""Where partitions begin, which songs are hot, and what becomes of a partition without room."""

from collections import Counter
from random import Random

import numpy as np
import pytest

from bmat.aggregation.exchange.hot_cells import NO_HOT_SONGS
from bmat.aggregation.exchange.rows import Spilled
from bmat.aggregation.exchange.splitters import (
    NO_SPLITTERS,
    buckets_of,
    choose_splitters,
    make_splitters,
    texts_of,
)
from bmat.aggregation.exchange.waiting import Waiting
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import padded_copy
from bmat.aggregation.merge import merge
from bmat.aggregation.merge.merge import splitters_of
from bmat.aggregation.plan.partitions import (
    NO_SONGS,
    Sample,
    likely_counts,
    make_hot_songs,
    unknown_share,
)
from bmat.aggregation.progress import TaskProgress
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.plays import LONG_START, lines_of, many_songs
from bmat.aggregation.tests.running import HEADER
from bmat.aggregation.workspace import MergingMemory


def test_splitters_keep_the_bytes_behind_what_they_have_in_common() -> None:
    splitters = make_splitters([b"song 10", b"song 2", b"song 30 and a long tail"])
    assert (splitters.partitions, splitters.skip) == (4, 5)
    pairs = splitters.keys.reshape(-1, 2).tolist()
    texts = [((high << 65) + (low << 2)).to_bytes(16, "big") for high, low in pairs]
    assert texts[:2] == [b"10".ljust(16, b"\0"), b"2".ljust(16, b"\0")]
    assert texts[2][:15] == b"30 and a long t"


def test_one_splitter_makes_two_partitions_and_none_makes_one() -> None:
    assert make_splitters([b"m"]).partitions == 2
    assert make_splitters([]) is NO_SPLITTERS


def test_buckets_say_where_the_keys_with_the_same_first_bytes_start() -> None:
    buckets = buckets_of(make_splitters([b"aa", b"aaz", b"b", b"zz"]))
    starts = [int(buckets.starts[int.from_bytes(pair, "big")]) for pair in (b"a", b"aa", b"ab")]
    assert (starts, buckets.width) == ([0, 0, 2], 32)


@pytest.mark.parametrize(
    "songs",
    [
        [],
        [b"the same start", b"the same start, and more"],
        [b"x", b"a longer one than a key"],
        [b"b"] + [b"th%03d" % number for number in range(200)],
    ],
)
def test_buckets_are_left_out_where_they_would_not_help(songs: list[bytes]) -> None:
    assert buckets_of(make_splitters(songs)).width == 0


def test_splitters_part_the_weight_evenly() -> None:
    songs = [b"%03d" % number for number in range(100)]
    splitters = choose_splitters(songs.__getitem__, np.full(100, 10.0), 250)
    starts = splitters.starts.tolist()
    texts = [splitters.texts[a:b].tobytes() for a, b in zip(starts, starts[1:], strict=False)]
    assert texts == [b"02", b"04", b"06", b"08"]


def test_one_song_is_never_parted() -> None:
    assert choose_splitters([b"a"].__getitem__, np.array([1e9]), 10) is NO_SPLITTERS


def sample_with(counts: list[int]) -> Sample:
    """A sample of so many songs, each with its number of rows."""
    numbers = np.arange(len(counts))
    texts = padded_copy(b"".join(b"song %03d" % n for n in numbers))
    hashes = numbers.astype(np.uint64) << np.uint64(40)
    lengths, days = np.full(len(counts), 8), (700_000, 700_002)
    return Sample(texts, 8 * numbers, lengths, np.array(counts), hashes, 10_000, *days)


def test_hot_songs_know_their_partitions() -> None:
    splitters = make_splitters([b"song 010", b"song 020", b"song 0205"])
    hot = make_hot_songs(sample_with([9] * 40), np.arange(5, 30), splitters)
    assert (hot.songs, hot.cells) == (25, 75)
    assert hot.firsts.tolist() == [0, 5, 15, 16, 25]
    assert hot.cells_of(1) == (15, 45)
    assert sorted(int(word) >> 40 for word in hot.slots[1::2] if word) == list(range(1, 26))
    assert make_hot_songs(sample_with([]), NO_SONGS, NO_SPLITTERS).songs == 0


def test_songs_seen_once_are_rarer_than_they_seem_where_nearly_all_were_seen_once() -> None:
    likely = likely_counts(np.array([1] * 98 + [2, 7]))
    assert likely[0] == pytest.approx(2 / 98)
    assert likely[-2:].tolist() == [likely[0], 7]
    assert likely_counts(np.array([1, 2, 2, 3, 3, 3])).tolist() == [1, 2, 2, 2, 2, 2]


def test_many_songs_are_parted_and_the_totals_are_the_same(
    run: Run, expected: Run, jobs: list[Job]
) -> None:
    data = many_songs(songs=800, rows=800)
    assert run(data, memory_budget_bytes=1, block_bytes=2000) == expected(data)
    assert jobs[0].splitters.partitions > 3


@pytest.fixture(params=[True, False], ids=["shared cells", "cells of its own"])
def tasks_share(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the run's tasks are told that they share a process."""
    share = bool(request.param)
    monkeypatch.setattr("bmat.aggregation.run.is_in_process", lambda: share)
    return share


@pytest.mark.compiled
def test_songs_with_rows_on_most_days_are_summed_up_while_reading(
    run: Run, expected: Run, jobs: list[Job], tasks_share: bool
) -> None:
    data = many_songs(songs=7, rows=30_000, days=4)
    assert run(data, memory_budget_bytes=10**7, block_bytes=100_000) == expected(data)
    assert jobs[0].hot.songs == 7


@pytest.mark.compiled
def test_more_is_sampled_where_that_tells_of_further_hot_songs(
    run: Run, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = "bmat.aggregation.plan.partitions"
    monkeypatch.setattr(f"{plan}.SAMPLES", 4)
    monkeypatch.setattr(f"{plan}.FIRST_SAMPLE_BYTES", 200)
    draw = Random(7).randrange
    data = lines_of([(b"%d" % draw(50), draw(4), 1) for _ in range(30_000)])
    for most_unknown in (0.0, 0.9):
        monkeypatch.setattr(f"{plan}.MOST_UNKNOWN", most_unknown)
        run(data, memory_budget_bytes=10**7)
    assert jobs[0].hot.songs < jobs[1].hot.songs == 50


def test_the_songs_of_as_many_rows_are_unknown_as_are_known_from_one_row() -> None:
    assert unknown_share(np.array([1, 3, 1, 5])) == 0.2
    assert unknown_share(np.array([], dtype=np.int64)) == 0


@pytest.mark.compiled
def test_a_few_hot_songs_among_many_are_not_worth_the_trouble(run: Run, jobs: list[Job]) -> None:
    rows = [(b"hot" if row % 20 == 0 else b"%d" % row, row % 20, 1) for row in range(20_000)]
    run(lines_of(rows), memory_budget_bytes=10**6)
    assert jobs[0].hot.songs == 0


def test_days_far_apart_make_no_song_hot(run: Run, jobs: list[Job]) -> None:
    data = HEADER + b"a,0001-01-01,1\nb,9999-12-31,2\n" * 200
    assert run(data, memory_budget_bytes=1).totals == b"a,0001-01-01,200\nb,9999-12-31,400\n"
    assert jobs[0].hot.songs == 0


@pytest.mark.compiled
def test_hot_cells_that_find_the_arena_nearly_full(
    run: Run,
    expected: Run,
    jobs: list[Job],
    tasks_share: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bmat.aggregation.plan.partitions.SAMPLES", 4)
    names = [b"%d" % (row // 2 % 50) if row % 2 else b"%060d" % row for row in range(50_000)]
    data = lines_of([(name, row // 100 % 30, row) for row, name in enumerate(names)])
    limits = {"memory_budget_bytes": 400_000, "block_bytes": 300_000, "threads": 1}
    assert run(data, **limits) == expected(data)
    assert jobs[0].hot.songs == 50
    assert bool(len(jobs[0].workspace.rows.cells)) == tasks_share


@pytest.mark.compiled
def test_hot_rows_without_room_for_their_pairs_and_hot_days_out_of_range(
    run: Run, expected: Run, jobs: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmat.aggregation.plan.partitions.SAMPLES", 4)
    rows = [
        (b"%d" % (row % 9), row % 30, 2 ** (row % 999) if row % 999 < 40 else 1)
        for row in range(90_000)
    ]
    rows[30_000:30_000] = [(b"%d" % row, 5000 + row, 7) for row in range(9)]
    limits = {"memory_budget_bytes": 200_000, "threads": 1}
    assert run(lines_of(rows), **limits) == expected(lines_of(rows))
    assert jobs[0].hot.songs == 9
    assert jobs[0].sizes.buffers.pairs < 45_000


def test_songs_that_only_differ_far_behind_are_parted_once_more(run: Run, expected: Run) -> None:
    data = many_songs(songs=100, rows=200, start=LONG_START)
    assert run(data, memory_budget_bytes=1) == expected(data)


@pytest.mark.compiled
def test_a_row_larger_than_the_memory_is_divided_too(run: Run, expected: Run) -> None:
    data = many_songs(songs=1500, rows=3000, start=LONG_START)
    data += LONG_START + b"x" * 600_000 + b",2020-01-01,1\n"
    assert run(data, memory_budget_bytes=1) == expected(data)


def test_a_song_that_the_sample_missed_still_finds_its_partition(run: Run, expected: Run) -> None:
    data = many_songs(songs=50, rows=600) + b"zz,2020-01-01,5\n\x01,2020-01-01,6\n"
    assert run(data, memory_budget_bytes=1) == expected(data)


def test_one_song_with_more_days_than_there_is_room_for(run: Run, expected: Run) -> None:
    data = lines_of([(b"a", row % 1300, 2**50 + row) for row in range(1600)])
    assert run(data, memory_budget_bytes=1) == expected(data)


@pytest.mark.compiled
def test_two_songs_with_more_days_than_there_is_room_for(run: Run, expected: Run) -> None:
    songs = (LONG_START + b"1", LONG_START + b"2")
    data = lines_of([(songs[row % 2], row % 1300, row) for row in range(1600)])
    assert run(data, memory_budget_bytes=1) == expected(data)


@pytest.mark.compiled
def test_a_sample_without_a_good_row_gives_one_partition(run: Run, jobs: list[Job]) -> None:
    bad = b"x" * 9_999 + b"\n"
    data = HEADER + bad * 1000 + b"a,2020-01-01,1\n" + bad
    assert run(data, memory_budget_bytes=1).totals == b"a,2020-01-01,1\n"
    assert (jobs[0].splitters, jobs[0].hot) == (NO_SPLITTERS, NO_HOT_SONGS)


def test_partitions_without_a_row_write_nothing(run: Run, expected: Run) -> None:
    one, two = many_songs(songs=400, rows=600), HEADER + b"x,2020-01-01,1\n"
    assert run(two, one, two, memory_budget_bytes=1) == expected(two, one, two)


@pytest.mark.compiled
@pytest.mark.parametrize("songs", [4000, 2])
def test_sorted_songs_that_begin_alike_take_few_divisions_and_little_disk(
    run: Run, expected: Run, monkeypatch: pytest.MonkeyPatch, songs: int
) -> None:
    rows = [(b"x" * 300 + b"%06d" % (row * songs // 8000), row % 3, row) for row in range(8000)]
    data, bytes_on_disk, plainly = lines_of(rows), [0], merge.divide

    def divide(
        job: Job, waiting: Waiting, memory: MergingMemory, progress: TaskProgress
    ) -> Spilled:
        result = plainly(job, waiting, memory, progress)
        bytes_on_disk.append(sum(path.stat().st_size for path in job.folder.glob("*.rows")))
        return result

    monkeypatch.setattr(merge, "divide", divide)
    monkeypatch.setattr("bmat.aggregation.exchange.splitters.MOST_PARTITIONS", 2)
    assert run(data, memory_budget_bytes=1) == expected(data)
    assert len(bytes_on_disk) < 200
    assert max(bytes_on_disk) < 4 * len(data)


def test_a_sample_gives_a_large_song_a_partition_of_its_own() -> None:
    only, large = Counter({b"b": 9}), Counter({b"a": 1, b"b": 97, b"c": 1, b"d": 1})
    assert texts_of(splitters_of(only)) == [b"b", b"b\0"]
    assert {b"b", b"b\0"} <= set(texts_of(splitters_of(large)))
    many = Counter({b"%03d" % number: 1 for number in range(160)})
    assert 15 <= splitters_of(many).partitions <= 17
