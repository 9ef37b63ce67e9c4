"""What the tests of this package share: literal bytes in, a result out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bmat.aggregation import AggregationError, Limits, Options, Summary, aggregate
from bmat.aggregation.graph import build
from bmat.aggregation.job import Job
from bmat.aggregation.tests.reference.engine import aggregate as aggregate_plainly

HEADER = b"Song,Date,Number of Plays\n"
TOTALS_HEADER = b"Song,Date,Total Number of Plays for Date\n"
REJECTS_HEADER = b"Line,Reason,Record\n"


class Result(NamedTuple):
    """The bytes of both files without their header lines, and the counts."""

    totals: bytes
    rejects: bytes
    summary: Summary


def run_in(
    folder: Path,
    *inputs: bytes,
    block_bytes: int = 2**20,
    threads: int = 2,
    memory_budget_bytes: int = 2**30,
    run: Callable[..., Summary] = aggregate,
    **options: object,
) -> Result:
    """Aggregates `inputs`, each as a file of its own."""
    paths = [folder / f"plays-{number}.csv" for number in range(len(inputs))]
    for path, data in zip(paths, inputs, strict=True):
        path.write_bytes(data)
    summary = run(
        paths,
        folder / "totals.csv",
        rejects=folder / "rejects.csv",
        options=Options(**options),  # type: ignore[arg-type]
        limits=Limits(block_bytes, threads, memory_budget_bytes),
    )
    totals = (folder / "totals.csv").read_bytes()
    rejects = (folder / "rejects.csv").read_bytes()
    assert totals.startswith(TOTALS_HEADER)
    rejects_header, _, listed = rejects.partition(b"\n")
    assert rejects_header.endswith(REJECTS_HEADER.strip())
    return Result(totals.removeprefix(TOTALS_HEADER), listed, summary)


def run_plainly(folder: Path, *inputs: bytes, **wanted: object) -> Result:
    """What the reference makes of `inputs`: the truth."""
    return run_in(folder, *inputs, run=aggregate_plainly, **wanted)  # type: ignore[arg-type]


def before_the_tasks(monkeypatch: pytest.MonkeyPatch, act: Callable[[Job], object]) -> None:
    """Calls `act` with each job, after its inputs were looked at and before its tasks start."""

    def build_later(job: Job) -> dict[Any, Any]:
        act(job)
        return build(job)

    monkeypatch.setattr("bmat.aggregation.run.build", build_later)


def names_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def error_of(folder: Path, *inputs: bytes, **wanted: object) -> AggregationError:
    """The error that aggregating `inputs` ends with; nothing may be left behind but the inputs."""
    with pytest.raises(AggregationError) as caught:
        run_in(folder, *inputs, **wanted)  # type: ignore[arg-type]
    assert {path.name for path in folder.iterdir()} == {
        f"plays-{number}.csv" for number in range(len(inputs))
    }
    return caught.value
