"""The files that a run leaves: each under a temporary name until it is whole."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bmat.aggregation.beacon import Beacon
from bmat.aggregation.direct import PageWriter
from bmat.aggregation.job import Job
from bmat.aggregation.merging import TEXTS
from bmat.aggregation.padded import PaddedBytes
from bmat.aggregation.parquet_file import append_pages
from bmat.aggregation.part import Part
from bmat.aggregation.row_groups import give_page_buffer_back
from bmat.aggregation.scratch import NOTHING, write_at

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


@contextmanager
def replacing(path: Path, is_optional: bool = False) -> Iterator[Path]:
    """A temporary path beside `path`: renamed to it at the end of the block, removed when the
    block fails. One that `is_optional` need not be there. Raises IsADirectoryError at once where
    `path` is a folder: of several files, none may be in place when another one cannot be.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield temporary
        if not is_optional or temporary.exists():
            temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True)
class Written:
    """A part that is in the output: up to byte `end` in the file, `tail` belongs behind it. `part`
    has no text and no pages any more; `lead_seconds`: see PageWriter. Its row groups are in the
    Parquet file, up to byte `parquet_end`.
    """

    end: int
    tail: bytes
    lead_seconds: float
    parquet_end: int
    part: Part


def write_part(job: Job, number: int, before: Written | None, part: Part) -> Written:
    """Write a part behind the one before it, and give its text's memory back."""
    if before is None:
        writer = PageWriter(job.output, 0, HEADER, lead_seconds=0.0)
    else:
        writer = PageWriter(job.output, before.end, before.tail, before.lead_seconds)
    with closing(writer):
        for stretch in part.text.stretches():
            writer.append(stretch)
    TEXTS.give_back(job.sizes, PaddedBytes(part.text.buffer))
    parquet_end = before.parquet_end if before else 0
    if job.parquet is not None:
        parquet_end = append_pages(job.parquet, parquet_end, part.pages)
        give_page_buffer_back(job.sizes, part.pages)
    with Beacon(job.folder, len(job.blocks) + number) as beacon:
        beacon.report(1, 0)
    done = replace(part, text=NOTHING, pages=NOTHING)
    return Written(writer.offset, writer.tail, writer.lead_seconds, parquet_end, done)


def write_last(job: Job, last: Written) -> None:
    """Write what the last part has left: the output is whole then."""
    write_at(job.output, [memoryview(last.tail)], last.end)
