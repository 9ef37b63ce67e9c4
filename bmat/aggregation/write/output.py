"""The files that a run leaves: each under a temporary name until it is whole."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bmat.aggregation.exchange.scratch import write_at
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.padded import PaddedBytes
from bmat.aggregation.merge.merge import TEXTS
from bmat.aggregation.merge.part import Part, Sums, added
from bmat.aggregation.progress import Beacon
from bmat.aggregation.write.direct import PageWriter

HEADER = b"Song,Date,Total Number of Plays for Date\n"


@contextmanager
def temporary_files(own_folder: Path | None, parent: Path, lasting: set[Path]) -> Iterator[Path]:
    """A folder for temporary files, which are removed at the end of the block: `own_folder`, of
    which what was there before and the files `lasting` stay, else a new one in `parent`. Raises
    FileNotFoundError where there is no such folder.
    """
    if own_folder is None:
        if not parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(parent))
        with TemporaryDirectory(prefix=".bmat-", dir=parent) as name:
            yield Path(name)
        return
    lasting = lasting | paths_in(own_folder)
    try:
        yield own_folder
    finally:
        for path in paths_in(own_folder) - lasting:
            path.unlink(missing_ok=True)


def paths_in(folder: Path) -> set[Path]:
    """What is in the folder; nothing where somebody has removed it: the run fails for that, or has
    failed already.
    """
    try:
        return set(folder.iterdir())
    except FileNotFoundError:
        return set()


@dataclass(frozen=True)
class Written:
    """The parts that are in the output: up to byte `end` in the file, `tail` belongs behind it;
    `lead_seconds`: see PageWriter. All of them together come to `sums`.
    """

    end: int
    tail: bytes
    lead_seconds: float
    sums: Sums


def write_part(job: Job, number: int, before: Written | None, part: Part) -> Written:
    """Write a part behind the one before it, and give its text's memory back."""
    if before is None:
        writer = PageWriter(job.output, 0, HEADER, lead_seconds=0.0)
    else:
        writer = PageWriter(job.output, before.end, before.tail, before.lead_seconds)
    with closing(writer), Beacon(job.folder, len(job.blocks) + number) as beacon:
        for stretch in part.text.stretches():
            beacon.check()
            writer.append(stretch)
    TEXTS.give_back(job.sizes, PaddedBytes(part.text.buffer))
    with Beacon(job.folder, len(job.blocks) + number) as beacon:
        beacon.report(1, 0)
    return Written(
        end=writer.offset,
        tail=writer.tail,
        lead_seconds=writer.lead_seconds,
        sums=added(before.sums, part.sums) if before else part.sums,
    )


def write_last(job: Job, last: Written) -> None:
    """Write what the last part has left: the output is whole then."""
    write_at(job.output, [memoryview(last.tail)], last.end)
