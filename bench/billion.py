"""`make billion`: a billion rows in one file, exact and within the default budget.

The rows of the shape `world-low`, BILLION_TIMES (40) times one after another: 37 GB in a file under
BENCH_FOLDER, which is removed again. Ends with 1 where the totals are not exactly as many times
those of the shape itself, or the peak memory is above the budget and 300 MiB.
"""

import csv
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.command import BYTES_BESIDE_BUDGET, Measured, run_command
from bench.report import judged
from bench.shapes import FOLDER, ROWS, SHAPES, make
from bmat.aggregation import Limits

TIMES = int(os.environ.get("BILLION_TIMES", "40"))
ALLOWED_BYTES = Limits().memory_budget_bytes + BYTES_BESIDE_BUDGET
# For outputs and temporary files: this shape has few totals.
SPARE_BYTES = 10**9
COPY_BYTES = 2**24


def refuse_a_small_disk(needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(FOLDER).free
    if free_bytes < needed_bytes:
        sys.exit(
            f"This needs {needed_bytes / 1e9:,.0f} GB under {FOLDER}, where"
            f" {free_bytes / 1e9:,.0f} GB are free: set BENCH_FOLDER to another disk,"
            " or BILLION_TIMES or BENCH_ROWS to less."
        )


def join(source: Path, target: Path) -> None:
    """Write the header of `source`, and its rows TIMES times."""
    with target.open("wb") as joined, source.open("rb") as rows:
        joined.write(rows.readline())
        start_of_rows = rows.tell()
        for _ in range(TIMES):
            rows.seek(start_of_rows)
            shutil.copyfileobj(rows, joined, COPY_BYTES)


def totals_of(path: Path) -> Iterator[tuple[str, str, int]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for song, date, plays in rows:
            yield song, date, int(plays)


def are_exact(totals: Path, once: Path) -> bool:
    """Whether `totals` are those of `once`, TIMES times."""
    expected = [(song, date, TIMES * plays) for song, date, plays in totals_of(once)]
    return list(totals_of(totals)) == expected


def run_whole(source: Path, output: Path) -> Measured:
    """Run the command line. Exits where it fails."""
    done = run_command(source, output)
    if done.exit_code != 0:
        sys.exit(done.text)
    return done


def main() -> int:
    source = make(SHAPES["world-low"])
    refuse_a_small_disk(TIMES * source.stat().st_size + SPARE_BYTES)
    joined, totals, once = (FOLDER / f"billion.{name}.csv" for name in ("in", "totals", "once"))
    try:
        run_whole(source, once)
        join(source, joined)
        size = joined.stat().st_size
        done = run_whole(joined, totals)
        is_exact = are_exact(totals, once)
    finally:
        for path in (joined, totals, once):
            path.unlink(missing_ok=True)
    rows = TIMES * ROWS
    is_whole = f"{rows:,} rows read = {rows:,} counted + 0 rejected" in done.text
    is_small = done.peak_bytes <= ALLOWED_BYTES
    print(f"{rows:,} rows, {size / 1e6:,.0f} MB, in {done.seconds:.1f} s: {done.text}")
    print(judged(is_exact and is_whole, f"the totals are {TIMES} times those of {ROWS:,} rows"))
    peak = f"{done.peak_bytes / 2**20:,.0f} MiB at the peak"
    print(judged(is_small, f"{peak} (target: at most {ALLOWED_BYTES / 2**20:,.0f} MiB)"))
    return 0 if is_exact and is_whole and is_small else 1


if __name__ == "__main__":
    sys.exit(main())
