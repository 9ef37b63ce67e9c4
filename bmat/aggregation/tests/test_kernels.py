"""Kernels where whole files seldom take them: memory that is full, rows cut off, huge sums."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation import Limits
from bmat.aggregation.exchange.hot_cells import emptied
from bmat.aggregation.exchange.splitters import NO_SPLITTERS, buckets_of
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import (
    DAY_SHIFT,
    INDEX_FLAG,
    PAIR_PLAYS_BITS,
    VALUE_MASK,
    TableState,
    Words,
    padded_copy,
)
from bmat.aggregation.kernels.ingest import divide_rows
from bmat.aggregation.kernels.pairs import add_packed_pairs, add_pairs, pack_pairs
from bmat.aggregation.kernels.sums import compact, sum_in_cells
from bmat.aggregation.merge.table import Table
from bmat.aggregation.plan.budget import sizes_of
from bmat.aggregation.plan.partitions import make_hot_songs
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.plays import lines_of
from bmat.aggregation.tests.running import HEADER, error_of
from bmat.aggregation.tests.test_partitions import sample_with
from bmat.aggregation.workspace import Arena, MergingMemory

MOST_PLAYS = 2**63 - 1
MOST_IN_A_VALUE = 2**41 - 1


def row(song: bytes, day: int, plays: int = 1) -> bytes:
    """A row as `kernels.rows` describes it."""
    length, is_wide = min(len(song), 255), plays >= 2**32
    word = length | is_wide << 8 | day << 10 | (0 if is_wide else plays) << 32
    behind = [len(song)] * (length == 255) + [plays] * is_wide
    return b"".join(number.to_bytes(8, "little") for number in [word, *behind]) + song


def table_for(size: int) -> Table:
    limits = Limits(memory_budget_bytes=2**24)
    return Table(
        MergingMemory(sizes_of(limits, size, shares_memory=True).buffers), hash_key=2**63 + 1
    )


def taken(table: Table, rows: bytes) -> int:
    """Where the table has stopped taking these rows."""
    return table.take(padded_copy(rows), np.array([[0, len(rows)]]))[0]


ROWS = [row(b"a", 1), row(b"wide", 2, 2**40), row(b"x" * 300, 3), row(b"y" * 300, 4, 2**62)]


@pytest.mark.parametrize("whole", range(4))
def test_a_row_that_is_not_whole_is_left(whole: int) -> None:
    before = b"".join(ROWS[:whole])
    for cut in (0, 7, 8, 9, 15, 16, len(ROWS[whole]) - 1):
        rows = before + ROWS[whole][: min(cut, len(ROWS[whole]) - 1)]
        assert taken(table_for(len(rows)), rows) == len(before)
        state, arena = TableState.new(), Arena(2**16, 4096)
        state.end = len(rows)
        divide_rows(padded_copy(rows), state, NO_SPLITTERS, arena.arrays)
        assert arena.bytes[: len(before)].tobytes() == before


def test_a_table_of_more_songs_than_it_has_slots_for_at_first() -> None:
    songs = [b"%d" % number for number in range(2100)]
    table = table_for(100_000)
    rows = b"".join(row(song, 1) for song in songs + songs[::100])
    assert taken(table, rows) == len(rows)
    assert [table.song(number) for number in range(table.song_count)] == songs
    assert table.counts().tolist() == [2 - (number % 100 > 0) for number in range(2100)]


def sums_of(values: Words, wide: Words) -> Counter[int]:
    """The plays by day that values stand for."""
    sums: Counter[int] = Counter()
    for value in values.tolist():
        plays = value & MOST_IN_A_VALUE
        sums[value >> int(DAY_SHIFT)] += int(wide[plays]) if value & int(INDEX_FLAG) else plays
    return sums


def compacted(values: Words, wide: Words, wide_count: int, days: int) -> Words:
    """The values of one song, summed up by day."""
    memory, rows = table_for(100_000).memory, len(values)
    cells = np.zeros(days, dtype=np.uint64)
    ordered = memory.ordered._replace(gathered=values, cells=cells)
    ordered.order[0], ordered.row_starts[:2] = 0, (0, rows)
    table = memory.table._replace(wide=wide)
    table.state.songs, table.state.wide = 1, wide_count
    rows = compact(table, ordered)
    assert not cells.any()
    return table.values[:rows]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from([0, 1, 5, 2**40, MOST_IN_A_VALUE, 2**41, 2**62, MOST_PLAYS]),
        ),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 3),
)
def test_sums_by_day_agree_with_those_of_a_dictionary(
    plays: list[tuple[int, int]], room: int
) -> None:
    expected: Counter[int] = Counter()
    values, wide = [], []
    for day, count in plays:
        expected[day] += count
        if count > MOST_IN_A_VALUE:
            wide.append(count)
            count = len(wide) - 1 | int(INDEX_FLAG)
        values.append(day << int(DAY_SHIFT) | count)
    wide_words = np.array(wide + [0] * room, dtype=np.uint64)
    left = compacted(np.array(values, dtype=np.uint64), wide_words, len(wide), days=1000)
    days = (left >> DAY_SHIFT).tolist()
    assert days == sorted(days)
    assert sums_of(left, wide_words) == expected


@pytest.mark.compiled
def test_sums_past_the_largest_that_many_rows_come_to_are_kept_apart() -> None:
    count = 2**23 + 5
    values = np.full(count, VALUE_MASK, dtype=np.uint64)
    left = compacted(values, wide := np.zeros(8, dtype=np.uint64), 0, days=1)
    assert len(left) < 8
    assert sums_of(left, wide) == {0: count * MOST_IN_A_VALUE}


def test_sums_without_room_among_the_wide_ones_stay_in_several_values() -> None:
    values = np.full(30, VALUE_MASK, dtype=np.uint64)
    left = compacted(values, no_room := np.zeros(0, dtype=np.uint64), 0, days=1)
    assert sums_of(left, no_room) == {0: 30 * MOST_IN_A_VALUE}


def test_a_total_past_two_words_is_told_exactly(tmp_path: Path) -> None:
    error = error_of(tmp_path, HEADER + b"a,2020-01-01,%d\n" % MOST_PLAYS * 3)
    assert f"is {3 * MOST_PLAYS}, past" in error.message


def test_a_cell_that_is_nearly_full_takes_no_more() -> None:
    values = np.array([7, 0, 9, 3], dtype=np.uint64)
    cells = np.array([MOST_PLAYS - 5], dtype=np.uint64)
    state = TableState.new()
    wide: Words = np.zeros(1, dtype=np.uint64)
    end = sum_in_cells(values, wide, state, cells, 0, 4, np.uint64(0), 1)
    # A cell holds its sum plus one.
    assert sums_of(values[:end], wide) == {0: MOST_PLAYS - 6 + 7 + 0 + 9 + 3}


def test_hot_cells_of_any_size_become_rows_also_where_the_arena_is_small() -> None:
    hot = make_hot_songs(sample_with([9] * 40), np.arange(40), NO_SPLITTERS)
    cells = np.arange(hot.cells, dtype=np.uint64)
    cells[5] = 2**42 + 7
    expected = {hot.first_day + at % hot.days: 0 for at in range(hot.cells)}
    for at, held in enumerate(cells.tolist()):
        expected[hot.first_day + at % hot.days] += max(held - 1, 0)
    arena, table = Arena(2**13, 256), table_for(100_000)
    for _ in emptied(cells, hot, (0, hot.cells), arena):
        table.take(arena.bytes, arena.take_extents())
    table.take(arena.bytes, arena.take_extents())
    assert sums_of(table.values(), table.memory.table.wide) == expected
    assert table.song_count == 40


def test_memory_of_a_run_that_overflowed_keeps_no_days(tmp_path: Path, jobs: list[Job]) -> None:
    rows = b"a,2019-01-01,1\na,2020-01-02,%d\na,2020-01-02,1\n" % MOST_PLAYS
    assert error_of(tmp_path, HEADER + rows).code == "plays_overflow"
    with jobs[0].workspace.merging.borrow() as memory:
        assert not memory.sums.day_low.any()
        assert not memory.sums.day_high.any()


ODD_LINES = [
    b"\r\n" * 2200,
    b'"a""' + b'""' * 2200 + b'",2020-01-01,1\n',
    b"x\n" * 2200,
    b'"' + b"x" * 140_000 + b"\n",
    b"\r",
]


@pytest.mark.parametrize("start", [b"", b"a,2020-01-01,1\n", b"ab,2020-01-01,1\n"])
def test_records_that_two_reads_share(run: Run, expected: Run, start: bytes) -> None:
    for odd in ODD_LINES:
        data = HEADER + start + b"x,2020-01-01,1\n" + odd
        assert run(data, memory_budget_bytes=1, block_bytes=4096) == expected(data)


@pytest.mark.parametrize("hot_songs", [0, 7])
def test_rows_that_find_their_partition_by_their_first_two_bytes(
    run: Run, expected: Run, jobs: list[Job], hot_songs: int
) -> None:
    rows = [(b"%03d" % (row * 181 % 450) + b"x" * 150, row % 28, row) for row in range(450)]
    rows += [(b"%d" % (row % 7), row % 28, row) for row in range(100 * hot_songs)]
    assert run(lines_of(rows), memory_budget_bytes=1) == expected(lines_of(rows))
    assert buckets_of(jobs[0].splitters).width > 0
    assert jobs[0].hot.songs == hot_songs


def test_songs_that_tie_in_more_groups_than_a_byte_can_count(run: Run, expected: Run) -> None:
    rows = [(b"%08d" % (row // 2 * 333_333) + b"ab"[row % 2 :], 1, row) for row in range(600)]
    assert run(lines_of(rows)) == expected(lines_of(rows))


def test_the_last_day_of_any_year_is_written(run: Run, expected: Run) -> None:
    days = [b"%04d-%s" % (year, day) for year in range(1, 9999, 97) for day in (b"12-31", b"01-01")]
    data = HEADER + b"".join(b"a,%s,1\n" % day for day in days)
    assert run(data) == expected(data)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(0, 2**24 - 1))),
    st.sampled_from([0, 1, 8, 23, 24, 26]),
)
def test_packed_pairs_are_added_to_the_cells_of_their_partition(
    rows: list[tuple[int, int, int]], plays_bits: int
) -> None:
    days, firsts_of_songs, of_songs = 10, [0, 2, 2, 5, 6], [0, 0, 2, 2, 2, 3]
    pairs = [(song * days + day) << PAIR_PLAYS_BITS | plays for song, day, plays in rows]
    words = np.array(pairs, dtype=np.uint64)
    packed, firsts = np.zeros(2 * len(rows), dtype=np.uint32), np.zeros(5, dtype=np.int64)
    bounds = days * np.array(firsts_of_songs, dtype=np.uint64)
    bits = np.full(4, plays_bits, dtype=np.uint64)

    pack_pairs(words, days, np.array(of_songs), bounds, bits, packed, firsts)

    cells, expected = np.zeros((2, 60), dtype=np.uint64)
    for partition in range(4):
        own = cells[int(bounds[partition]) : int(bounds[partition + 1])]
        add_packed_pairs(own, packed[firsts[partition] : firsts[partition + 1]], plays_bits)
    add_pairs(expected, words, len(words))
    assert cells.tolist() == expected.tolist()
