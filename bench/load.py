"""`make load`: many clients with small reports, alone and beside a report of 1 GB.

Prints the time from POST to Done, and how many reports a second go through, against the rate of an
empty Celery task on the same broker. Ends with 1 where a target is missed.
"""

import sys
import tempfile
from pathlib import Path

from bench.empty_rate import Rates, empty_task_rates
from bench.load_clients import CLIENTS, REPORTS, Load, Phase
from bench.report import judged
from bench.services import ProductionStack
from bench.shapes import SHAPES, make
from bmat.tests.live.stack import Stack

MOST_P95_RATIO, LEAST_RATE_RATIO = 1.5, 0.5
POLLED_PHASES = 3


def main() -> int:
    big = make(SHAPES["high"])
    with tempfile.TemporaryDirectory(prefix="bmat-load-") as folder:
        stack = ProductionStack(Path(folder))
        try:
            stack.start()
            return measure(stack, Path(folder), big)
        finally:
            stack.stop()


def measure(stack: Stack, folder: Path, big: Path) -> int:
    """Runs all phases on the running service, and prints what they came to. The exit code."""
    size = big.stat().st_size
    print(f"{CLIENTS} clients post {REPORTS} small reports; the big one has {size:,} bytes")
    load = Load(stack, big)
    load.phase(polls=False)
    alone = polled(load)
    print(alone.shown("polling, without the big one"), flush=True)
    flood, ratio = compared(load, folder, "without the big one")
    with load.big_under_way() as starts:
        beside = polled(load)
        print(beside.shown("polling, beside the big one"), flush=True)
        flood_beside, ratio_beside = compared(load, folder, "beside the big one")
    print(f"the big one was started {starts.count} times, so that one was always at work")
    return verdict(
        errors=sum(phase.errors for phase in (alone, beside, flood, flood_beside)),
        p95_ratio=beside.at(0.95) / alone.at(0.95),
        ratios={"without the big one": ratio, "beside the big one": ratio_beside},
    )


def polled(load: Load) -> Phase:
    """Several phases together: a percentile of 300 reports would be that of a few bursts."""
    return Phase.together([load.phase(polls=True) for _ in range(POLLED_PHASES)])


def compared(load: Load, folder: Path, when: str) -> tuple[Phase, Rates]:
    """Reports, all posted at once, and empty tasks: the ratios of their rates."""
    flood = load.phase(polls=False)
    print(flood.shown(f"all at once, {when}"), flush=True)
    empty = empty_task_rates(load.stack, folder, ProductionStack.small_processes)
    reports = flood.rates
    print(
        f"{when}: from the first sent to the last done {reports.overall:.1f} reports/s and "
        f"{empty.overall:.0f} empty tasks/s; once all were sent {reports.drained:.1f} reports/s "
        f"and {empty.drained:.0f} empty tasks/s",
        flush=True,
    )
    return flood, Rates(reports.overall / empty.overall, reports.drained / empty.drained)


def verdict(errors: int, p95_ratio: float, ratios: dict[str, Rates]) -> int:
    """Prints each figure beside its target. 1 where one is missed."""
    figures = {
        f"errors: {errors} (target: 0)": errors == 0,
        f"p95 beside the big one: {p95_ratio:.2f} times that without "
        f"(target: at most {MOST_P95_RATIO})": p95_ratio <= MOST_P95_RATIO,
    }
    for when, ratio in ratios.items():
        for share, what in (
            (ratio.overall, "from POST to Done against an empty task, from sent to done"),
            (ratio.drained, "through the workers against empty tasks, once all are sent"),
        ):
            text = f"{when}, {what}: {share:.2f} (target: at least {LEAST_RATE_RATIO})"
            figures[text] = share >= LEAST_RATE_RATIO
    for text, met in figures.items():
        print(judged(met, text))
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
