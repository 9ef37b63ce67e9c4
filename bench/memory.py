"""`make memory`: the most memory that the command line takes on inputs made to take much.

Each input is made under BENCH_FOLDER (`.bench`) and removed again: of MEMORY_BYTES (4 GB) where its
bytes are what it is about, of MEMORY_ROWS (30,000,000) rows where these are; MEMORY_CASES chooses
among them. The budget is MEMORY_BUDGET (256 MiB). Ends with 1 where a peak is above the budget and
300 MiB, or the run ends otherwise than it should.
"""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.command import BYTES_BESIDE_BUDGET, Measured, run_command
from bench.report import judged
from bench.shapes import FOLDER, HEADER

BYTES = int(os.environ.get("MEMORY_BYTES", "4000000000"))
ROWS = int(os.environ.get("MEMORY_ROWS", "30000000"))
BUDGET = int(os.environ.get("MEMORY_BUDGET", str(2**28)))
ALLOWED = BUDGET + BYTES_BESIDE_BUDGET
ROW = b"always,2020-01-01,1\n"
SONG_BYTES, SONG_DAYS = 4096, 36_500
PIECE = 2**24
MOST_SECONDS_TO_REFUSE = 2.0


@dataclass(frozen=True)
class Case:
    """An input, what the command line must say of it, and how long it may take."""

    pieces: Callable[[], Iterator[bytes]]
    says: str
    most_seconds: float = float("inf")


def repeated(piece: bytes, size: int) -> Iterator[bytes]:
    """`piece` over and over, `size` bytes, about."""
    large = piece * (PIECE // len(piece))
    for _ in range(max(size // len(large), 1)):
        yield large


def one_line() -> Iterator[bytes]:
    yield from repeated(b"x", BYTES)


def line_in_the_middle() -> Iterator[bytes]:
    yield HEADER + ROW * 1000
    yield from repeated(b'x,"y\nz",', BYTES)
    yield b"\n" + ROW * 1000


def never_closed() -> Iterator[bytes]:
    yield HEADER + ROW + b'"open,2020-01-01,1\n'
    yield from repeated(ROW, BYTES)


def never_closed_line() -> Iterator[bytes]:
    yield HEADER + ROW + b'"open,2020-01-01,1'
    yield from repeated(b"x", BYTES)


def long_songs() -> Iterator[bytes]:
    """Songs of 4 KiB, each on the same 36,500 days."""
    days = [str(np.datetime64("1950-01-01") + day) for day in range(SONG_DAYS)]
    yield HEADER
    for number in range(max(BYTES // SONG_DAYS // SONG_BYTES, 1)):
        song = b"%d" % number + b"x" * (SONG_BYTES - len(str(number)))
        for first in range(0, SONG_DAYS, 1000):
            yield b"".join(
                b"%s,%s,1\n" % (song, day.encode()) for day in days[first : first + 1000]
            )


def distinct_songs() -> Iterator[bytes]:
    yield HEADER
    for first in range(0, ROWS, 100_000):
        numbers = range(first, min(first + 100_000, ROWS))
        yield b"".join(b"song %d,2020-01-01,1\n" % (n * 7_919 % ROWS) for n in numbers)


CASES = {
    "one line": Case(one_line, "is not a CSV text", MOST_SECONDS_TO_REFUSE),
    "a line in the middle": Case(
        line_in_the_middle, "2,001 rows read = 2,000 counted + 1 rejected"
    ),
    "a quote never closed": Case(never_closed, " + 1 rejected"),
    "a quote never closed, one line": Case(
        never_closed_line, "2 rows read = 1 counted + 1 rejected"
    ),
    "long songs": Case(long_songs, " + 0 rejected"),
    "distinct songs": Case(distinct_songs, f"{ROWS:,} rows read = {ROWS:,} counted + 0 rejected"),
}
CHOSEN = [name for name in os.environ.get("MEMORY_CASES", "").split(";") if name] or list(CASES)


def run(source: Path) -> Measured:
    output = FOLDER / "memory.out.csv"
    try:
        return run_command(source, output, "--memory", str(BUDGET))
    finally:
        output.unlink(missing_ok=True)


def seconds_to_start() -> float:
    """How long the command line takes to begin: that is no matter of the input."""
    return min(run(Path(os.devnull)).seconds for _ in range(3))


def measure(name: str, start_seconds: float) -> bool:
    """Make an input, run on it, and print what that took. Whether all was as it should be."""
    case = CASES[name]
    source = FOLDER / "memory.csv"
    try:
        with source.open("wb") as file:
            for piece in case.pieces():
                file.write(piece)
        size = source.stat().st_size
        done = run(source)
    finally:
        source.unlink(missing_ok=True)
    seconds = done.seconds - start_seconds
    is_well = done.peak_bytes <= ALLOWED and case.says in done.text
    is_well = is_well and seconds <= case.most_seconds
    text = (
        f"{name:<32}{size / 1e6:>7,.0f} MB"
        f"{done.peak_bytes / 2**20:>8.0f} MiB of {ALLOWED / 2**20:.0f}{seconds:>8.1f} s"
        f"   {done.text.splitlines()[-1][:100]}"
    )
    print(judged(is_well, text), flush=True)
    return is_well


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    start_seconds = seconds_to_start()
    return 0 if all([measure(name, start_seconds) for name in CHOSEN]) else 1


if __name__ == "__main__":
    sys.exit(main())
