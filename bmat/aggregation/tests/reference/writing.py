"""The two files that a run leaves: totals and rejects."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bmat.aggregation.tests.reference.progress import ProgressMeter
from bmat.aggregation.tests.reference.totals import ListedReject, Totals

HEADER = "Song,Date,Total Number of Plays for Date\n"
LINES_PER_STEP = 100_000


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`: synced and renamed to it at the end of the block,
    removed when the block fails.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_totals(path: Path, totals: Totals, meter: ProgressMeter) -> None:
    """Writes the totals, sorted by the song's bytes (latin-1 text sorts like its bytes) and
    then by date.
    """
    with path.open("w", encoding="latin-1", newline="") as file:
        file.write(HEADER)
        for number, ((song, date), plays) in enumerate(sorted(totals.totals.items())):
            if number % LINES_PER_STEP == 0:
                meter.reach("writing", number / len(totals.totals))
            file.write(f"{csv_field(song)},{date},{plays}\n")
    meter.reach("writing", 1.0)


def write_rejects(path: Path, rejects: Iterable[ListedReject], *, name_files: bool) -> None:
    """Writes the rejects, in file order; `name_files` puts the input file's path first."""
    with path.open("w", encoding="utf-8", newline="", errors="surrogateescape") as file:
        file.write("File,Line,Reason,Record\n" if name_files else "Line,Reason,Record\n")
        for reject in rejects:
            record = reject.record.decode("utf-8", "replace").replace("\0", "\ufffd")
            line = f"{reject.line},{reject.reason},{csv_field(record)}\n"
            file.write(f"{csv_field(reject.file)},{line}" if name_files else line)


def csv_field(value: str) -> str:
    """`value` as a field of a CSV line, quoted only where RFC 4180 demands it."""
    if any(special in value for special in ',"\r\n'):
        return '"' + value.replace('"', '""') + '"'
    return value
