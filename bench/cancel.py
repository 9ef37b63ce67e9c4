"""`make cancel`: how long the aggregation goes on after it was cancelled, in each stage.

Each stage is cancelled CANCEL_ROUNDS (10) times, at moments spread over it: by an exception out of
`on_progress`, as the service cancels, and the command line by SIGINT. The input is one of
CANCEL_ROWS (100,000,000) rows of one song, and one of as many songs as rows, a tenth of that many,
made under BENCH_FOLDER (`.bench`), once; and a pipe that is silent. Ends with 1 where a run went on
for longer than a second.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.report import judged
from bench.shapes import FOLDER, HEADER
from bmat.aggregation import Limits, Progress, aggregate

ROUNDS = int(os.environ.get("CANCEL_ROUNDS", "10"))
ROWS = int(os.environ.get("CANCEL_ROWS", "100000000"))
MOST_SECONDS = 1.0
# How often a moment is tried, each time an earlier one.
ATTEMPTS = 8
# Days so far apart that no song is summed up while it is read: all rows reach the merge.
FIRST_YEAR, YEARS = 1000, 8000
ROWS_PER_PIECE = 200_000
LIMITS = Limits(memory_budget_bytes=2**28)
STAGES = ("reading", "merging", "writing")


class Cancelled(Exception):
    pass


def days(count: int) -> list[bytes]:
    return [
        b"%04d-%02d-%02d" % (FIRST_YEAR + n % YEARS, n // 7 % 12 + 1, n // 3 % 28 + 1)
        for n in range(count)
    ]


def one_song() -> Path:
    """A file of ROWS rows of one song, and a few rows of another one."""
    path = FOLDER / f"cancel-one-{ROWS}.csv"
    if not path.exists():
        piece = b"".join(b"one,%s,2\n" % day for day in days(ROWS_PER_PIECE))
        write(path, lambda number: piece + b"other %d,2020-01-01,1\n" % number, ROWS)
    return path


def many_songs() -> Path:
    """A file of a tenth of ROWS rows, each of a song of its own, every thousandth of them bad."""
    path = FOLDER / f"cancel-many-{ROWS}.csv"
    if not path.exists():

        def piece(number: int) -> bytes:
            first = number * ROWS_PER_PIECE
            rows = [b"song %d,2020-01-01,1\n" % n for n in range(first, first + ROWS_PER_PIECE)]
            rows[::1000] = [b"bad\n"] * len(rows[::1000])
            return b"".join(rows)

        write(path, piece, ROWS // 10)
    return path


def write(path: Path, piece: Callable[[int], bytes], rows: int) -> None:
    """Write a header and the pieces number 0, 1, ... until there are so many rows."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        file.write(HEADER)
        for number in range(max(rows // ROWS_PER_PIECE, 1)):
            file.write(piece(number))
    unfinished.rename(path)


def run(source: Path, on_progress: Callable[[Progress], None]) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        aggregate(
            [source],
            folder / "out.csv",
            rejects=folder / "rejects.csv",
            summary_file=folder / "summary.json",
            limits=LIMITS,
            on_progress=on_progress,
        )


def stage_seconds(source: Path) -> dict[str, float]:
    """How long each stage of a run on `source` takes."""
    seconds, last = dict.fromkeys(STAGES, 0.0), [time.monotonic()]

    def note(progress: Progress) -> None:
        now = time.monotonic()
        seconds[progress.stage] += now - last[0]
        last[0] = now

    run(source, note)
    return seconds


def cancelled_after(source: Path, stage: str, seconds: float) -> float | None:
    """Cancel a run when it has been in `stage` for so long. How long it goes on; None where it was
    done before.
    """
    begun: list[float] = []
    cancelled: list[float] = []

    def cancel(progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage == stage and not begun:
            begun.append(now)
        if begun and now - begun[0] >= seconds:
            cancelled.append(now)
            raise Cancelled

    try:
        run(source, cancel)
    except Cancelled:
        return time.monotonic() - cancelled[0]
    return None


def interrupted_after(source: Path, seconds: float) -> float | None:
    """The same for SIGINT to the command line, so long after it was started."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        command = [sys.executable, "-m", "bmat.aggregation", str(source), "-o", f"{folder}/out.csv"]
        child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            child.wait(seconds)
            return None
        except subprocess.TimeoutExpired:
            begin = time.monotonic()
            child.send_signal(signal.SIGINT)
            child.wait()
            return time.monotonic() - begin
        finally:
            if child.stdin is not None:
                child.stdin.close()


def caught(cancelled: Callable[[float], float | None], seconds: float) -> float | None:
    """What `cancelled` says of a cancel after so long; earlier where the run was done before."""
    for _ in range(ATTEMPTS):
        found = cancelled(seconds)
        if found is not None:
            return found
        seconds *= 0.8
    return None


def report(name: str, times: list[float | None]) -> bool:
    """Print the worst of some times. Whether all runs were cancelled, and it is good enough."""
    found = [seconds for seconds in times if seconds is not None]
    worst = max(found, default=0.0)
    is_well = len(found) == ROUNDS and worst <= MOST_SECONDS
    text = (
        f"{name:<32}{len(found):>3} times"
        f"   worst {worst:.2f} s (target: below {MOST_SECONDS:.0f} s)"
    )
    print(judged(is_well, text), flush=True)
    return is_well


def measure(name: str, source: Path) -> list[bool]:
    """Cancel runs on one input in each of their stages."""
    seconds = stage_seconds(source)
    whole = sum(seconds.values())
    shares = [n / ROUNDS for n in range(ROUNDS)]
    done = [
        report(
            f"{name}, {stage}",
            [caught(partial(cancelled_after, source, stage), seconds[stage] * n) for n in shares],
        )
        for stage in STAGES
    ]
    # The first second is that in which the program is loaded.
    times = [caught(partial(interrupted_after, source), 1.5 + whole * share) for share in shares]
    return [*done, report(f"{name}, Ctrl-C", times)]


def main() -> int:
    done = measure("one song", one_song()) + measure("many songs", many_songs())
    silent = [interrupted_after(Path("-"), 1.5 + n / ROUNDS) for n in range(ROUNDS)]
    done.append(report("a silent pipe, Ctrl-C", silent))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
