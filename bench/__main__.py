"""`python -m bench`: bmat and its peers on three shapes of input, side by side.

BENCH_ROUNDS (3) rounds on the files of `bench.shapes`, bmat with BENCH_MEMORY bytes (1 GiB).
BENCH_SHAPES and BENCH_PEERS choose among them. Each engine runs in a process of its own, in turn;
the outputs must hold the same totals in the same order. The fastest round of each counts.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bench.outputs import digest_of
from bench.shapes import FOLDER, ROWS, SHAPES, Shape, make

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
MEMORY = int(os.environ.get("BENCH_MEMORY", str(2**30)))
CHOSEN_SHAPES = os.environ.get("BENCH_SHAPES", "low mid high").split()
CHOSEN_PEERS = os.environ.get("BENCH_PEERS", "duckdb chdb polars datafusion dask").split()
# The obvious solution takes minutes and most of the memory beyond the smallest shape.
DASK_SHAPES = ("low",)


@dataclass
class Result:
    """What an engine took on one shape, round by round."""

    seconds: list[float] = field(default_factory=list)
    peak_bytes: int = 0

    @property
    def best(self) -> float:
        return min(self.seconds)


def warm(path: Path) -> None:
    """Bring a file into the page cache."""
    with path.open("rb", buffering=0) as file:
        while file.read(2**24):
            pass


def run_once(name: str, source: Path, result: Result) -> Path:
    """Run one engine in a process of its own. Returns its output."""
    output = FOLDER / f"out-{name}.csv"
    output.unlink(missing_ok=True)
    warm(source)
    command = [sys.executable, "-m", "bench.peers", name, str(source), str(output), str(MEMORY)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    measured = json.loads(done.stdout.splitlines()[-1])
    result.seconds.append(measured["seconds"])
    result.peak_bytes = max(result.peak_bytes, measured["peak_bytes"])
    return output


def measure(shape: Shape) -> dict[str, Result]:
    """All engines on one shape. Exits where an output differs."""
    source = make(shape)
    peers = [name for name in CHOSEN_PEERS if name != "dask" or shape.name in DASK_SHAPES]
    results = {name: Result() for name in ["bmat", *peers, "newlines"]}
    expected = ""
    for round_number in range(ROUNDS):
        for name, result in results.items():
            output = run_once(name, source, result)
            if round_number == 0 and name != "newlines":
                expected = expected or digest_of(output)
                if digest_of(output) != expected:
                    sys.exit(f"{shape.name}: the totals of {name} differ from those of bmat.")
            for suffix in (".csv", ".rejects.csv"):
                output.with_suffix(suffix).unlink(missing_ok=True)
    return results


def report(shape: Shape, results: dict[str, Result]) -> None:
    """Print one shape's table."""
    size = make(shape).stat().st_size
    ours = results["bmat"].best
    print(f"\n{shape.name}: {ROWS:,} rows, {size / 1e6:,.0f} MB")
    print(f"{'engine':<12}{'seconds':>9}{'MB/s':>8}{'peak MB':>9}{'x bmat':>8}   all rounds")
    for name, result in sorted(results.items(), key=lambda item: item[1].best):
        rounds = " ".join(f"{seconds:.2f}" for seconds in result.seconds)
        print(
            f"{name:<12}{result.best:>9.2f}{size / 1e6 / result.best:>8.0f}"
            f"{result.peak_bytes / 1e6:>9.0f}{result.best / ours:>8.2f}   {rounds}"
        )
    own = ("bmat", "newlines")
    peers = [result.best for name, result in results.items() if name not in own]
    if peers:
        print(f"bmat is {min(peers) / ours:.2f} times as fast as the fastest peer,")
    print(f"and takes {ours / results['newlines'].best:.1f} times a count of newlines.")


def stages(shape: Shape) -> None:
    """Print what each stage of bmat takes of the threads' time."""
    command = [sys.executable, "-m", "bench.stages", str(make(shape)), str(MEMORY)]
    subprocess.run(command, check=True)


def main() -> None:
    for name in CHOSEN_SHAPES:
        results = measure(SHAPES[name])
        report(SHAPES[name], results)
        stages(SHAPES[name])


if __name__ == "__main__":
    main()
