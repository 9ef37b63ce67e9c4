"""`make cluster`: the shape `mid` on a Dask cluster of this machine, beside one thread.

The command line runs BENCH_ROUNDS (5) times with one thread, on one worker, and on two workers of
one thread each, in turn, while the other cluster is halted; the fastest counts. What it takes for a
thousand rows is taken off: that is the time to start. The outputs must be the same bytes. Ends with
1 where a ratio misses its target.
"""

import filecmp
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.command import run_command, warm
from bench.report import judged
from bench.shapes import FOLDER, HEADER, MID, ROWS, make
from bmat.tests.live.dask_cluster import ADDRESS_VARIABLE, DaskCluster, dask_cluster

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
# More than the command line reads without its compiler.
FEW_ROWS = b"song,2020-01-01,1\n" * 1000
LEAST_OF_TWO_WORKERS = 1.6
MOST_OF_ONE_WORKER = 1.5


class Place:
    """Where the command line is run, in process where there is no cluster; and how long the fastest
    run of each kind took.
    """

    def __init__(self, name: str, cluster: DaskCluster | None, *options: str) -> None:
        self.name = name
        self._cluster = cluster
        self._environment = {ADDRESS_VARIABLE: cluster.address if cluster else ""}
        self._options = options
        self.start_seconds = self.whole_seconds = math.inf

    def run(self, few_rows: Path, source: Path, output: Path) -> None:
        """Run both once; the output is that of `source`."""
        with self._at_work():
            self.start_seconds = min(self.start_seconds, self._seconds(few_rows, output))
            warm(source)
            self.whole_seconds = min(self.whole_seconds, self._seconds(source, output))

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """For the time of the block, the cluster is not halted."""
        if self._cluster is None:
            yield
            return
        self._cluster.go_on()
        try:
            yield
        finally:
            self._cluster.halt()

    def _seconds(self, source: Path, output: Path) -> float:
        # The file system takes its time to remove a large file that is replaced.
        output.unlink(missing_ok=True)
        run = run_command(source, output, *self._options, environment=self._environment)
        if run.exit_code != 0:
            sys.exit(run.text)
        return run.seconds

    @property
    def seconds(self) -> float:
        """How much longer the whole takes than a few rows."""
        seconds = self.whole_seconds - self.start_seconds
        if seconds <= 0:
            sys.exit(f"{self.name}: {ROWS:,} rows take no longer than few: use more (BENCH_ROWS).")
        return seconds


def run_in_turn(places: Sequence[Place], source: Path, folder: Path) -> None:
    """Run `source` in all places. Exits where bytes are others than those of the first place."""
    few_rows, output, expected = folder / "few-rows.csv", folder / "totals.csv", folder / "expected"
    few_rows.write_bytes(HEADER + FEW_ROWS)
    for _ in range(ROUNDS):
        for place in places:
            place.run(few_rows, source, output)
            if not expected.exists():
                output.rename(expected)
            elif not filecmp.cmp(output, expected, shallow=False):
                sys.exit(f"{place.name}: the bytes differ from those of {places[0].name}.")


@contextmanager
def halted_cluster(worker_count: int, folder: Path) -> Iterator[DaskCluster]:
    """A cluster of so many workers that does not work yet."""
    logs = folder / f"workers-{worker_count}"
    logs.mkdir()
    with dask_cluster(worker_count, logs) as cluster:
        cluster.halt()
        try:
            yield cluster
        finally:
            cluster.go_on()


def main() -> int:
    source = make(MID)
    print(f"mid: {ROWS:,} rows, {source.stat().st_size / 1e6:,.0f} MB", flush=True)
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="cluster-", dir=FOLDER))
        folder = Path(name).resolve()
        one_thread = Place("one thread in process", None, "--threads", "1")
        one_worker = Place("one worker", stack.enter_context(halted_cluster(1, folder)))
        two_workers = Place("two workers", stack.enter_context(halted_cluster(2, folder)))
        places = one_thread, one_worker, two_workers
        run_in_turn(places, source, folder)
    for place in places:
        text = f"{place.whole_seconds:>7.2f} s, {place.start_seconds:.2f} s of them to start"
        print(f"{place.name:<24}{text}")
    gain = one_worker.seconds / two_workers.seconds
    cost = one_worker.seconds / one_thread.seconds
    is_gain_met, is_cost_met = gain >= LEAST_OF_TWO_WORKERS, cost <= MOST_OF_ONE_WORKER
    print("Without the time to start, and with the same bytes:")
    text = f"two workers: {gain:.2f} times as fast as one"
    print(judged(is_gain_met, f"{text} (target: at least {LEAST_OF_TWO_WORKERS:g})"))
    text = f"one worker: {cost:.2f} times the time of one thread in process"
    print(judged(is_cost_met, f"{text} (target: at most {MOST_OF_ONE_WORKER:g})"))
    return 0 if is_gain_met and is_cost_met else 1


if __name__ == "__main__":
    sys.exit(main())
