"""Results to ask, each made by a run over some plays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bmat.results.tests.results import Play, Result


@pytest.fixture
def result(tmp_path: Path) -> Callable[..., Result]:
    """Makes a result of plays, in a folder of its own."""

    def made(plays: list[Play], name: str = "result") -> Result:
        return Result(tmp_path / name, plays)

    return made
