"""Files that are written past the page cache, where the disk can and is worth it."""

import errno
import fcntl
import os
import pickle
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from dask.sizeof import sizeof
from hypothesis import given
from hypothesis import strategies as st

from bmat.aggregation.exchange.parts import Part, Stored, Sums
from bmat.aggregation.merge.merge import merge_part
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.plays import many_songs
from bmat.aggregation.tests.running import TOTALS_HEADER
from bmat.aggregation.workspace import PAGE_BUFFER_BYTES, WritingMemory
from bmat.aggregation.write.output import PAGE_BYTES, PageWriter, Placed, place_part

DATA = np.arange(2 * PAGE_BUFFER_BYTES + 12_345, dtype=np.uint32).view(np.uint8)
JOB: Any = SimpleNamespace(group_by=("song",))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.touch()
    return path


def write(path: Path) -> PageWriter:
    """Writes DATA in two pieces; of it the whole pages are there then."""
    writer = PageWriter(path, WritingMemory(), 0)
    writer.append(DATA[:1_000_001])
    writer.append(DATA[1_000_001:])
    writer.close()
    assert path.read_bytes() == DATA[: DATA.nbytes // PAGE_BYTES * PAGE_BYTES].tobytes()
    return writer


def invalid(*_: object) -> int:
    raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def broken(*_: object) -> int:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def part_of(text: bytes) -> Part:
    none = np.zeros(0, dtype=np.uint64)
    sums = Sums(0, 0, 0, 0, none.astype(np.int64), none, none, [], [], None)
    return Part(Stored(Path("part"), 0, np.frombuffer(text, dtype=np.uint8), len(text)), sums)


@given(
    st.lists(st.sampled_from([0, 1, 90, 65_535, 65_536, 65_537, 131_072, 300_000])), st.randoms()
)
def test_parts_of_all_sizes_are_written_in_any_order(sizes: list[int], random: Random) -> None:
    texts = [DATA[number : number + size].tobytes() for number, size in enumerate(sizes)]
    placed: list[Placed] = []
    for text in texts:
        placed.append(place_part(JOB, placed[-1] if placed else None, part_of(text)))
    order = random.sample(range(len(texts)), len(texts))

    with NamedTemporaryFile() as file:
        for number in order:
            with closing(PageWriter(Path(file.name), WritingMemory(), placed[number].offset)) as to:
                to.append(np.frombuffer(placed[number].begin + texts[number], dtype=np.uint8))
        written = Path(file.name).read_bytes()

    rest = placed[-1].rest if placed else TOTALS_HEADER
    assert written + rest == TOTALS_HEADER + b"".join(texts)
    assert all(one.offset % PAGE_BYTES == 0 for one in placed)


def test_the_end_of_a_text_may_lie_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"0123456")
    stored = Stored(tmp_path / "part", 7, np.frombuffer(b"789", dtype=np.uint8), 3)

    assert [stored.end(count) for count in (0, 2, 3, 5, 10)] == [
        *(b"", b"89", b"789", b"56789", b"0123456789")
    ]


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
    assert sizeof(part_of(bytes(10_000))) >= 10_000


def test_of_a_text_that_moves_only_what_is_used_of_its_buffer_does() -> None:
    moved = pickle.loads(pickle.dumps(Stored(Path("part"), 0, DATA, 1000)))

    assert len(moved.buffer) == 1000
    assert b"".join(piece.tobytes() for piece in moved.stretches()) == DATA[:1000].tobytes()


def test_a_part_that_another_process_has_merged_is_written(
    run: Run, expected: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bmat.aggregation.graph.merge_part",
        lambda *given: pickle.loads(pickle.dumps(merge_part(*given))),
    )
    data = many_songs(songs=2000, rows=20_000)
    assert run(data, memory_budget_bytes=2**20) == expected(data)
