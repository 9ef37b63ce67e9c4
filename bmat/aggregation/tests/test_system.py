"""What only some systems have: what it brings here, and that nothing needs it."""

import ctypes
import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bmat.aggregation.system import (
    LEAST_MAPPED_BYTES,
    available_cores,
    map_large_arrays,
    read_into,
    use_huge_pages,
    write_views,
)
from bmat.aggregation.tests.plays import many_songs

TESTS = Path(__file__).parent
LACKING = [
    (os, "sched_getaffinity"),
    (os, "pwritev"),
    (os, "preadv"),
    (mmap, "MADV_HUGEPAGE"),
]
RUNS = 6
PROGRAM = """
import sys
from pathlib import Path
from bmat.aggregation import Limits, aggregate
from bmat.aggregation.system import map_large_arrays

map_large_arrays()
source, output = Path(sys.argv[1]), Path(sys.argv[2])
limits = Limits(memory_budget_bytes=64 * 2**20, threads=2)
for _ in range(int(sys.argv[3])):
    Path("/proc/self/clear_refs").write_text("5")
    aggregate([source], output, summary_file=output.with_suffix(".json"), limits=limits)
    print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def test_a_process_takes_no_more_memory_for_a_later_run_than_for_the_first(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_bytes(many_songs(songs=400_000, rows=800_000, start=b"a song with a name "))
    command = [sys.executable, "-c", PROGRAM, str(source), str(tmp_path / "out.csv"), str(RUNS)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    first, *later = (int(kib) for kib in printed.split())
    assert len(later) == RUNS - 1
    # Runs differ by up to 27,000 from one another; without the bound, by 100,000 and more.
    assert max(later) < first + 60_000


def test_a_large_array_goes_back_at_once_also_after_others_were_freed() -> None:
    map_large_arrays()
    before = resident_kib()
    # Freed ones of this size would raise the bound, were it left to itself.
    for _ in range(3):
        np.ones(3 * 2**20)
    arrays = [np.ones(LEAST_MAPPED_BYTES) for _ in range(20)]
    # What lies between others is free.
    del arrays[:-1]
    assert resident_kib() < before + 10_000


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_what_a_system_lacks_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in LACKING:
        monkeypatch.delattr(module, name)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    map_large_arrays()
    use_huge_pages(mmap.mmap(-1, 2**22))
    assert available_cores() == os.cpu_count()
    with (tmp_path / "file").open("w+b") as file:
        assert write_views(file.fileno(), [memoryview(b"one"), memoryview(b"two")], 2) == 3
        buffer = bytearray(5)
        assert read_into(file.fileno(), memoryview(buffer), 2) == 3
    assert buffer == b"one\0\0"


def test_nothing_needs_what_only_some_systems_have() -> None:
    tests = [str(TESTS / f"test_{name}.py") for name in ("run", "blocks", "spilling", "output")]
    command = [sys.executable, "-m", "bmat.aggregation.tests.another_system", "-q", *tests]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
