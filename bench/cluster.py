"""`make cluster`: the shape `mid` on a Dask cluster of this machine, beside one thread.

The command line runs BENCH_ROUNDS (3) times with one thread, on one worker, and on two workers of
one thread each; the fastest counts. What it takes for a thousand rows is taken off: that is the
time to start. The outputs must be the same bytes. Ends with 1 where a ratio misses its target.
"""

import filecmp
import math
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.command import run_command, warm
from bench.report import judged
from bench.shapes import FOLDER, HEADER, MID, ROWS, make
from bmat.tests.live.dask_cluster import ADDRESS_VARIABLE, dask_cluster

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
# More than the command line reads without its compiler.
FEW_ROWS = b"song,2020-01-01,1\n" * 1000
LEAST_OF_TWO_WORKERS = 1.6
MOST_OF_ONE_WORKER = 1.5


class Runs:
    """Runs the command line on the same two inputs, each time somewhere else."""

    def __init__(self, source: Path, folder: Path) -> None:
        self._source, self._folder = source, folder
        self._few_rows = folder / "few-rows.csv"
        self._few_rows.write_bytes(HEADER + FEW_ROWS)
        self._expected = folder / "expected.csv"

    def seconds(self, where: str, environment: Mapping[str, str], *options: str) -> float:
        """How long the shape takes longer than few rows. Exits where the bytes are others than
        those of the first time.
        """
        start = self._fastest(self._few_rows, environment, *options)
        warm(self._source)
        whole = self._fastest(self._source, environment, *options)
        output = self._output
        if not self._expected.exists():
            output.rename(self._expected)
        elif not filecmp.cmp(output, self._expected, shallow=False):
            sys.exit(f"{where}: the bytes differ from those of one thread in process.")
        if whole <= start:
            sys.exit(f"{where}: {ROWS:,} rows take no longer than a few: use more (BENCH_ROWS).")
        print(f"{where:<24}{whole:>7.2f} s, {start:.2f} s of them to start", flush=True)
        return whole - start

    @property
    def _output(self) -> Path:
        return self._folder / "totals.csv"

    def _fastest(self, source: Path, environment: Mapping[str, str], *options: str) -> float:
        fastest = math.inf
        for _ in range(ROUNDS):
            # The file system takes its time to remove a large file that is replaced.
            self._output.unlink(missing_ok=True)
            run = run_command(source, self._output, *options, environment=environment)
            if run.exit_code != 0:
                sys.exit(run.text)
            fastest = min(fastest, run.seconds)
        return fastest

    def seconds_on_cluster(self, worker_count: int) -> float:
        """The same on a cluster of so many workers."""
        logs = self._folder / f"workers-{worker_count}"
        logs.mkdir()
        with dask_cluster(worker_count, logs) as port:
            address = {ADDRESS_VARIABLE: f"tcp://127.0.0.1:{port}"}
            return self.seconds(f"workers: {worker_count}", address)


def main() -> int:
    source = make(MID)
    print(f"mid: {ROWS:,} rows, {source.stat().st_size / 1e6:,.0f} MB", flush=True)
    with tempfile.TemporaryDirectory(prefix="cluster-", dir=FOLDER) as folder:
        runs = Runs(source, Path(folder).resolve())
        one_thread = runs.seconds("one thread in process", {ADDRESS_VARIABLE: ""}, "--threads", "1")
        one_worker, two_workers = runs.seconds_on_cluster(1), runs.seconds_on_cluster(2)
    gain, cost = one_worker / two_workers, one_worker / one_thread
    is_gain_met, is_cost_met = gain >= LEAST_OF_TWO_WORKERS, cost <= MOST_OF_ONE_WORKER
    print("Without the time to start, and with the same bytes:")
    text = f"two workers: {gain:.2f} times as fast as one"
    print(judged(is_gain_met, f"{text} (target: at least {LEAST_OF_TWO_WORKERS:g})"))
    text = f"one worker: {cost:.2f} times the time of one thread in process"
    print(judged(is_cost_met, f"{text} (target: at most {MOST_OF_ONE_WORKER:g})"))
    return 0 if is_gain_met and is_cost_met else 1


if __name__ == "__main__":
    sys.exit(main())
