"""Batches of blocks: at most so many tasks, each in file order, however many files there are."""

from pathlib import Path

import pytest

from bmat.aggregation import Limits, aggregate, graph
from bmat.aggregation.job import Block, Job
from bmat.aggregation.plan.budget import MOST_BATCHES
from bmat.aggregation.plan.plan import batches_of
from bmat.aggregation.read.batch import BatchReading, read_batch
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.running import HEADER, before_the_tasks, error_of

ROW = b"a,2020-01-01,1\n"
QUOTED = HEADER + b'"a\n,x",2020-01-01,1\nbad\n' * 40
LONG = HEADER + ROW * 9 + b'"x\ny",' * 200_000 + b"\nbad\n" + ROW * 9


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that are run meanwhile."""
    seen: list[Job] = []
    before_the_tasks(monkeypatch, seen.append)
    return seen


def blocks_of(*sizes: int) -> list[Block]:
    return [Block(source, 0, size) for source, size in enumerate(sizes)]


def test_blocks_are_spread_over_the_batches_in_order() -> None:
    assert batches_of(blocks_of(9, 9, 2), 9, most=5) == (range(1), range(1, 2), range(2, 3))
    assert batches_of(blocks_of(*[9] * 7), 9, most=3) == (range(3), range(3, 6), range(6, 7))
    assert batches_of([], 9, most=3) == ()


def test_small_files_share_a_batch() -> None:
    assert batches_of(blocks_of(4, 4, 4, 9, 1), 8, most=5) == (range(2), range(2, 4), range(4, 5))


@pytest.mark.parametrize("most", [1, 3, 8])
@pytest.mark.parametrize("block_bytes", [53, 4000])
def test_a_batch_may_begin_and_end_anywhere_in_a_file(
    run: Run, expected: Run, monkeypatch: pytest.MonkeyPatch, most: int, block_bytes: int
) -> None:
    monkeypatch.setattr("bmat.aggregation.plan.plan.MOST_BATCHES", most)
    inputs = [QUOTED, HEADER, HEADER + ROW, QUOTED + ROW, b'"oops\n' + HEADER + ROW * 9]
    assert run(*inputs, block_bytes=block_bytes) == expected(*inputs)


def test_a_line_of_megabytes_across_batches_costs_itself_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmat.aggregation.plan.plan.MOST_BATCHES", 3)
    result = run(LONG, LONG, block_bytes=100_000)
    assert result.totals == b"a,2020-01-01,36\n"
    lines = [line.split(b",")[1:3] for line in result.rejects.splitlines() if b"plays-" in line]
    assert lines == [[b"11", b"too_long"], [b"200012", b"missing_field"]] * 2


def test_a_thousand_tasks_read_any_number_of_files(tmp_path: Path, jobs: list[Job]) -> None:
    paths = [tmp_path / f"{number}.csv" for number in range(600)]
    for path in paths:
        path.write_bytes(HEADER + 2 * ROW)
    summary = aggregate(paths, tmp_path / "out.csv", limits=Limits(block_bytes=len(ROW)))
    assert (summary.rows_counted, summary.plays_total) == (2 * len(paths), 2 * len(paths))
    assert len(jobs[0].blocks) > MOST_BATCHES
    assert len(jobs[0].batches) <= MOST_BATCHES


def test_small_blocks_of_a_large_file_are_made_larger(run: Run, jobs: list[Job]) -> None:
    run(HEADER + ROW * 5000, block_bytes=11)
    assert len(jobs[0].blocks) <= MOST_BATCHES


def test_strict_reads_no_further_than_the_batches_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def note(job: Job, number: int, true_start: int | None = None) -> BatchReading:
        read.append(number)
        return read_batch(job, number, true_start)

    monkeypatch.setattr(graph, "read_batch", note)
    data = HEADER + b"bad\n" + ROW * 30_000
    error = error_of(tmp_path, data, strict=True, block_bytes=1000, threads=2)
    assert error.message.startswith("Line 2 cannot be counted (missing_field): 'bad'.")
    assert max(read) <= 6


@pytest.mark.parametrize("last", [HEADER + b"bad\n", HEADER])
def test_strict_names_a_bad_line_above_a_header_before_later_files(
    tmp_path: Path, last: bytes
) -> None:
    above = b'"oops\n' + HEADER
    error = error_of(tmp_path, HEADER + ROW, HEADER, above, last, strict=True)
    assert error.message.startswith("Line 1 cannot be counted (unterminated_quote)")
    assert error.source == tmp_path / "plays-2.csv"
