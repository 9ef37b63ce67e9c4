"""`make load`: many clients with small reports, beside a report of 1 GB, and against the obvious
solution (bench/obvious) on the same servers; and what an upload of 1 GB costs.

Prints the time from POST to Done, and how many reports a second go through. Ends with 1 where a
target is missed.
"""

import sys
import tempfile
from pathlib import Path

import requests

from bench.load_clients import (
    ANSWER_SECONDS,
    CLIENTS,
    FORWARDED,
    PACED_RATE,
    REPORTS,
    BigOne,
    Clients,
    Phase,
)
from bench.load_upload import times_a_copy
from bench.obvious_stack import Obvious
from bench.report import judged
from bench.services import ProductionStack
from bench.shapes import SHAPES, make
from bmat.tests.faults.database import Database
from bmat.tests.live.stack import Stack

MOST_P95_RATIO, LEAST_TIMES_AS_MANY, MOST_PACED_P95_SECONDS = 1.5, 4.0, 0.150
MOST_TIMES_A_COPY = 1.3
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
    clients = Clients(stack.web_port, Database(stack.postgres.port).ends)
    upload_ratio = upload_against_copy(stack, folder)
    clients.flood()
    paced = shown(f"{PACED_RATE:g} a second", clients.paced())
    flood = shown("all at once", clients.flood())
    obvious = shown("all at once, the obvious one", obvious_flood(stack, folder))
    empty = shown("all at once, its task empty", obvious_flood(stack, folder, is_empty=True))
    alone = shown("polling", polled(clients))
    with BigOne(stack, big).under_way() as starts:
        beside = shown("polling, beside the big one", polled(clients))
        flood_beside = shown("all at once, beside it", clients.flood())
    print(
        f"Django, DRF and Celery by themselves do {empty.rate / obvious.rate:.1f} times as many "
        f"reports a second as the obvious one, the service {flood.rate / empty.rate:.0%} of that"
    )
    print(f"the big one was started {starts.count} times, so that one was always at work")
    phases = (paced, flood, obvious, empty, alone, beside, flood_beside)
    return verdict(
        errors=sum(phase.errors for phase in phases),
        paced_p95=paced.at(0.95),
        p95_ratio=beside.at(0.95) / alone.at(0.95),
        times_as_many=flood.rate / obvious.rate,
        upload_ratio=upload_ratio,
    )


def upload_against_copy(stack: Stack, folder: Path) -> float:
    """How many times as long as a copy an upload of 1 GB takes, while nobody works on the last."""
    large = stack.workers[1]
    large.stop()
    try:
        return times_a_copy(stack.web_port, folder, lambda: delete_reports(stack))
    finally:
        large.start(stack.environment)


def delete_reports(stack: Stack) -> None:
    """Removes the newest reports with their files."""
    url = stack.client.reports_url
    found = requests.get(url, headers=FORWARDED, timeout=ANSWER_SECONDS).json()["results"]
    for report in found:
        pid = report["pid"]
        requests.delete(f"{url}{pid}", headers=FORWARDED, timeout=ANSWER_SECONDS)


def shown(name: str, phase: Phase) -> Phase:
    print(phase.shown(name), flush=True)
    return phase


def polled(clients: Clients) -> Phase:
    """Several phases together: a percentile of 300 reports would be that of a few bursts."""
    return Phase.together([clients.polled() for _ in range(POLLED_PHASES)])


def obvious_flood(stack: Stack, folder: Path, is_empty: bool = False) -> Phase:
    """The obvious solution's second: in the first one, its processes import what they need."""
    processes = ProductionStack.small_processes
    with Obvious(stack, folder, processes, is_empty).running() as obvious:
        clients = Clients(obvious.port, obvious.ends)
        clients.flood()
        return clients.flood()


def verdict(
    errors: int, paced_p95: float, p95_ratio: float, times_as_many: float, upload_ratio: float
) -> int:
    """Prints each figure beside its target. 1 where one is missed."""
    figures = {
        f"errors: {errors} (target: 0)": errors == 0,
        f"p95 from POST to Done at {PACED_RATE:g} reports a second: {paced_p95 * 1000:.0f} ms "
        f"(target: at most {MOST_PACED_P95_SECONDS * 1000:.0f})": paced_p95
        <= MOST_PACED_P95_SECONDS,
        f"reports a second: {times_as_many:.1f} times those of the obvious solution "
        f"(target: at least {LEAST_TIMES_AS_MANY:g})": times_as_many >= LEAST_TIMES_AS_MANY,
        f"p95 beside the big one: {p95_ratio:.2f} times that without "
        f"(target: at most {MOST_P95_RATIO})": p95_ratio <= MOST_P95_RATIO,
    }
    text = f"an upload of 1 GB: {upload_ratio:.2f} times a copy (target: at most "
    figures[f"{text}{MOST_TIMES_A_COPY})"] = upload_ratio <= MOST_TIMES_A_COPY
    for text, met in figures.items():
        print(judged(met, text))
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
