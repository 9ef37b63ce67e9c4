"""`make rows`: questions about a result of 25 million rows, through the running service: how long
`GET /api/reports/<pid>/rows` and `/compare` take, how soon after Done they can be asked, and 200
polls of one report at the same moment.

A file of BENCH_ROWS (25,000,000) rows of the shape BENCH_SHAPE (`high`), kept under BENCH_FOLDER
(`.bench`), is uploaded, and nine tenths of it once more, to compare with. Ends with 1 where a
target is missed.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from bench.report import judged
from bench.rows_clients import Asker, Times, poll_together
from bench.shapes import FOLDER, ROWS, SHAPES, make
from bmat.results import Question, needs_parquet, rows
from bmat.results.files import OUTPUT, PARQUET
from bmat.tests.live.multipart import CONTENT_TYPE, StreamedUpload
from bmat.tests.live.processes import wait_until
from bmat.tests.live.stack import Stack

SHAPE = os.environ.get("BENCH_SHAPE", "high")
SONGS, POLLS, COMPARISONS = 300, 200, 3
SECONDS = 900.0
CHUNK_BYTES = 2**20
SONG, PREFIX, MONTH, CONTAINS = "song", "song_prefix, 1,000 rows", "song, grain=month", "contains"
COMPARE, PREPARED = "compare", "prepared after Done"
# Of each kind of question, the time within which 95 % are to be answered.
MOST_SECONDS = {SONG: 0.05, PREFIX: 0.05, MONTH: 0.05, CONTAINS: 1.5, COMPARE: 10.0, PREPARED: 15.0}


def upload(stack: Stack, source: Path, length: int) -> tuple[str, Path]:
    """The pid of a report on the first `length` bytes of a file, which is Done, and the folder of
    its result.
    """

    def content() -> Iterator[bytes]:
        with source.open("rb") as file:
            left = length
            while chunk := file.read(min(CHUNK_BYTES, left)):
                left -= len(chunk)
                yield chunk

    answer = requests.post(
        stack.client.reports_url,
        data=StreamedUpload(source.name, content, length),
        headers={"Content-Type": CONTENT_TYPE},
        timeout=SECONDS,
    )
    pid = str(answer.json()["pid"])
    stack.client.done(pid, SECONDS)
    (output,) = (path for path in stack.files_of(pid) if path.name == OUTPUT)
    return pid, output.parent


def prepared(folder: Path) -> Times:
    """How long it takes from Done until a result can be asked."""
    started = time.perf_counter()
    if needs_parquet(folder):
        wait_until((folder / PARQUET).exists, SECONDS, "the Parquet of a large result")
    return Times(PREPARED, [time.perf_counter() - started], 0)


def most_of(source: Path) -> int:
    """The bytes of about nine tenths of a file's lines."""
    with source.open("rb") as file:
        file.seek(source.stat().st_size * 9 // 10)
        file.readline()
        return file.tell()


def random_songs(folder: Path, groups: int, count: int) -> list[str]:
    """Songs of random rows of the result; the same ones each time."""
    numbers = random.Random(1).choices(range(groups), k=count)
    return [rows(folder, Question(), 1, [number]).rows[0].key["song"] for number in numbers]


def forget(stack: Stack, pid: str) -> None:
    """Throws the report's files out of the page cache."""
    for path in stack.files_of(pid):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure(stack: Stack, source: Path, song_count: int = SONGS) -> list[Times]:
    """Asks for all that is to be measured, prints it, and returns it."""
    pid, folder = upload(stack, source, source.stat().st_size)
    measured = [prepared(folder)]
    earlier, earlier_folder = upload(stack, source, most_of(source))
    prepared(earlier_folder)
    songs = random_songs(folder, stack.client.body(pid)["groups"], song_count)
    some, few = songs[: song_count // 3], songs[: song_count // 30]
    ask = Asker(f"{stack.client.reports_url}{pid}")
    measured += [
        ask.times("the first one", [{"song": songs[0]}]),
        ask.times(SONG, [{"song": song} for song in songs]),
        ask.times(PREFIX, [{"song_prefix": song[:9], "limit": "1000"} for song in some]),
        ask.times(MONTH, [{"song": song, "grain": "month"} for song in some]),
        ask.times(
            "song, from, to",
            [{"song": each, "from": "2020-02-01", "to": "2020-02-29"} for each in some],
        ),
        ask.times("song, order=-plays", [{"song": song, "order": "-plays"} for song in some]),
        ask.times(CONTAINS, [{"contains": song[-7:]} for song in few]),
        ask.times("order=-plays", [{"order": "-plays"}] * COMPARISONS),
        ask.times("order=-plays, grain=month", [{"order": "-plays", "grain": "month"}]),
        ask.following_pages("30 pages of 1,000", 30),
        ask.comparisons(COMPARE, earlier, COMPARISONS),
        ask.times_of_several("song, 8 clients at once", songs, 8),
    ]
    forget(stack, pid)
    measured.append(ask.times("song, not in the cache", [{"song": song} for song in songs[:30]]))
    measured.append(poll_together(f"{stack.client.reports_url}{pid}", POLLS))
    for times in measured:
        print(times.shown(), flush=True)
    return measured


def verdict(measured: list[Times]) -> int:
    """Prints each figure beside its target. 1 where one is missed."""
    errors = sum(times.errors for times in measured)
    figures = {f"errors: {errors} (target: 0)": errors == 0}
    for times in measured:
        if times.name in MOST_SECONDS:
            most = MOST_SECONDS[times.name]
            text = f"{times.name}, p95: {times.at(0.95):.3f} s (target: below {most:g} s)"
            figures[text] = times.at(0.95) < most
    for text, met in figures.items():
        print(judged(met, text))
    return 0 if all(figures.values()) else 1


def main() -> int:
    source = make(SHAPES[SHAPE])
    print(f"{ROWS:,} rows in {source.stat().st_size / 1e6:,.0f} MB", flush=True)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rows-", dir=FOLDER) as folder:
        stack = Stack(Path(folder))
        try:
            stack.start()
            return verdict(measure(stack, source))
        finally:
            stack.stop()


if __name__ == "__main__":
    sys.exit(main())
