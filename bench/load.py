"""`make load`: many clients with small reports, alone and beside a report of 1 GB.

Prints the time from POST to Done, and how many reports a second go through, against the rate of an
empty Celery task on the same broker. Ends with 1 where a target is missed.
"""

import sys
import tempfile
from pathlib import Path

from bench.empty_rate import empty_tasks_per_second
from bench.load_clients import BIG_BYTES, CLIENTS, REPORTS, Load
from bmat.tests.live.stack import Stack

MOST_P95_RATIO, LEAST_RATE_RATIO = 1.5, 0.5


class ProductionStack(Stack):
    """The service as production.yml has it: its settings, and workers of their own for each size
    of reports.
    """

    worker_arguments = {
        "small": ["--queues", "small"],
        "large": ["--queues", "large", "--concurrency", "1"],
    }

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "DJANGO_SECRET_KEY": "for-the-time-of-this-measurement",
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        }


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bmat-load-") as folder:
        stack = ProductionStack(Path(folder))
        try:
            stack.start()
            return measure(stack, Path(folder))
        finally:
            stack.stop()


def measure(stack: Stack, folder: Path) -> int:
    """Runs all phases on the running service, and prints what they came to. The exit code."""
    print(f"{CLIENTS} clients post {REPORTS} small reports; the big one has {BIG_BYTES:,} bytes")
    load = Load(stack)
    load.phase(polls=False)
    empty = empty_tasks_per_second(stack, folder)
    print(f"an empty task: {empty:.0f} a second", flush=True)
    flood = load.phase(polls=False)
    print(flood.shown("all posted at once"), flush=True)
    alone = load.phase(polls=True)
    print(alone.shown("polling, without the big one"), flush=True)
    with load.big_under_way() as big:
        beside = load.phase(polls=True)
        print(beside.shown("polling, beside the big one"), flush=True)
    print(f"the big one was posted {len(big)} times, so that one was always at work")
    return verdict(
        errors=alone.errors + beside.errors + flood.errors,
        p95_ratio=beside.at(0.95) / alone.at(0.95),
        rate_ratio=flood.reports_per_second / empty,
    )


def verdict(errors: int, p95_ratio: float, rate_ratio: float) -> int:
    """Prints each figure beside its target. 1 where one is missed."""
    figures = {
        f"errors: {errors} (target: 0)": errors == 0,
        f"p95 beside the big one: {p95_ratio:.2f} times that without "
        f"(target: at most {MOST_P95_RATIO})": p95_ratio <= MOST_P95_RATIO,
        f"reports a second: {rate_ratio:.2f} times the rate of an empty task "
        f"(target: at least {LEAST_RATE_RATIO})": rate_ratio >= LEAST_RATE_RATIO,
    }
    for text, met in figures.items():
        print(f"{'met   ' if met else 'MISSED'}  {text}")
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
