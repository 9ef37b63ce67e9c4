"""The bench itself, on a few rows and without the peers: that it runs, and that it would notice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.outputs import digest_of
from bench.shapes import SHAPES, make

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
FEW_ROWS = {"BENCH_ROWS": "20000", "BENCH_ROUNDS": "1", "BENCH_PEERS": "", "BENCH_SHAPES": "low"}


def test_it_measures_and_prints_the_table_and_the_stages(tmp_path: Path) -> None:
    environment = {**os.environ, **FEW_ROWS, "BENCH_FOLDER": str(tmp_path)}
    command = [sys.executable, "-m", "bench"]
    done = subprocess.run(
        command, env=environment, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=True
    )
    assert "low: 20,000 rows" in done.stdout
    assert "times a count of newlines" in done.stdout
    assert "parse and partition" in done.stdout


# The songs of `high` alone take many seconds to make.
@pytest.mark.parametrize("name", ["low", "mid"])
def test_its_shapes_are_the_same_each_time(tmp_path: Path, name: str) -> None:
    first, second = (make(SHAPES[name], 1000, tmp_path / folder) for folder in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().count(b"\n") == 1001


def test_it_measures_the_memory_of_the_engine_alone() -> None:
    ballast = b"x" * 300_000_000
    program = "from bench.peers import peak_bytes; print(peak_bytes())"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=PROJECT_FOLDER, capture_output=True, text=True, check=True)
    assert 5_000_000 < int(done.stdout) < len(ballast)


def same(tmp_path: Path, one: str, other: str) -> bool:
    (tmp_path / "one").write_text("Song,Plays\n" + one)
    (tmp_path / "other").write_text("Song,Plays\n" + other)
    return digest_of(tmp_path / "one") == digest_of(tmp_path / "other")


def test_outputs_are_the_same_whatever_they_quote(tmp_path: Path) -> None:
    assert same(tmp_path, '"a,b",1\nc,02\n', '"a,b","1"\r\n"c","02"')
    assert same(tmp_path, 'a,1\n"x ""y""\n",2\n', '"a",1\n"x ""y""\n",2\n')


@pytest.mark.parametrize(
    "other", ["a,1\nb,3\n", "b,2\na,1\n", "a,1\n", 'a,1\n"b""",2\n', "a1,\nb,2\n"]
)
def test_outputs_differ_by_a_field_an_order_or_a_quote_in_a_song(
    tmp_path: Path, other: str
) -> None:
    assert not same(tmp_path, "a,1\nb,2\n", other)
