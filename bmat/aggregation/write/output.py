"""The output file: each part at its place, past the page cache where that pays.

Filling the page cache with bytes that nobody reads soon costs more processor time than writing them
straight to a disk: each page is allocated, copied to, tracked and thrown out again. The operating
system takes such writes (O_DIRECT) in whole pages only, from whole pages of memory.

Parts are written side by side, maybe on several machines. Of a page that two parts share, the
second one writes all: a network file system may write zeros for what a machine does not know of.
"""

import errno
import fcntl
import math
import os
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bmat.aggregation.exchange.parts import Part, Sums, added
from bmat.aggregation.exchange.scratch import write_at
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import Bytes
from bmat.aggregation.options import DATE_COLUMN, ROLES, TOTAL_COLUMN
from bmat.aggregation.system import O_DIRECT
from bmat.aggregation.workspace import WritingMemory

# The largest pages that any of the machines may have; all of them must part the output alike.
PAGE_BYTES = 2**16
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
    """A part's place in the output. It follows on `begin`, what those before it have left, which
    belongs at byte `offset`, the first one of a page. Of both, the whole pages are written there,
    `size` bytes, and `rest` is left. All parts up to it come to `sums`.
    """

    offset: int
    begin: bytes
    size: int
    rest: bytes
    sums: Sums

    @property
    def end(self) -> int:
        """Where `rest` belongs."""
        return self.offset + self.size


def place_part(job: Job, before: Placed | None, part: Part) -> Placed:
    """The place of a part behind the one before it."""
    offset, begin = (before.end, before.rest) if before else (0, header_of(job.group_by))
    left = (len(begin) + part.text.total_bytes) % PAGE_BYTES
    rest = begin + part.text.end(min(PAGE_BYTES, part.text.total_bytes))
    return Placed(
        offset=offset,
        begin=begin,
        size=len(begin) + part.text.total_bytes - left,
        rest=rest[len(rest) - left :],
        sums=added(before.sums, part.sums) if before else part.sums,
    )


class PageWriter:
    """Writes whole pages to the output, from byte `offset` on, in memory that it is lent. What it
    is given beyond them is not written.
    """

    def __init__(self, path: Path, memory: WritingMemory, offset: int) -> None:
        self._descriptor = os.open(path, os.O_WRONLY)
        self._memory = memory
        self._buffer = memory.pages
        self._offset = offset
        self._filled = 0

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
        """Write the pages that are left."""
        try:
            self._flush()
        finally:
            os.close(self._descriptor)

    def _flush(self) -> None:
        """Write the whole pages of the buffer. Where some are not, it is the end."""
        whole = self._filled // PAGE_BYTES * PAGE_BYTES
        if self.is_direct and whole >= LEAST_DIRECT_BYTES:
            self._write_direct(whole)
        elif whole:
            self._set_direct(False)
            self._write(whole)
        self._offset += whole
        self._filled = 0

    def _write_direct(self, size: int) -> None:
        """Write these bytes of the buffer straight to the disk; note its pace."""
        memory, begin = self._memory, time.monotonic()
        try:
            self._set_direct(True)
            self._write(size)
        except OSError as error:
            # Not all file systems can; and what a full disk has cut short is no whole page.
            if error.errno != errno.EINVAL:
                raise
            memory.lead_seconds = -math.inf
            self._set_direct(False)
            self._write(size)
            return
        lead_seconds = memory.lead_seconds + size / PACE_BYTES_PER_SECOND
        lead_seconds -= time.monotonic() - begin
        memory.lead_seconds = min(lead_seconds, MOST_LEAD_SECONDS)

    def _write(self, size: int) -> None:
        view, done = self._buffer.data, 0
        while done < size:
            done += os.pwrite(self._descriptor, view[done:size], self._offset + done)

    def _set_direct(self, is_direct: bool) -> None:
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        wanted = flags | O_DIRECT if is_direct else flags & ~O_DIRECT
        if wanted != flags:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, wanted)


def write_part(job: Job, partitions: range, placed: Placed, part: Part) -> None:
    """Write the part of these partitions at its place."""
    with (
        job.workspace.writing.borrow() as memory,
        job.progress_of_part(partitions[0]) as progress,
    ):
        with closing(PageWriter(job.output, memory, placed.offset)) as writer:
            writer.append(np.frombuffer(placed.begin, dtype=np.uint8))
            for stretch in part.text.stretches():
                progress.check()
                writer.append(stretch)
        progress.report(len(partitions), 0)


def write_last(job: Job, last: Placed) -> None:
    """Write what the last part has left: the output is whole then."""
    write_at(job.output, [memoryview(last.rest)], last.end)
