"""A run whose temporary files lie in a folder of the caller's, beside what lasts."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, Limits, Progress, Summary, aggregate
from bmat.aggregation.progress import Beacon, unlit
from bmat.aggregation.tests.plays import many_songs
from bmat.aggregation.tests.running import HEADER, names_in

SMALL = HEADER + b"A,2020-01-01,5\n"
# Blocks, partitions and rows in files: the memory holds none of it.
SPILLING = {"block_bytes": 100_000, "memory_budget_bytes": 10**6}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder in which there is something already."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "before").touch()
    return folder


def run(
    own: Path,
    data: bytes,
    limits: dict[str, int] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Summary:
    source = own.parent / "in.csv"
    source.write_bytes(data)
    return aggregate(
        [source],
        own / "totals.csv",
        rejects=own / "rejects.csv",
        empty_rejects=False,
        limits=Limits(**(limits or {}), own_folder=own),  # type: ignore[arg-type]
        on_progress=on_progress,
    )


@pytest.mark.parametrize("limits", [{}, SPILLING])
def test_only_what_lasts_stays(own: Path, limits: dict[str, int]) -> None:
    run(own, many_songs(songs=3000, rows=60_000) + b"bad\n", limits)
    assert names_in(own) == ["before", "rejects.csv", "totals.csv"]
    assert (own / "rejects.csv").read_bytes().count(b"\n") == 2


def test_a_small_run_leaves_no_list_of_no_rejects(own: Path) -> None:
    run(own, SMALL)
    assert names_in(own) == ["before", "totals.csv"]


def test_a_small_run_lists_its_rejects(own: Path) -> None:
    run(own, SMALL + b"bad\n")
    assert (own / "rejects.csv").read_bytes() == b"Line,Reason,Record\n3,missing_field,bad\n"


def test_a_run_that_fails_leaves_nothing_of_its_own(own: Path) -> None:
    with pytest.raises(AggregationError):
        run(own, HEADER + b"bad\n" * 100_000, SPILLING)
    assert names_in(own) == ["before"]


def test_a_run_whose_folder_was_removed_fails_for_its_own_reason(own: Path) -> None:
    def remove_and_cancel(progress: Progress) -> None:
        shutil.rmtree(own)
        raise InterruptedError("it was cancelled")

    with pytest.raises(InterruptedError, match="it was cancelled"):
        run(own, SMALL, on_progress=remove_and_cancel)


def test_a_task_whose_run_has_no_beacon_tells_nobody(tmp_path: Path) -> None:
    with unlit(tmp_path), Beacon(tmp_path, 0) as beacon:
        beacon.report(1, 1)
    assert names_in(tmp_path) == []
