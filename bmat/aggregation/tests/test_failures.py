"""Runs that end early: cancelled, out of disk, on a file that changes. Nothing may be left."""

import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, Limits, Progress, aggregate, graph
from bmat.aggregation.progress import ProgressFile, ProgressInMemory, Stopped
from bmat.aggregation.read import batch
from bmat.aggregation.source.window import Window
from bmat.aggregation.tests.plays import many_songs
from bmat.aggregation.tests.running import HEADER, before_the_tasks, error_of, names_in

PLAYS = many_songs(songs=3000, rows=60_000)
SMALL = Limits(block_bytes=100_000, threads=2, memory_budget_bytes=10**6)


class Cancelled(Exception):
    pass


@pytest.fixture
def plays(tmp_path: Path) -> Iterator[Path]:
    """A file of plays; in the end it must lie there alone."""
    path = tmp_path / "in.csv"
    path.write_bytes(PLAYS)
    threads = set(threading.enumerate())
    yield path
    assert names_in(tmp_path) == ["in.csv"]
    assert set(threading.enumerate()) <= threads


def run(plays: Path, on_progress: Callable[[Progress], None] | None = None) -> None:
    output, rejects = plays.with_name("out.csv"), plays.with_name("rejects.csv")
    summary = plays.with_name("summary.json")
    aggregate(
        [plays],
        output,
        rejects=rejects,
        limits=SMALL,
        on_progress=on_progress,
        summary_file=summary,
    )


def cancel_when(stage: str) -> Callable[[Progress], None]:
    def listen(progress: Progress) -> None:
        if progress.stage == stage and progress.rows_read:
            raise Cancelled

    return listen


def slowed(function: Callable[..., object], seconds: float) -> Callable[..., object]:
    def slow(*arguments: object) -> object:
        time.sleep(seconds)
        return function(*arguments)

    return slow


@pytest.mark.parametrize(
    ("stage", "step"),
    [("reading", "read_batch"), ("merging", "merge_part"), ("writing", "write_part")],
)
def test_a_cancel_takes_effect_within_a_second_and_leaves_nothing(
    plays: Path, monkeypatch: pytest.MonkeyPatch, stage: str, step: str
) -> None:
    # The graph names its functions when it is built, but merge_part when it is called.
    monkeypatch.setattr(graph, step, slowed(getattr(graph, step), 0.15))
    begin: list[float] = []
    stages: list[str] = []

    def cancel(progress: Progress) -> None:
        begin[:] = [time.monotonic()]
        stages.append(progress.stage)
        assert progress.fraction < 1.0
        cancel_when(stage)(progress)

    with pytest.raises(Cancelled):
        run(plays, cancel)
    assert stages == sorted(stages, key=["reading", "merging", "writing"].index)
    assert time.monotonic() - begin[0] < 1.0


@pytest.mark.parametrize("is_shared", [False, True])
def test_a_task_of_a_run_that_is_over_stops_when_it_looks(tmp_path: Path, is_shared: bool) -> None:
    file = tmp_path / "progress"
    progress = ProgressFile.make(file, 2) if is_shared else ProgressInMemory(2)
    with progress.of_task(1) as task:
        task.report(3, 4)
        task.check()
        assert progress.read().tolist() == [[0, 0], [3, 4]]
        progress.stop()
        with pytest.raises(Stopped):
            task.report(2, 2)
        with pytest.raises(Stopped):
            task.check()


def test_who_waits_for_a_text_that_is_read_forward_stops_when_the_run_is_over() -> None:
    window = Window.of(b"A,2020-01-01,5\n")
    window.check()
    window.stop()
    with pytest.raises(Stopped):
        window.check()


def test_a_task_that_begins_when_the_shared_run_is_over_stops(tmp_path: Path) -> None:
    with pytest.raises(Stopped), ProgressFile(tmp_path / "progress").of_task(0):
        pass


def test_a_run_whose_folder_is_removed_fails_for_its_own_reason(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "in.csv").write_bytes(HEADER + b"A,2020-01-01,5\n")

    def remove_and_cancel(progress: Progress) -> None:
        shutil.rmtree(own)
        raise InterruptedError("it was cancelled")

    with pytest.raises(InterruptedError, match="it was cancelled"):
        aggregate([tmp_path / "in.csv"], own / "totals.csv", on_progress=remove_and_cancel)


@pytest.mark.parametrize("size", [0, 30, 150_000])
def test_a_file_that_shrinks_while_it_is_read_fails_the_run(
    plays: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    before_the_tasks(monkeypatch, lambda job: os.truncate(plays, size))
    with pytest.raises(OSError, match="has become shorter while it was read"):
        run(plays)


def test_a_file_that_shrinks_within_a_line_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays = tmp_path / "in.csv"
    plays.write_bytes(HEADER + b"a,2020-01-01,1\n" + b"x" * 500_000)

    before_the_tasks(monkeypatch, lambda job: os.truncate(plays, 180_000))
    with pytest.raises(OSError, match="has become shorter while it was read"):
        aggregate([plays], tmp_path / "out.csv", limits=SMALL)
    assert names_in(tmp_path) == ["in.csv"]


def full_disk(monkeypatch: pytest.MonkeyPatch, suffix: str, code: int = errno.ENOSPC) -> list[str]:
    """From now on no file fits the disk whose name ends in `suffix`. Returns those that did not."""
    failed: list[str] = []
    write = os.pwritev

    def pwritev(descriptor: int, views: list[memoryview], offset: int) -> int:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if name.endswith(suffix):
            failed.append(name)
            raise OSError(code, os.strerror(code))
        return write(descriptor, views, offset)

    monkeypatch.setattr(os, "pwritev", pwritev)
    return failed


@pytest.mark.parametrize("suffix", [".rows", ".part"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_while_spilling_or_writing(
    plays: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, code: int
) -> None:
    failed = full_disk(monkeypatch, suffix, code)
    with pytest.raises(AggregationError) as caught:
        run(plays)
    assert failed
    assert caught.value.code == "out_of_disk"


def test_a_disk_that_fills_up_with_rejects(plays: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plays.write_bytes(PLAYS + b"bad\n")
    full_disk(monkeypatch, ".rejects")
    with pytest.raises(AggregationError, match="There is no space left on the disk"):
        run(plays)


def test_the_first_total_past_64_bits_is_found_in_whatever_partition(tmp_path: Path) -> None:
    row = b"song %d,2001-02-03,9223372036854775807\n"
    data = PLAYS + row % 2500 + row % 999 + row % 2500
    error = error_of(tmp_path, data, memory_budget_bytes=10**6, block_bytes=100_000)
    assert error.code == "plays_overflow"
    assert error.message.startswith("The total of 'song 2500' on 2001-02-03 is 184467440737095")


def test_of_several_reasons_to_fail_the_one_higher_in_the_table_counts(tmp_path: Path) -> None:
    data = HEADER + b"a,2020-01-01,9223372036854775807\n" * 2 + b"bad\n"
    assert error_of(tmp_path, data, strict=True).code == "strict_violation"


def test_a_result_that_cannot_be_put_in_place_leaves_nothing(plays: Path) -> None:
    plays.with_name("rejects.csv").mkdir()
    with pytest.raises(IsADirectoryError):
        run(plays)
    assert names_in(plays.parent) == ["in.csv", "rejects.csv"]
    plays.with_name("rejects.csv").rmdir()


def test_a_defect_in_a_task_comes_out_as_it_is(
    plays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "preamble", lambda source: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(plays)
