"""Rows, rejects and lines that leave the memory for the disk; buffers that grow."""

from pathlib import Path

import numpy as np
import pytest

from bmat.aggregation import system
from bmat.aggregation.exchange.rows import Spilled, SpillWriter
from bmat.aggregation.exchange.waiting import rows_on_disk
from bmat.aggregation.options import Limits
from bmat.aggregation.plan.budget import sizes_of
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.plays import lines_of, many_songs
from bmat.aggregation.tests.running import HEADER
from bmat.aggregation.workspace import Arena, MergingMemory, RowMemory

LONG = b"x" * 4095


def test_the_longest_songs_that_differ_in_their_last_byte(run: Run, expected: Run) -> None:
    rows = [b"%s%c,2020-01-0%d,1\n" % (LONG, 48 + row % 40, 1 + row % 9) for row in range(400)]
    data = HEADER + b"".join(rows)
    assert run(data, memory_budget_bytes=1) == expected(data)


def test_records_that_lie_across_reads(run: Run, expected: Run) -> None:
    data = lines_of([(b"a\nb%d" % row * (row % 50), row % 20, row) for row in range(3000)])
    assert run(data, memory_budget_bytes=1, block_bytes=4096) == expected(data)


def test_more_rejects_than_fit_the_memory(run: Run, expected: Run) -> None:
    data = HEADER + b"a,2020-01-01,1\n" + b"rejected," * 100 + b"\n" + b"bad\n" * 30_000
    assert run(data, block_bytes=10**6) == expected(data)


def test_more_lines_than_fit_the_memory_take_the_way_over_a_file(run: Run, expected: Run) -> None:
    data = lines_of([(b"s" * 400 + b"%d" % (row % 5), row % 900, row) for row in range(6000)])
    assert run(data, memory_budget_bytes=1) == expected(data)


def test_plays_of_all_sizes(run: Run, expected: Run) -> None:
    rows = [(b"%d" % (row % 40), row % 300, 2 ** (row % 62)) for row in range(20_000)]
    assert run(lines_of(rows), memory_budget_bytes=1) == expected(lines_of(rows))


def test_songs_that_begin_alike_are_sorted_to_their_end(run: Run, expected: Run) -> None:
    starts = [b"", b"same beginning ", b"same beginning " * 20]
    songs = [start + b"%d" % number for start in starts for number in range(300)]
    data = lines_of([(song, 1, 1) for song in songs])
    assert run(data) == expected(data)


def test_a_write_that_the_system_cuts_short_goes_on(
    run: Run, expected: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = many_songs(songs=200, rows=2000)
    whole = system.write_views
    monkeypatch.setattr(
        system,
        "write_views",
        lambda file, views, at: whole(file, [view[:700] for view in views[:1]], at),
    )
    assert run(data, memory_budget_bytes=1) == expected(data)


def test_an_empty_arena_makes_no_file(tmp_path: Path) -> None:
    rows = SpillWriter(tmp_path, RowMemory(0, 0), 3)
    rows.write(Arena(1000, 100))
    assert rows.result().is_empty
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_file_that_has_lost_rows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"12345")
    spilled = Spilled(tmp_path / "rows", np.array([[0, 10]]))
    memory = MergingMemory(
        sizes_of(Limits(memory_budget_bytes=1), 1000, shares_memory=True).buffers
    )
    with pytest.raises(OSError, match="A temporary file has become shorter"):
        next(rows_on_disk([spilled], 0, memory))


def test_a_temporary_file_that_has_lost_pairs_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(bytes(12))
    spilled = Spilled(tmp_path / "rows", np.zeros((0, 2), np.int64), pairs=np.array([0, 16]))
    with pytest.raises(OSError, match="A temporary file has become shorter"):
        spilled.pairs_of(0)
