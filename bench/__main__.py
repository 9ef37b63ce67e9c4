"""`python -m bench`: bmat and its peers on several shapes of input, side by side.

BENCH_ROUNDS (3) rounds on the files of `bench.shapes`, bmat with BENCH_MEMORY bytes (1 GiB).
BENCH_SHAPES and BENCH_PEERS choose among them. Each engine runs in a process of its own, in turn;
the outputs must hold the same totals in the same order. The fastest round of each counts.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.command import run_command, warm
from bench.outputs import digest_of
from bench.peers import columns_of
from bench.report import Measurement, Result, targets
from bench.shapes import FOLDER, LOW, ROWS, SHAPES, Shape, make

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
MEMORY = int(os.environ.get("BENCH_MEMORY", str(2**30)))
CHOSEN_SHAPES = os.environ.get("BENCH_SHAPES", " ".join(SHAPES)).split()
CHOSEN_PEERS = os.environ.get("BENCH_PEERS", "duckdb chdb polars datafusion dask").split()


def run_once(name: str, source: Path, result: Result) -> Path:
    """Run one engine in a process of its own. Returns its output."""
    output = FOLDER / f"out-{name}.csv"
    output.unlink(missing_ok=True)
    warm(source)
    command = [sys.executable, "-m", "bench.peers", name, str(source), str(output), str(MEMORY)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    measured = json.loads(done.stdout.splitlines()[-1])
    result.seconds.append(measured["seconds"])
    result.processor_seconds.append(measured["processor_seconds"])
    result.peak_bytes = max(result.peak_bytes, measured["peak_bytes"])
    return output


def peers_on(shape: Shape) -> list[str]:
    """The peers that take part. The obvious solution takes minutes, and most of the memory, where
    there are more songs and days than in the smallest shapes.
    """
    is_small = (shape.songs, shape.days) == (LOW.songs, LOW.days)
    return [name for name in CHOSEN_PEERS if name != "dask" or is_small]


def measure(shape: Shape) -> Measurement:
    """All engines on one shape. Exits where an output differs."""
    source = make(shape)
    results = {name: Result() for name in ["bmat", *peers_on(shape), "newlines"]}
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
    return Measurement(shape.name, ROWS, source.stat().st_size, results)


def stages(shape: Shape) -> None:
    """Print what each stage of bmat takes of the threads' time."""
    source = make(shape)
    group_by = columns_of(source).group_by
    command = [sys.executable, "-m", "bench.stages", str(source), str(MEMORY), group_by]
    subprocess.run(command, check=True)


def busy_processors(shape: Shape) -> float:
    """How many processors the command line keeps busy, on average, when it may use one thread."""
    source, output = make(shape), FOLDER / "out-one-thread.csv"
    warm(source)
    done = run_command(source, output, "--threads", "1", "--memory", str(MEMORY))
    output.unlink()
    return done.processor_seconds / done.seconds


def main() -> None:
    measured = {}
    for name in CHOSEN_SHAPES:
        measured[name] = measure(SHAPES[name])
        measured[name].print_table()
        stages(SHAPES[name])
    busy = busy_processors(SHAPES[CHOSEN_SHAPES[0]])
    print("\nThe targets, which are for 25,000,000 rows:")
    for target in targets(measured, busy):
        print(target)


if __name__ == "__main__":
    main()
