"""What the tests of this package share: literal bytes in, a result out."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation import AggregationError, Limits, Options, Summary, aggregate
from bmat.aggregation.graph import build
from bmat.aggregation.job import Job
from bmat.aggregation.options import BOUNDS, Bounds
from bmat.aggregation.results import Example
from bmat.aggregation.tests import oracle

HEADER = b"Song,Date,Number of Plays\n"
NOTES = ("warnings", "inputs")
TOTALS_HEADER = b"Song,Date,Total Number of Plays for Date\n"


@dataclass(frozen=True)
class Result:
    """The bytes of both files without their header lines, and the counts."""

    totals: bytes
    rejects: bytes
    summary: Summary

    def __eq__(self, other: object) -> bool:
        """Whether the totals, the rejects and the counts are the same; the oracle does not warn,
        nor does it say how it has read.
        """
        if not isinstance(other, Result):
            return NotImplemented
        return self._judged() == other._judged()

    def _judged(self) -> tuple[bytes, bytes, Summary]:
        return self.totals, self.rejects, without_notes(self.summary)


def without_notes(summary: Summary) -> Summary:
    """The counts alone."""
    return replace(summary, warnings=(), inputs=())


def run_in(
    folder: Path,
    *inputs: bytes,
    block_bytes: int = 2**20,
    threads: int = 2,
    memory_budget_bytes: int = 2**30,
    **options: object,
) -> Result:
    """Aggregates `inputs`, each as a file of its own."""
    paths = paths_in(folder, inputs)
    for path, data in zip(paths, inputs, strict=True):
        path.write_bytes(data)
    summary = aggregate(
        paths,
        folder / "totals.csv",
        rejects=folder / "rejects.csv",
        options=Options(**options),  # type: ignore[arg-type]
        limits=Limits(block_bytes, threads, memory_budget_bytes),
    )
    totals = (folder / "totals.csv").read_bytes()
    rejects = (folder / "rejects.csv").read_bytes()
    return Result(without_header(totals), without_header(rejects), summary)


def judged(folder: Path, *inputs: bytes, **options: Any) -> Result:
    """What the oracle makes of `inputs`: the truth."""
    names = [str(path) for path in paths_in(folder, inputs)]
    verdict = oracle.judge(inputs, names, oracle_options(**options))
    totals, rejects = without_header(verdict.totals), without_header(verdict.rejects)
    return Result(totals, rejects, counts_of(verdict))


def oracle_options(bounds: Bounds = BOUNDS, **options: Any) -> oracle.Options:
    return oracle.Options(bounds=oracle.Bounds(*astuple(bounds)), **options)


def counts_of(verdict: oracle.Verdict) -> Summary:
    """The counts, without what the oracle does not say."""
    told = {one.name: verdict.summary[one.name] for one in fields(Summary) if one.name not in NOTES}
    sample = {
        reason: [Example(*one) for one in examples]
        for reason, examples in told["rejects_sample"].items()
    }
    return Summary(**told | {"rejects_sample": sample, "group_by": tuple(told["group_by"])})


def paths_in(folder: Path, inputs: Sequence[bytes]) -> list[Path]:
    return [folder / f"plays-{number}.csv" for number in range(len(inputs))]


def without_header(content: bytes) -> bytes:
    return content.partition(b"\n")[2]


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
    assert set(folder.iterdir()) == set(paths_in(folder, inputs))
    return caught.value
