"""The command line, run in a process of its own: how long it takes, and how much memory."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# What a run may take on top of its budget: interpreter, libraries, threads.
BYTES_BESIDE_BUDGET = 300 * 2**20


@dataclass(frozen=True)
class Measured:
    """What a run has taken, and said. Its processor time is that of all its threads."""

    seconds: float
    processor_seconds: float
    peak_bytes: int
    exit_code: int
    text: str


def run_command(
    source: Path, output: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Measured:
    """Run the command line on `source`, the `environment` on top of this process's own."""
    command = [sys.executable, "-m", "bmat.aggregation", str(source), "-o", str(output), *options]
    begin = time.monotonic()
    child = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert child.stdout is not None
    text = child.stdout.read().decode()
    # Its peak is in what `wait4` says of this very process; no other has part in it.
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    return Measured(
        seconds,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024,
        child.returncode,
        text.strip(),
    )


def warm(path: Path) -> None:
    """Bring a file into the page cache."""
    with path.open("rb", buffering=0) as file:
        while file.read(2**24):
            pass
