"""`make rows`: how long `GET /api/reports/<pid>/rows` takes on a result of 25 million rows, through
the running service, and 200 polls of one report at the same moment.

BENCH_ROWS (25,000,000) rows of the shape BENCH_SHAPE (`high`) are aggregated once, under
BENCH_FOLDER (`.bench`). Ends with 1 where a target is missed.
"""

import os
import random
import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from bench.rows_clients import Asker, Times, poll_together
from bench.shapes import FOLDER, ROWS, SHAPES, make
from bmat.aggregation import aggregate
from bmat.tests.live.stack import Stack
from bmat.tests.samples import PLAYS

SHAPE = os.environ.get("BENCH_SHAPE", "high")
SONGS, POLLS = 300, 200
MOST_P95_SECONDS = 0.05


def totals_file() -> Path:
    """The totals of the shape as Parquet, made unless they are there."""
    path = FOLDER / f"rows-{SHAPE}-{ROWS}.parquet"
    if not path.exists():
        print(f"making {path}, once", flush=True)
        source = make(SHAPES[SHAPE])
        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            aggregate([source], Path(folder) / "totals.csv", parquet=path)
    return path


def random_songs(path: Path, count: int) -> list[str]:
    """Songs of random rows of the file; the same ones each time."""
    source, file = random.Random(1), pq.ParquetFile(path)
    songs = []
    for _ in range(count):
        group = source.randrange(file.num_row_groups)
        column = file.read_row_group(group, columns=["Song"]).column(0)
        songs.append(str(column[source.randrange(len(column))].as_py()))
    return songs


def report_with(stack: Stack, totals: Path) -> str:
    """The pid of a small report that is Done, whose rows are those of the file `totals`."""
    pid = stack.client.upload(PLAYS)
    stack.client.done(pid)
    (kept,) = (path for path in stack.files_of(pid) if path.name == "totals.parquet")
    shutil.copyfile(totals, kept)
    return pid


def forget(stack: Stack, pid: str) -> None:
    """Throws the report's files out of the page cache."""
    for path in stack.files_of(pid):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(stack: Stack, totals: Path, song_count: int = SONGS) -> tuple[Times, Times]:
    """Asks for all that is to be measured, and prints it. Returns the times of `song` alone, and
    those of the polls.
    """
    pid = report_with(stack, totals)
    songs = random_songs(totals, song_count)
    ask = Asker(f"{stack.client.reports_url}{pid}/rows")
    first = ask.times("the first one", [{"song": song} for song in songs[:1]])
    of_song = ask.times("song", [{"song": song} for song in songs])
    questions = {
        "song, from, to": {"from": "2020-02-01", "to": "2020-02-29"},
        "song, order=-plays": {"order": "-plays"},
    }
    others = [
        ask.times(name, [{"song": song, **more} for song in songs[: song_count // 3]])
        for name, more in questions.items()
    ]
    prefixes = [{"song_prefix": song[:9], "limit": "1000"} for song in songs[: song_count // 3]]
    others.append(ask.times("song_prefix, 1,000 rows", prefixes))
    others.append(ask.following_pages("30 pages of 1,000", 30))
    together = ask.times_of_several("song, 8 clients at once", songs, 8)
    forget(stack, pid)
    cold = ask.times("song, not in the cache", [{"song": song} for song in songs[:30]])
    polls = poll_together(f"{stack.client.reports_url}{pid}", POLLS)
    for times in (first, of_song, *others, together, cold, polls):
        print(times.shown(), flush=True)
    return of_song, polls


def verdict(of_song: Times, polls: Times) -> int:
    """Prints each figure beside its target. 1 where one is missed."""
    figures = {
        f"errors: {of_song.errors + polls.errors} (target: 0)": of_song.errors + polls.errors == 0,
        f"rows?song=, p95: {of_song.at(0.95) * 1e3:.1f} ms "
        f"(target: below {MOST_P95_SECONDS * 1e3:.0f} ms)": of_song.at(0.95) < MOST_P95_SECONDS,
    }
    for text, met in figures.items():
        print(f"{'met   ' if met else 'MISSED'}  {text}")
    return 0 if all(figures.values()) else 1


def main() -> int:
    totals = totals_file()
    count = pq.read_metadata(totals).num_rows
    print(f"{count:,} rows in {totals.stat().st_size / 1e6:,.0f} MB of Parquet", flush=True)
    with tempfile.TemporaryDirectory(prefix="bmat-rows-") as folder:
        stack = Stack(Path(folder))
        try:
            stack.start()
            return verdict(*measure(stack, totals))
        finally:
            stack.stop()


if __name__ == "__main__":
    sys.exit(main())
