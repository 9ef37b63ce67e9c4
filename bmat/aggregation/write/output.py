"""The output file: each part at its place, past the page cache where that pays.

Filling the page cache with bytes that nobody reads soon costs more processor time than writing them
straight to a disk: each page is allocated, copied to, tracked and thrown out again. The operating
system takes such writes (O_DIRECT) in whole pages only, from whole pages of memory. A page that a
part shares with the one before it or behind it goes through the page cache.
"""

import errno
import fcntl
import math
import os
import time
from contextlib import closing
from dataclasses import dataclass
from mmap import PAGESIZE
from pathlib import Path

from bmat.aggregation.exchange.parts import Part, Sums, added
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import Bytes, PaddedBytes, size_of
from bmat.aggregation.options import DATE_COLUMN, ROLES, TOTAL_COLUMN
from bmat.aggregation.system import O_DIRECT
from bmat.aggregation.workspace import WritingMemory

# So little is not worth the wait for the disk.
LEAST_DIRECT_BYTES = 2**20
# A disk that does not keep this pace gets the page cache before it, which is written in the
# background: a second of waiting would cost more than the processor time of so many bytes.
PACE_BYTES_PER_SECOND = 600e6
# So far it may fall behind, and so much of a lead counts: a short stall is no slow disk.
MOST_LEAD_SECONDS = 0.1


def header_of(group_by: tuple[str, ...]) -> bytes:
    """The first line of totals by these fields of the key."""
    columns = [*(ROLES[role] for role in group_by), DATE_COLUMN, TOTAL_COLUMN]
    return ",".join(columns).encode() + b"\n"


@dataclass(frozen=True)
class Placed:
    """A part's place in the output, from byte `start` to byte `end`; it and all before it come to
    `sums`.
    """

    start: int
    end: int
    sums: Sums


def place_part(job: Job, before: Placed | None, part: Part) -> Placed:
    """The place of a part behind the one before it."""
    start = before.end if before else len(header_of(job.group_by))
    sums = added(before.sums, part.sums) if before else part.sums
    return Placed(start, start + part.text.total_bytes, sums)


class PageWriter:
    """Writes to the output from byte `start` on, in memory that it is lent. Nobody else writes to
    the bytes between that and the last one.
    """

    def __init__(self, path: Path, memory: WritingMemory, start: int) -> None:
        self._descriptor = os.open(path, os.O_WRONLY)
        self._memory = memory
        self._buffer = memory.pages
        # What the buffer holds: the bytes `first` to `filled` of the page that begins at `offset`
        # and of those behind it.
        self._offset = start // PAGESIZE * PAGESIZE
        self._first = self._filled = start % PAGESIZE

    @property
    def is_direct(self) -> bool:
        """Whether the disk is written to past the page cache."""
        return self._memory.lead_seconds >= -MOST_LEAD_SECONDS

    def append(self, data: Bytes) -> None:
        """Write `data` behind all that came before."""
        done = 0
        while done < len(data):
            count = min(len(data) - done, len(self._buffer) - self._filled)
            self._buffer[self._filled : self._filled + count] = data[done : done + count]
            self._filled += count
            done += count
            if self._filled == len(self._buffer):
                self._flush()

    def close(self) -> None:
        """Write what is left."""
        try:
            self._flush()
            self._write_cached(self._first, self._filled)
        finally:
            os.close(self._descriptor)

    def _flush(self) -> None:
        """Write the whole pages of the buffer, and move the rest to its front."""
        whole = self._filled // PAGESIZE * PAGESIZE
        if not whole:
            return
        if self._first:
            self._write_cached(self._first, PAGESIZE)
            self._first = PAGESIZE
        if self.is_direct and whole - self._first >= LEAST_DIRECT_BYTES:
            self._write_direct(self._first, whole)
        else:
            self._write_cached(self._first, whole)
        rest = self._filled - whole
        self._buffer[:rest] = self._buffer[whole : self._filled]
        self._offset += whole
        self._first, self._filled = 0, rest

    def _write_direct(self, first: int, stop: int) -> None:
        """Write these bytes of the buffer, whole pages, straight to the disk; note its pace."""
        memory, begin = self._memory, time.monotonic()
        try:
            self._set_direct(True)
            self._write(first, stop)
        except OSError as error:
            # Not all file systems can; and what a full disk has cut short is no whole page.
            if error.errno != errno.EINVAL:
                raise
            memory.lead_seconds = -math.inf
            self._write_cached(first, stop)
            return
        lead_seconds = memory.lead_seconds + (stop - first) / PACE_BYTES_PER_SECOND
        lead_seconds -= time.monotonic() - begin
        memory.lead_seconds = min(lead_seconds, MOST_LEAD_SECONDS)

    def _write_cached(self, first: int, stop: int) -> None:
        """Write these bytes of the buffer through the page cache."""
        if first < stop:
            self._set_direct(False)
            self._write(first, stop)

    def _write(self, first: int, stop: int) -> None:
        view = self._buffer.data
        while first < stop:
            first += os.pwrite(self._descriptor, view[first:stop], self._offset + first)

    def _set_direct(self, is_direct: bool) -> None:
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        wanted = flags | O_DIRECT if is_direct else flags & ~O_DIRECT
        if wanted != flags:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, wanted)


def write_part(job: Job, number: int, placed: Placed, part: Part) -> None:
    """Write a part at its place, and give its text's memory back."""
    with job.workspace.writing.borrow() as memory, job.progress_of_part(number) as progress:
        with closing(PageWriter(job.output, memory, placed.start)) as writer:
            for stretch in part.text.stretches():
                progress.check()
                writer.append(stretch)
        progress.report(1, 0)
    text = PaddedBytes(part.text.buffer)
    # One from another process has no room behind what is used.
    if size_of(text) == job.sizes.written_text_bytes:
        job.workspace.texts.give_back(text)
