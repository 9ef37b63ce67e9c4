"""`python -m bench.dsr`: a DDEX sales report of BENCH_LINES (10,000,000) `SR02` records, made under
BENCH_FOLDER (`.bench`): its totals equal those of a dictionary, its footer is checked, and how long
both take. A footer that says one line more must end the run, and say so.

Ends with 1 where anything is otherwise.
"""

import csv
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.shapes import FOLDER, ROWS_PER_CHUNK, SEED, table_of
from bench.titles import titles
from bmat.aggregation import AggregationError, aggregate
from bmat.aggregation.source.dsr import counts_of
from bmat.aggregation.source.opened import Place

LINES = int(os.environ.get("BENCH_LINES", "10000000"))
SONGS, MOST_STREAMS, DAY = 50_000, 1_000, "2026-01-05"
HEAD = (
    "HEAD\tdsrf/1.0/1.0/1.0\tBasicAudioProfileSRB\t1.2\tM1\t2026-01-06T04:00:00Z\t1\t1\t"
    f"{DAY}\t{DAY}\tPADPIDA2020010101A\tExample Music\n"
    "#SY02.02\tSummaryRecordId\n"
    "SY02.02\t1\t\t\tSubscriptionModel\tOnDemandStream\tDE\n"
)
LINES_BESIDE = HEAD.count("\n") + 1

Counts = npt.NDArray[np.int64]


def footer(lines: int) -> bytes:
    return f"SRFO\t{lines}\t1\n".encode()


def chunks(lines: int, totals: Counts) -> Iterator[bytes]:
    """The sales; adds their streams to the totals of their songs."""
    songs = table_of(
        f"SR02\t1\tr{number}\tDEA{number:09}\t{title}\t\tThe Examples\t\tPT3M5S\tSoundRecording"
        + "\t" * 23
        for number, title in enumerate(titles(SONGS, False, SEED))
    )
    ends = table_of(f"t\ttrue\t{count}\t\n" for count in range(MOST_STREAMS))
    random = np.random.default_rng(SEED)
    for done in range(0, lines, ROWS_PER_CHUNK):
        size = min(ROWS_PER_CHUNK, lines - done)
        song = (SONGS * random.random(size) ** 3).astype(np.int64)
        count = random.integers(0, MOST_STREAMS, size)
        np.add.at(totals, song, count)
        table = np.concatenate([songs[song], ends[count]], axis=1)
        yield table[table != 0].tobytes()


def make(path: Path, lines: int) -> dict[str, int]:
    """Writes a report of so many sales; returns the streams of each song that has any."""
    totals = np.zeros(SONGS, dtype=np.int64)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEAD.encode())
        for chunk in chunks(lines, totals):
            file.write(chunk)
        file.write(footer(lines + LINES_BESIDE))
    streams = zip(titles(SONGS, False, SEED), totals.tolist(), strict=True)
    return {title: count for title, count in streams if count}


def totals_of(output: Path) -> dict[str, int]:
    """The totals of a run, all of one day."""
    with output.open(newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return {song: int(plays) for song, day, plays in rows if day == DAY and plays != "0"}


def refused(path: Path, output: Path) -> str:
    """What is told of the report when its footer says that it has one line more."""
    right, wrong = footer(LINES + LINES_BESIDE), footer(LINES + LINES_BESIDE + 1)
    with path.open("rb+") as file:
        file.seek(-len(right), os.SEEK_END)
        file.write(wrong)
    try:
        aggregate([path], output)
    except AggregationError as error:
        return f"{error.code}: {error.message}"
    return "nothing"


def main() -> int:
    path, output = FOLDER / "report.tsv", FOLDER / "report.csv"
    expected = make(path, LINES)
    size = path.stat().st_size
    start = time.perf_counter()
    counts = counts_of(path, Place(0, 1, has_cr_ends=False), lambda done: None)
    seconds = time.perf_counter() - start
    print(f"{counts.sales:,} sales, {size / 1e9:.2f} GB: counted in {seconds:.2f} s")
    start = time.perf_counter()
    summary = aggregate([path], output)
    print(
        f"aggregated in {time.perf_counter() - start:.2f} s: {summary.rows_counted:,} rows counted"
    )
    is_equal = totals_of(output) == expected
    print(f"totals are {'equal' if is_equal else 'NOT EQUAL'} to those of a dictionary")
    told = refused(path, output)
    print(told)
    path.unlink()
    output.unlink()
    return 0 if is_equal and told.startswith("count_mismatch") and "1 too few" in told else 1


if __name__ == "__main__":
    sys.exit(main())
