"""Files for what has no room in memory."""

from pathlib import Path

import numpy as np
import pytest

from bmat.aggregation.exchange.parts import Stored, stored
from bmat.aggregation.exchange.scratch import STRETCH_BYTES, ScratchFile


def read_once(kept: Stored) -> bytes:
    return b"".join(stretch.tobytes() for stretch in kept.stretches())


def test_what_is_in_the_file_comes_before_the_buffer(tmp_path: Path) -> None:
    file = ScratchFile(tmp_path, "part")
    file.append([memoryview(b"a" * STRETCH_BYTES), memoryview(b"b")])
    file.append([memoryview(b"c")])
    kept = stored(file, np.frombuffer(b"def", dtype=np.uint8), 2)
    assert read_once(kept) == b"a" * STRETCH_BYTES + b"bcde"


def test_a_file_that_was_read_is_gone(tmp_path: Path) -> None:
    file = ScratchFile(tmp_path, "part")
    file.append([memoryview(b"a")])
    read_once(stored(file, np.zeros(0, dtype=np.uint8), 0))
    assert list(tmp_path.iterdir()) == []


def test_nothing_makes_no_file(tmp_path: Path) -> None:
    assert read_once(stored(ScratchFile(tmp_path, "part"), np.zeros(5, dtype=np.uint8), 0)) == b""
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_has_lost_bytes_is_an_error(tmp_path: Path) -> None:
    file = ScratchFile(tmp_path, "part")
    file.append([memoryview(b"abc")])
    file.path.write_bytes(b"ab")
    with pytest.raises(OSError, match="A temporary file has become shorter"):
        read_once(stored(file, np.zeros(0, dtype=np.uint8), 0))
