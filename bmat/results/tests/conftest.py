"""Results to ask, each of some plays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bmat.results.tests.results import SONG, Play, Result


@pytest.fixture
def result(tmp_path: Path) -> Callable[..., Result]:
    """Makes a result of plays, in a folder of its own."""

    def made(plays: list[Play], name: str = "result", key: tuple[str, ...] = SONG) -> Result:
        return Result(tmp_path / name, plays, key=key)

    return made
