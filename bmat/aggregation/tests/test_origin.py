"""Inputs that are no files: pipes, FIFOs, standard input; each is read forward, and once."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, Options, Progress, aggregate
from bmat.aggregation.options import Bounds
from bmat.aggregation.progress import ProgressMeter
from bmat.aggregation.results import Input
from bmat.aggregation.source.open import open_source
from bmat.aggregation.source.origin import LocalFile, Stream, localized, looked_at
from bmat.aggregation.tests.running import HEADER, TOTALS_HEADER, names_in

PLAYS = HEADER + b"a,2020-01-01,1\n" * 200_000 + b"bad\n"
TOTALS = TOTALS_HEADER + b"a,2020-01-01,200000\n"
COMMAND = [sys.executable, "-m", "bmat.aggregation"]


class Cancelled(Exception):
    pass


@contextmanager
def fed(folder: Path, *pieces: bytes) -> Iterator[Path]:
    """A FIFO into which somebody writes `pieces`, slowly."""
    path = folder / "fifo"
    os.mkfifo(path)

    def feed() -> None:
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                time.sleep(0.15)

    writer = threading.Thread(target=feed)
    writer.start()
    yield path
    writer.join()


def test_standard_input_is_read_from_a_pipe(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    subprocess.run([*COMMAND, "-", "-o", str(out)], input=PLAYS, check=True, capture_output=True)
    assert out.read_bytes() == TOTALS
    assert names_in(tmp_path) == ["out.csv"]


def test_a_fifo_is_read_piece_by_piece(tmp_path: Path) -> None:
    with fed(tmp_path, PLAYS[:1], PLAYS[1:1000], PLAYS[1000:]) as fifo:
        aggregate([fifo], tmp_path / "out.csv", rejects=tmp_path / "rejects.csv")
    assert (tmp_path / "out.csv").read_bytes() == TOTALS
    assert (
        tmp_path / "rejects.csv"
    ).read_bytes() == b"Line,Reason,Record\n200002,missing_field,bad\n"


def test_files_and_streams_may_be_mixed_whatever_their_encodings(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(HEADER + b"a,2020-01-01,5\nbad\n")
    text = "Song,Date,Number of Plays\né,2020-01-01,7\nbad\n".encode("utf-16")
    with fed(tmp_path, text[:3], text[3:]) as fifo:
        inputs = [tmp_path / "in.csv", fifo, tmp_path / "in.csv"]
        aggregate(inputs, tmp_path / "out.csv", rejects=tmp_path / "rejects.csv")
    totals = "a,2020-01-01,10\né,2020-01-01,7\n".encode()
    assert (tmp_path / "out.csv").read_bytes() == TOTALS_HEADER + totals
    names = [line.split(b",")[0] for line in (tmp_path / "rejects.csv").read_bytes().splitlines()]
    assert names[1:] == [str(path).encode() for path in inputs]


def test_a_stream_that_ends_at_once_is_empty(tmp_path: Path) -> None:
    with pytest.raises(AggregationError) as caught, fed(tmp_path) as fifo:
        aggregate([fifo], tmp_path / "out.csv")
    assert (caught.value.code, caught.value.source) == ("empty_file", fifo)
    assert names_in(tmp_path) == ["fifo"]


def test_a_stream_without_a_header_is_refused_before_it_ends(tmp_path: Path) -> None:
    endless = subprocess.Popen(["yes", "no,header"], stdout=subprocess.PIPE)
    assert endless.stdout is not None
    without_line_ends = [sys.executable, "-c", "while True: print('x' * 65536, end='')"]
    lineless = subprocess.Popen(
        without_line_ends, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert lineless.stdout is not None
    for process, code in ((endless, "missing_column"), (lineless, "not_text")):
        with process, pytest.raises(AggregationError) as caught:
            source = Path(f"/proc/self/fd/{process.stdout.fileno()}")  # type: ignore[union-attr]
            aggregate([source], tmp_path / "out.csv")
        assert caught.value.code == code
    assert names_in(tmp_path) == []


def test_a_stream_is_laid_out_by_its_first_bytes(tmp_path: Path) -> None:
    bounds = Bounds(record=100, quoted_field=20)
    header = b"\n" * 60 + HEADER
    pieces = [header, b"a,2020-01-01,1\n" * 10, b"b,2020-01-01,1\n"]
    with fed(tmp_path, *pieces) as fifo:
        source = open_source(fifo, Options(bounds=bounds), tmp_path / "copy", ProgressMeter(None))
    assert (source.path, source.owner_path) == (tmp_path / "copy", fifo)
    assert source.size == sum(map(len, pieces))
    assert (source.layout.data_start, source.layout.bounds) == (len(header), bounds)


def test_a_preset_with_a_reader_of_its_own_is_opened_by_it(tmp_path: Path) -> None:
    log = b"#AUDIOSCROBBLER/1.1\n#TZ/UTC\n#CLIENT/x\n" + b"A\tB\tC\t1\t2\tL\t3\t\n"
    (tmp_path / "in.log").write_bytes(log)
    meter = ProgressMeter(None)
    source = open_source(tmp_path / "in.log", Options(), tmp_path / "copy", meter)
    assert source.read_as == Input("audioscrobbler", "\t", "utf-8", 0)
    assert (source.path, source.size) == (tmp_path / "in.log", len(log))


def test_a_silent_stream_can_be_cancelled(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    begin = time.monotonic()

    def cancel(progress: Progress) -> None:
        if time.monotonic() > begin + 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        aggregate([tmp_path / "fifo"], tmp_path / "out.csv", on_progress=cancel)
    assert time.monotonic() - begin < 1.3
    assert names_in(tmp_path) == ["fifo"]


def test_progress_rises_while_a_stream_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Progress] = []
    monkeypatch.setattr("bmat.aggregation.source.open.HEAD_BYTES", 1)
    with fed(tmp_path, *[PLAYS[at : at + 10**6] for at in range(0, len(PLAYS), 10**6)]) as fifo:
        aggregate([fifo], tmp_path / "out.csv", on_progress=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert {fraction for fraction in fractions if 0 < fraction < 0.6}
    assert fractions[-1] == 1.0


def test_progress_rises_while_what_is_in_a_stream_is_written_to_a_file(tmp_path: Path) -> None:
    seen: list[Progress] = []
    first = b'{"ms_played": 30000, "ts": "2020-01-01", "master_metadata_track_name": "a"}\n'
    pieces = [first * 10_000] * 4
    with fed(tmp_path, *pieces) as fifo:
        aggregate([fifo], tmp_path / "out.csv", on_progress=seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert 0.2 in fractions


def test_a_file_in_utf_8_is_read_in_place(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(PLAYS)
    origin, head = looked_at(tmp_path / "in.csv", lambda done: None)
    assert isinstance(origin, LocalFile) and head == PLAYS[:16]
    read = localized(origin, Options(), tmp_path / "copy", lambda done: None)
    assert (read, names_in(tmp_path)) == ((tmp_path / "in.csv", None), ["in.csv"])


def test_a_folder_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=str(tmp_path)):
        looked_at(tmp_path, lambda done: None)


def test_a_dash_is_standard_input_which_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.csv").write_bytes(PLAYS)
    with (tmp_path / "in.csv").open("r") as file:
        monkeypatch.setattr(sys, "stdin", file)
        origin, head = looked_at(Path("-"), lambda done: None)
        assert isinstance(origin, Stream) and head == PLAYS[:16]
        assert b"".join(origin.chunks()) == PLAYS
        assert not file.closed
