"""`make downloads`: a result of DOWNLOAD_BYTES (1 GB), and what clients make of it.

A download that is killed at 40 % and taken up by `curl -C -`, directly and through the proxy; the
other formats; POLLERS clients who poll one report at the same time. Prints times, the memory that
the servers took for it, and errors. Ends with 1 where bytes differ or a client got an error.
"""

import filecmp
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.services import LargeApart
from bmat.tests.live.client import Client
from bmat.tests.live.downloading import CURL, LargeResult, interrupted, resumed, size
from bmat.tests.live.processes import ServerProcess
from bmat.tests.live.proxy import proxied
from bmat.tests.live.sessions import peak_bytes, peak_bytes_from_now
from bmat.tests.live.stack import Stack

DOWNLOAD_BYTES = int(os.environ.get("DOWNLOAD_BYTES", str(10**9)))
POLLERS, POLLS_EACH = 200, 10
BREAK_PERCENT, RATE = 40, "150M"
SECONDS = 900.0
MB = 10**6


@dataclass(frozen=True)
class Check:
    """The running service, its client, and the result: the pid of its report and its output."""

    stack: Stack
    folder: Path
    pid: str
    output: Path

    def url(self, client: Client, query: str = "") -> str:
        return f"{client.reports_url}{self.pid}/output{query}"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bmat-downloads-") as folder:
        stack = LargeApart(Path(folder) / "stack")
        try:
            stack.start()
            return measure(stack, Path(folder))
        finally:
            stack.stop()


def measure(stack: Stack, folder: Path) -> int:
    """Prints what each step came to. The exit code."""
    per_block = LargeResult(1).content_bytes
    started = time.monotonic()
    pid = LargeResult(DOWNLOAD_BYTES // per_block + 1).upload_to(stack.client, SECONDS)
    output = next(path for path in stack.files_of(pid) if path.name == "output.csv")
    took = time.monotonic() - started
    print(f"uploaded and Done after {took:.1f} s: an output of {size(output):,} bytes", flush=True)
    check = Check(stack, folder, pid, output)
    errors = poll(check)
    errors += take_up(check, stack.client, stack.web, "directly")
    errors += other_formats(check)
    with proxied(stack, folder) as client:
        errors += take_up(check, client, None, "through the proxy")
    print(f"errors: {errors} (target: 0)")
    return 1 if errors else 0


def poll(check: Check) -> int:
    """All pollers ask for the same report, again and again. The number of errors."""

    def poller(_: int) -> list[float]:
        seconds = []
        with requests.Session() as session:
            for _ in range(POLLS_EACH):
                started = time.monotonic()
                answer = session.get(check.stack.client.reports_url + check.pid, timeout=60)
                taken = time.monotonic() - started
                seconds += [taken] if answer.status_code == 200 else []
        return seconds

    started = time.monotonic()
    with ThreadPoolExecutor(POLLERS) as pollers:
        taken = sorted(sum(pollers.map(poller, range(POLLERS)), []))
    rate = len(taken) / (time.monotonic() - started)
    errors = POLLERS * POLLS_EACH - len(taken)
    p50, p95 = (taken[int(len(taken) * share)] * 1000 for share in (0.5, 0.95))
    print(
        f"{POLLERS} clients poll one report, {POLLS_EACH} times each: errors {errors}, "
        f"p50 {p50:.0f} ms, p95 {p95:.0f} ms, {rate:.0f} polls/s",
        flush=True,
    )
    return errors


def take_up(check: Check, client: Client, server: ServerProcess | None, how: str) -> int:
    """Breaks a download off and takes it up again. 1 where the bytes differ."""
    got, whole = check.folder / "got", size(check.output)
    with memory_of(server) as grown:
        interrupted(check.url(client), got, whole * BREAK_PERCENT // 100, RATE)
        had = size(got)
        started = time.monotonic()
        told = resumed(check.url(client), got)
        taken = time.monotonic() - started
    is_same = told == f"206 {whole - had}" and filecmp.cmp(got, check.output, shallow=False)
    got.unlink()
    print(
        f"{how}: broken off at {had / whole:.1%}, taken up with {told.split()[0]} in {taken:.1f} s "
        f"({(whole - had) / MB / taken:.0f} MB/s), bytes {'identical' if is_same else 'DIFFERENT'}"
        f"{grown[0] if grown else ''}",
        flush=True,
    )
    return 0 if is_same else 1


def other_formats(check: Check) -> int:
    """Asks for what has to be written or changed first. The number of those that did not come."""
    errors = 0
    for query in ("?format=parquet", "?format=jsonl", "?format=jsonl", "?excel_safe=1"):
        worker = next(each for each in check.stack.workers if each.name == "large")
        with memory_of(check.stack.web) as web, memory_of(worker) as large:
            started = time.monotonic()
            status, received = patiently_downloaded(check, query)
            taken = time.monotonic() - started
        errors += status != "200"
        print(
            f"{query}: {status}, {int(received):,} bytes in {taken:.1f} s{web[0]}; "
            f"the worker{large[0]}",
            flush=True,
        )
    return errors


def patiently_downloaded(check: Check, query: str) -> list[str]:
    """The status and the bytes of a download, for which the service may say "come again"."""
    command = [*CURL, "--output", "/dev/null", "--write-out", "%{http_code} %{size_download}"]
    command.append(check.url(check.stack.client, query))
    deadline = time.monotonic() + SECONDS
    while True:
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        if told[0] != "202" or time.monotonic() > deadline:
            return told


@contextmanager
def memory_of(server: ServerProcess | None) -> Iterator[list[str]]:
    """Holds, after the block, by how much the server's memory has grown in it."""
    grown: list[str] = []
    before = peak_bytes_from_now(server.pid) if server else 0
    yield grown
    if server:
        grown.append(f", memory +{(peak_bytes(server.pid) - before) / MB:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
