"""`make compressed`: the aggregation of a packed file beside the unpacking of it alone.

The shape `low`, packed by gzip and by Zstandard; made under BENCH_FOLDER (`.bench`), once. Of each,
COMPRESSED_ROUNDS (5) rounds in turn: its own library unpacks it and keeps nothing, and the
aggregation of it, both in this process. The best rounds count. Then one run of the command line
for its peak memory, with the temporary folder watched; and files that would become COMPRESSED_BOMB
(10,000,000,000) bytes. Ends with 1 where a target is missed.
"""

import gzip
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

from bench.command import BYTES_BESIDE_BUDGET, run_command, warm
from bench.report import judged
from bench.shapes import FOLDER, HEADER, LOW, make
from bmat.aggregation import AggregationError, Limits, aggregate
from bmat.aggregation.source.signatures import GZIP, ZSTANDARD
from bmat.aggregation.source.unpacking import (
    DECOMPRESSORS,
    MADE_BYTES,
    TAKEN_BYTES,
    zstd,
)

ROUNDS = int(os.environ.get("COMPRESSED_ROUNDS", "5"))
LEAST_SHARE = 0.9
MOST_BOMB_SECONDS = 1.0
BOMB_BYTES = int(os.environ.get("COMPRESSED_BOMB", str(10**10)))
BUDGET_BYTES = 2**30
ROW = b"a song,2020-01-01,1\n"


def packed(path: Path, suffix: str, opened: Callable[[Path], BinaryIO]) -> Path:
    """The file, packed beside it, unless that is there."""
    target = path.with_suffix(f".csv.{suffix}")
    if not target.exists():
        unfinished = target.with_suffix(".part")
        with path.open("rb") as source, opened(unfinished) as out:
            shutil.copyfileobj(source, out, 2**22)
        unfinished.rename(target)
    return target


def in_gzip(path: Path) -> BinaryIO:
    file: BinaryIO = gzip.open(path, "wb", 6)  # type: ignore[assignment]
    return file


def in_zstandard(path: Path) -> BinaryIO:
    file: BinaryIO = zstd.open(path, "wb")
    return file


def unpack(path: Path, name: str) -> int:
    """Unpack a file as its library does it. Returns how many bytes come out."""
    decompressor, size = DECOMPRESSORS[name](), 0
    with path.open("rb", buffering=0) as file:
        while data := file.read(TAKEN_BYTES):
            size += len(decompressor.decompress(data, MADE_BYTES))
            while not (decompressor.needs_input or decompressor.eof):
                size += len(decompressor.decompress(b"", MADE_BYTES))
    return size


def seconds_of(work: Callable[[], object]) -> tuple[float, float]:
    """How long something takes, and how much time of the processors."""
    begin, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - processor


def compare(plain: Path, path: Path, name: str, folder: Path) -> bool:
    """Unpack alone and aggregate in turn; print the best of both, and their ratio."""
    size = plain.stat().st_size
    out, expected = folder / "out.csv", folder / "expected.csv"
    aggregate([plain], expected)
    alone, whole = [], []
    for _ in range(ROUNDS):
        alone.append(seconds_of(lambda: unpack(path, name)))
        whole.append(seconds_of(lambda: aggregate([path], out)))
    if out.read_bytes() != expected.read_bytes():
        print(judged(False, f"{name}: the totals are those of the plain file"))
        return False
    best_alone, best_whole = min(alone), min(whole)
    share = best_alone[0] / best_whole[0]
    print(
        f"{name}: {path.stat().st_size / 1e6:,.0f} MB become {size / 1e6:,.0f} MB;"
        f" unpacked alone {best_alone[0]:.2f} s ({size / 1e6 / best_alone[0]:,.0f} MB/s),"
        f" aggregated {best_whole[0]:.2f} s ({size / 1e6 / best_whole[0]:,.0f} MB/s);"
        f" processor time {min(one[1] for one in alone):.2f} s"
        f" and {min(one[1] for one in whole):.2f} s"
    )
    text = f"{name}: aggregated at {100 * share:.0f} % of the speed of unpacking"
    is_well = share >= LEAST_SHARE
    print(judged(is_well, f"{text} (target: at least {100 * LEAST_SHARE:.0f} %)"), flush=True)
    return is_well


def measure_memory(path: Path, name: str, folder: Path) -> bool:
    """Run the command line, and watch its temporary folder."""
    temporary, most, is_done = folder / "temporary", [0], Event()
    temporary.mkdir(exist_ok=True)

    def watch() -> None:
        while not is_done.wait(0.01):
            sizes = [size_of(one) for one in temporary.rglob("*")]
            most[0] = max(most[0], sum(sizes))

    watcher = Thread(target=watch)
    watcher.start()
    done = run_command(
        path,
        folder / "out.csv",
        *("--memory", str(BUDGET_BYTES), "--temp-folder", str(temporary)),
    )
    is_done.set()
    watcher.join()
    is_small = done.exit_code == 0 and done.peak_bytes <= BUDGET_BYTES + BYTES_BESIDE_BUDGET
    print(judged(is_small, f"{name}: peak memory {done.peak_bytes / 1e6:,.0f} MB"))
    is_unwritten = most[0] < 2**20
    print(judged(is_unwritten, f"{name}: {most[0]:,} bytes of temporary files at most"), flush=True)
    return is_small and is_unwritten


def size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def bomb(path: Path, opened: Callable[[Path], BinaryIO], piece: bytes) -> None:
    """A file that would become BOMB_BYTES."""
    if not path.exists():
        with opened(path) as file:
            file.write(HEADER)
            for _ in range(BOMB_BYTES // len(piece)):
                file.write(piece)


def measure_bomb(path: Path, name: str, folder: Path) -> bool:
    """How soon a file is refused that would become very large."""
    code = "none"
    begin = time.perf_counter()
    try:
        aggregate([path], folder / "out.csv", limits=Limits(memory_budget_bytes=BUDGET_BYTES))
    except AggregationError as error:
        code = error.code
    seconds = time.perf_counter() - begin
    is_well = code == "decompression_limit" and seconds <= MOST_BOMB_SECONDS
    size = path.stat().st_size / 1e6
    become = f"{size:,.1f} MB that would become {BOMB_BYTES / 1e6:,.0f} MB"
    text = f"{name}, {become}: {code} after {seconds:.2f} s"
    print(judged(is_well, f"{text} (target: {MOST_BOMB_SECONDS:.0f} s)"), flush=True)
    return is_well


def main() -> int:
    plain = make(LOW)
    files = {GZIP: packed(plain, "gz", in_gzip), ZSTANDARD: packed(plain, "zst", in_zstandard)}
    done = []
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        folder = Path(name)
        for packer, path in files.items():
            warm(path)
            done.append(compare(plain, path, packer, folder))
            done.append(measure_memory(path, packer, folder))
        for packer, opened, piece in (
            ("zeros in gzip", in_gzip, bytes(2**20)),
            ("rows in Zstandard", in_zstandard, ROW * 2**15),
        ):
            path = FOLDER / f"bomb-{packer.replace(' ', '-')}"
            bomb(path, opened, piece)
            done.append(measure_bomb(path, packer, folder))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
