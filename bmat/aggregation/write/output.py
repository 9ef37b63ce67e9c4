"""The output file: each part behind the one before it, past the page cache where that pays.

Filling the page cache with bytes that nobody reads soon costs more processor time than writing them
straight to a disk: each page is allocated, copied to, tracked and thrown out again. The operating
system takes such writes (O_DIRECT) in whole pages only, from whole pages of memory.
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

import numpy as np

from bmat.aggregation.exchange.parts import Part, Sums, added
from bmat.aggregation.exchange.scratch import write_at
from bmat.aggregation.job import Job
from bmat.aggregation.kernels.arrays import Bytes, PaddedBytes
from bmat.aggregation.options import DATE_COLUMN, ROLES, TOTAL_COLUMN
from bmat.aggregation.system import O_DIRECT
from bmat.aggregation.workspace import PAGE_BUFFER_BYTES, Pool

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


class PageWriter:
    """Writes to the output from byte `offset` on, a multiple of the page size; first `tail`.

    When it is closed, all but the last bytes are written, fewer than a page: they are `tail` then,
    and belong at `offset`. `lead_seconds` is how far the disk has been ahead of PACE: it decides
    whether it is worth to be written to directly.
    """

    def __init__(
        self, path: Path, buffers: Pool[Bytes], offset: int, tail: bytes, lead_seconds: float
    ) -> None:
        self.offset = offset
        self.tail = tail
        self.lead_seconds = lead_seconds
        self._descriptor = os.open(path, os.O_WRONLY)
        self._buffers = buffers
        self._buffer = buffers.take()
        self._buffer[: len(tail)] = np.frombuffer(tail, dtype=np.uint8)
        self._filled = len(tail)

    @property
    def is_direct(self) -> bool:
        """Whether it still writes past the page cache."""
        return self.lead_seconds >= -MOST_LEAD_SECONDS

    def append(self, data: Bytes) -> None:
        """Write `data` behind all that came before."""
        done = 0
        while done < len(data):
            count = min(len(data) - done, PAGE_BUFFER_BYTES - self._filled)
            self._buffer[self._filled : self._filled + count] = data[done : done + count]
            self._filled += count
            done += count
            if self._filled == PAGE_BUFFER_BYTES:
                self._flush()

    def close(self) -> None:
        """Write what is left, and set `tail`."""
        try:
            self._flush()
            self.tail = self._buffer[: self._filled].tobytes()
            self._buffers.give_back(self._buffer)
        finally:
            os.close(self._descriptor)

    def _flush(self) -> None:
        """Write the whole pages of the buffer, and move the rest to its front."""
        whole = self._filled // PAGESIZE * PAGESIZE
        is_direct = self.is_direct and whole >= LEAST_DIRECT_BYTES
        self._set_direct(is_direct)
        begin = time.monotonic()
        self._write(self._buffer.data[:whole])
        if is_direct:
            lead_seconds = self.lead_seconds + whole / PACE_BYTES_PER_SECOND
            lead_seconds -= time.monotonic() - begin
            self.lead_seconds = min(lead_seconds, MOST_LEAD_SECONDS)
        rest = self._filled - whole
        self._buffer[:rest] = self._buffer[whole : self._filled]
        self._filled = rest

    def _write(self, view: memoryview) -> None:
        while view:
            try:
                written = os.pwrite(self._descriptor, view, self.offset)
            except OSError as error:
                # Not all file systems can; and what a full disk has cut short is no whole page.
                if error.errno != errno.EINVAL or not self.is_direct:
                    raise
                self.lead_seconds = -math.inf
                self._set_direct(False)
                continue
            self.offset += written
            view = view[written:]

    def _set_direct(self, is_direct: bool) -> None:
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        wanted = flags | O_DIRECT if is_direct else flags & ~O_DIRECT
        if wanted != flags:
            try:
                fcntl.fcntl(self._descriptor, fcntl.F_SETFL, wanted)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                self.lead_seconds = -math.inf


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
        writer = PageWriter(
            job.output, job.workspace.pages, 0, header_of(job.group_by), lead_seconds=0.0
        )
    else:
        writer = PageWriter(
            job.output, job.workspace.pages, before.end, before.tail, before.lead_seconds
        )
    with closing(writer), job.progress_of_part(number) as progress:
        for stretch in part.text.stretches():
            progress.check()
            writer.append(stretch)
    job.workspace.texts.give_back(PaddedBytes(part.text.buffer))
    with job.progress_of_part(number) as progress:
        progress.report(1, 0)
    return Written(
        end=writer.offset,
        tail=writer.tail,
        lead_seconds=writer.lead_seconds,
        sums=added(before.sums, part.sums) if before else part.sums,
    )


def write_last(job: Job, last: Written) -> None:
    """Write what the last part has left: the output is whole then."""
    write_at(job.output, [memoryview(last.tail)], last.end)
