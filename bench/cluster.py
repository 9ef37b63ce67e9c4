"""`make cluster`: the shape `mid` on a Dask cluster of this machine, beside one thread.

The command line runs with one thread, on one worker, and on two workers of one thread each, in
turn, while the other cluster is halted. What it takes for a thousand rows, by the median, is taken
off: that is the time to start. Places are compared round by round, for the machine's speed changes
from minute to minute; the median of BENCH_ROUNDS (11) counts, after one in which the workers load
what they need. The outputs must be the same bytes. Ends with 1 where a ratio misses its target.
"""

import filecmp
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from operator import truediv
from pathlib import Path
from statistics import median

from bench.command import run_command, warm
from bench.report import judged
from bench.shapes import FOLDER, HEADER, MID, ROWS, make
from bmat.tests.live.dask_cluster import ADDRESS_VARIABLE, DaskCluster, dask_cluster

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "11"))
# More than the command line reads without its compiler.
FEW_ROWS = b"song,2020-01-01,1\n" * 1000
LEAST_OF_TWO_WORKERS = 1.6
MOST_OF_ONE_WORKER = 1.5


class Place:
    """Where the command line is run, in process where there is no cluster; and how long it took in
    each round, for a few rows and for the shape.
    """

    def __init__(self, name: str, cluster: DaskCluster | None, *options: str) -> None:
        self.name = name
        self._cluster = cluster
        self._environment = {ADDRESS_VARIABLE: cluster.address if cluster else ""}
        self._options = options
        self.few_seconds: list[float] = []
        self.shape_seconds: list[float] = []

    @property
    def start_seconds(self) -> float:
        return float(median(self.few_seconds))

    @property
    def seconds(self) -> list[float]:
        """What the shape took beyond the start."""
        return [seconds - self.start_seconds for seconds in self.shape_seconds]

    def run(self, few_rows: Path, source: Path, output: Path) -> None:
        """Run both once; the output is that of `source`."""
        with self._at_work():
            self.few_seconds.append(self._run(few_rows, output))
            warm(source)
            self.shape_seconds.append(self._run(source, output))

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

    def _run(self, source: Path, output: Path) -> float:
        """How many seconds a run takes."""
        # The file system takes its time to remove a large file that is replaced.
        output.unlink(missing_ok=True)
        run = run_command(source, output, *self._options, environment=self._environment)
        if run.exit_code != 0:
            sys.exit(run.text)
        return run.seconds


def times_as_long(place: Place, other: Place) -> float:
    """How many times as long as `other` a place took: the median of the rounds."""
    if min(other.seconds) <= 0:
        sys.exit(f"{other.name}: {ROWS:,} rows take no longer than few: use more (BENCH_ROWS).")
    return float(median(map(truediv, place.seconds, other.seconds)))


def run_in_turn(places: Sequence[Place], source: Path, folder: Path) -> None:
    """Run `source` in all places, once more than is noted. Exits where bytes are others than those
    of the first place.
    """
    few_rows, output, expected = folder / "few-rows.csv", folder / "totals.csv", folder / "expected"
    few_rows.write_bytes(HEADER + FEW_ROWS)
    for _ in range(1 + ROUNDS):
        for place in places:
            place.run(few_rows, source, output)
            if not expected.exists():
                output.rename(expected)
            elif not filecmp.cmp(output, expected, shallow=False):
                sys.exit(f"{place.name}: the bytes differ from those of {places[0].name}.")
    for place in places:
        del place.few_seconds[0], place.shape_seconds[0]


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
        rounds = ", ".join(f"{seconds:.2f}" for seconds in place.seconds)
        print(f"{place.name:<24}{rounds} s, after {place.start_seconds:.2f} s to start")
    gain = times_as_long(one_worker, two_workers)
    cost = times_as_long(one_worker, one_thread)
    is_gain_met, is_cost_met = gain >= LEAST_OF_TWO_WORKERS, cost <= MOST_OF_ONE_WORKER
    print("Without the time to start, with the same bytes, the medians of the rounds:")
    text = f"two workers: {gain:.2f} times as fast as one"
    print(judged(is_gain_met, f"{text} (target: at least {LEAST_OF_TWO_WORKERS:g})"))
    text = f"one worker: {cost:.2f} times the time of one thread in process"
    print(judged(is_cost_met, f"{text} (target: at most {MOST_OF_ONE_WORKER:g})"))
    return 0 if is_gain_met and is_cost_met else 1


if __name__ == "__main__":
    sys.exit(main())
