"""The bench itself, on a few rows and without the peers: that it runs, and that it would notice."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cluster
from bench.billion import TIMES, are_exact
from bench.cluster import Place, run_in_turn
from bench.outputs import digest_of
from bench.page_uploads import direct_totals, totals_of, write_plays
from bench.report import Measurement, Result, targets
from bench.shapes import LOW, SHAPES, make
from bench.titles import titles
from bmat.aggregation import aggregate

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
FEW_ROWS = {"BENCH_ROWS": "20000", "BENCH_ROUNDS": "1", "BENCH_PEERS": ""}
# The songs of the others alone take many seconds to make.
QUICK_SHAPES = [name for name, shape in SHAPES.items() if shape.songs <= 50_000]


def bench(module: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **FEW_ROWS, "BENCH_FOLDER": str(folder), **variables}
    return subprocess.run(
        [sys.executable, "-m", module],
        env=environment,
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
    )


def test_it_measures_and_prints_the_tables_the_stages_and_the_targets(tmp_path: Path) -> None:
    done = bench("bench", tmp_path, BENCH_SHAPES="low quoted")
    assert done.returncode == 0, done.stderr
    assert "low: 20,000 rows" in done.stdout
    assert "times a count of newlines" in done.stdout
    assert "parse and partition" in done.stdout
    assert "times the processor time of low per byte" in done.stdout
    assert "--threads 1: keeps " in done.stdout


def measurement(name: str, size: int, bmat: Result, peer: Result) -> Measurement:
    return Measurement(
        name, 1, size, {"bmat": bmat, "peer": peer, "newlines": Result([0.1], [0.1])}
    )


def test_it_tells_which_targets_are_met() -> None:
    slow, peer = Result([9.0, 2.0], [6.0, 3.0]), Result([5.0], [5.0])
    measured = {
        "low": measurement("low", 100, Result([1.0], [2.0]), peer),
        "world-low": measurement("world-low", 150, slow, peer),
        "quoted": measurement("quoted", 100, slow, peer),
    }
    assert list(targets(measured, busy_processors=1.9)) == [
        "met     low: 5.00 times as fast as the fastest peer (target: at least 3)",
        "MISSED  world-low: 2.50 times as fast as the fastest peer (target: at least 3)",
        "met     world-low: 1.00 times the processor time of low per byte (target: at most 1.4)",
        "MISSED  quoted: 1.50 times the processor time of low per byte (target: at most 1.4)",
        "MISSED  --threads 1: keeps 1.90 processors busy (target: at most 1.1)",
    ]


@pytest.mark.parametrize("name", QUICK_SHAPES)
def test_its_shapes_are_the_same_each_time(tmp_path: Path, name: str) -> None:
    first, second = (make(SHAPES[name], 1000, tmp_path / folder) for folder in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes().count(b"\n") == 1001


def test_figures_of_now_compare_with_those_of_before(tmp_path: Path) -> None:
    data = make(LOW, 1000, tmp_path).read_bytes()
    assert hashlib.sha256(data).hexdigest()[:16] == "32db4d5000b6982f"


@pytest.mark.parametrize("name", ["quoted", "wide", "datetime"])
def test_a_dialect_has_the_totals_of_low(tmp_path: Path, name: str) -> None:
    for shape in (LOW, SHAPES[name]):
        summary = aggregate([make(shape, 1000, tmp_path)], tmp_path / f"{shape.name}.csv")
        assert summary.rows_counted == 1000
    assert (tmp_path / f"{name}.csv").read_bytes() == (tmp_path / "low.csv").read_bytes()


def test_half_of_the_titles_of_a_world_are_not_ascii() -> None:
    made = list(titles(5_000, is_world=True, seed=1))
    assert len(set(made)) == 5_000
    assert 0.48 < sum(not title.isascii() for title in made) / 5_000 < 0.53
    assert all(
        any(word in title for title in made) for word in ("Ночь", "夜曲", "قلبي", "사랑", "🔥")
    )


def test_the_totals_of_a_billion_rows_are_compared(tmp_path: Path) -> None:
    done = bench("bench.billion", tmp_path, BENCH_ROWS="1000", BILLION_TIMES="3")
    assert done.returncode == 0, done.stderr
    assert "met     the totals are 3 times those of 1,000 rows" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["world-low-1000.csv"]


def test_a_play_log_of_a_size_has_whole_lines_and_the_totals_of_a_direct_sum(
    tmp_path: Path,
) -> None:
    source = write_plays(tmp_path / "plays.csv", 100_000)
    content = source.read_bytes()
    assert 99_900 < len(content) <= 100_000
    assert content.endswith(b"\n")
    aggregate([source], tmp_path / "totals.csv")
    assert totals_of(tmp_path / "totals.csv") == direct_totals(source)


def test_packed_files_are_measured(tmp_path: Path) -> None:
    done = bench("bench.compressed", tmp_path, COMPRESSED_ROUNDS="1", COMPRESSED_BOMB="100000000")
    assert "gzip archive: aggregated at " in done.stdout, done.stderr
    assert "rows in Zstandard, 0.0 MB that would become 100 MB: decompression_limit" in done.stdout


@pytest.mark.parametrize(
    "last", [f"a,2020-01-02,{TIMES - 1}\n", "", "b,2020-01-02,1\nc,2020-01-03,1\n"]
)
def test_totals_that_differ_are_noticed(tmp_path: Path, last: str) -> None:
    once, totals = tmp_path / "once", tmp_path / "totals"
    first = f"Song,Date,Plays\na,2020-01-01,{TIMES * 5}\n"
    once.write_text("Song,Date,Plays\na,2020-01-01,5\na,2020-01-02,1\n")
    totals.write_text(f"{first}a,2020-01-02,{TIMES}\n")
    assert are_exact(totals, once)
    totals.write_text(first + last)
    assert not are_exact(totals, once)


def test_a_billion_rows_are_refused_where_the_disk_is_too_small(tmp_path: Path) -> None:
    done = bench("bench.billion", tmp_path, BENCH_ROWS="1000", BILLION_TIMES="1000000000")
    assert done.returncode == 1
    assert "GB are free: set BENCH_FOLDER to another disk, or BILLION_TIMES" in done.stderr


def test_other_bytes_from_a_cluster_are_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "ROUNDS", 1)
    (tmp_path / "expected").write_text("others")
    with pytest.raises(SystemExit, match="^here: the bytes differ"):
        run_in_turn([Place("here", None)], make(LOW, 1000, tmp_path), tmp_path)


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
