"""Files that are written past the page cache, where the disk can and is worth it."""

import errno
import fcntl
import os
import pickle
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from dask.sizeof import sizeof

from bmat.aggregation.exchange.parts import Part, Stored, Sums
from bmat.aggregation.workspace import PAGE_BUFFER_BYTES, WritingMemory
from bmat.aggregation.write.output import PageWriter

DATA = np.arange(2 * PAGE_BUFFER_BYTES + 12_345, dtype=np.uint32).view(np.uint8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.touch()
    return path


def write(path: Path, start: int = 0) -> PageWriter:
    """Writes DATA in two pieces."""
    writer = PageWriter(path, WritingMemory(), start)
    writer.append(DATA[:1_000_001])
    writer.append(DATA[1_000_001:])
    writer.close()
    assert path.read_bytes()[start : start + DATA.nbytes] == DATA.tobytes()
    return writer


def invalid(*_: object) -> int:
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def broken(*_: object) -> int:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("starts", [(10, 10 + DATA.nbytes), (10 + DATA.nbytes, 10)])
def test_parts_that_share_a_page_are_written_in_any_order(
    path: Path, starts: tuple[int, int]
) -> None:
    path.write_bytes(b"the header")
    for start in starts:
        assert write(path, start).is_direct
    assert path.read_bytes() == b"the header" + 2 * DATA.tobytes()


@pytest.mark.parametrize("size", [1, 90, 4096, 5000])
def test_a_part_of_few_bytes_is_written_too(path: Path, size: int) -> None:
    path.write_bytes(bytes(4000))
    with closing(PageWriter(path, WritingMemory(), 4000)) as writer:
        writer.append(DATA[:size])
    assert path.read_bytes() == bytes(4000) + DATA[:size].tobytes()


def test_a_disk_that_cannot_is_written_to_through_the_page_cache(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = fcntl.fcntl
    monkeypatch.setattr(fcntl, "fcntl", lambda a, b, *flags: invalid() if flags else get(a, b))
    assert not write(path).is_direct


def test_a_disk_that_only_says_so_later_is_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_really, tries = os.pwrite, [invalid]
    monkeypatch.setattr(
        os, "pwrite", lambda *given: (tries.pop() if tries else write_really)(*given)
    )
    assert not write(path).is_direct


def test_a_slow_disk_is_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bmat.aggregation.write.output.PACE_BYTES_PER_SECOND", 1e30)
    monkeypatch.setattr("bmat.aggregation.write.output.MOST_LEAD_SECONDS", 1e-9)
    assert not write(path).is_direct


@pytest.mark.parametrize("call", [(fcntl, "fcntl"), (os, "pwrite")])
def test_another_error_comes_out(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: tuple[object, str]
) -> None:
    get_flags = fcntl.fcntl
    fail = broken if call[1] == "pwrite" else lambda a, b, *c: broken() if c else get_flags(a, b)
    writer = PageWriter(path, WritingMemory(), 0)
    monkeypatch.setattr(*call, fail)
    with pytest.raises(OSError, match="Input/output error"):
        writer.append(DATA)


def test_a_part_tells_the_scheduler_how_many_bytes_a_move_would_take() -> None:
    none = np.zeros(0, dtype=np.uint64)
    sums = Sums(0, 0, 0, 0, none.astype(np.int64), none, none, [], [], None)
    assert sizeof(Part(Stored(Path("part"), 0, DATA, len(DATA)), sums)) >= len(DATA)


def test_of_a_text_that_moves_only_what_is_used_of_its_buffer_does() -> None:
    moved = pickle.loads(pickle.dumps(Stored(Path("part"), 0, DATA, 1000)))

    assert len(moved.buffer) == 1000
    assert b"".join(piece.tobytes() for piece in moved.stretches()) == DATA[:1000].tobytes()
