"""The files that a run leaves: each under a temporary name until it is whole."""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bmat.aggregation.beacon import Beacon
from bmat.aggregation.job import Job
from bmat.aggregation.merging import TEXTS, Part
from bmat.aggregation.spill import write_all

HEADER = b"Song,Date,Total Number of Plays for Date\n"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`: renamed to it at the end of the block, removed when the
    block fails. Raises IsADirectoryError at once where `path` is a folder: of several files, none
    may be in place when another one cannot be.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True)
class Written:
    """A part that is in the output, which reaches up to byte `end` now; `part` without its text."""

    end: int
    part: Part


def write_part(job: Job, number: int, before: Written | None, part: Part) -> Written:
    """Write a part behind the one before it, and give its text's memory back."""
    offset = before.end if before is not None else len(HEADER)
    descriptor = os.open(job.output, os.O_WRONLY)
    try:
        if part.path is not None:
            offset = copy_file(part.path, part.path_bytes, descriptor, offset)
        end = write_all(descriptor, [part.text.data[: part.text_bytes]], offset)
    finally:
        os.close(descriptor)
    TEXTS.give_back(job.sizes, part.text)
    with Beacon(job.folder, len(job.blocks) + number) as beacon:
        beacon.report(1, 0)
    return Written(end, replace(part, text=np.zeros(0, dtype=np.uint8), text_bytes=0))


def copy_file(path: Path, size: int, target: int, offset: int) -> int:
    """Copy a file of `size` bytes into `target` at `offset`; returns the offset behind it."""
    source = os.open(path, os.O_RDONLY)
    try:
        done = 0
        while done < size:
            data = os.pread(source, min(2**20, size - done), done)
            write_all(target, [memoryview(data)], offset + done)
            done += len(data)
    finally:
        os.close(source)
    path.unlink()
    return offset + size
