"""Runs the aggregation on literal bytes, in a folder that must be clean afterwards."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bmat.aggregation.job import Job
from bmat.aggregation.tests.running import Result, before_the_tasks, judged, run_in

Run = Callable[..., Result]

# How long an example takes says more about a shared machine than about the code.
settings.register_profile("bmat", deadline=None, print_blob=True)
# The same examples each time, for the coverage of kernels is counted.
settings.register_profile("bmat-checked", deadline=None, max_examples=30, derandomize=True)
settings.register_profile("bmat-long", deadline=None, print_blob=True, max_examples=2000)
settings.register_profile("bmat-long-checked", deadline=None, print_blob=True, max_examples=300)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "bmat"))


@pytest.fixture
def expected(tmp_path: Path) -> Run:
    """`expected(data, ...)`: what the oracle makes of the same bytes."""
    return lambda *inputs, **options: judged(tmp_path, *inputs, **options)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """`run(data, ..., option=value)`; afterwards nothing may lie about but inputs and results."""
    yield lambda *inputs, **wanted: run_in(tmp_path, *inputs, **wanted)
    left = {path.name for path in tmp_path.iterdir()}
    assert {name for name in left if name.startswith(".")} == set()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """The jobs that are run meanwhile."""
    seen: list[Job] = []
    before_the_tasks(monkeypatch, seen.append)
    return seen
