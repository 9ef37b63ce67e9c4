"""Files of requests on their way to the disk, and whether it has room: asked before somebody sends
for hours what then cannot be kept, or somebody's result cannot be written.

A file of the uploads' folder is as long as it was announced from its start on, and filled from
there: what the disk has not got of it yet is reserved, for all processes to see. One that comes in
parts is named by its id, and has its room reserved until it is removed.
"""

import ctypes
import hashlib
import os
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.db.models import Sum

from bmat.api.errors import ApiError
from bmat.api.models import Report, Upload
from bmat.api.services import files

# The unit of st_blocks. https://man7.org/linux/man-pages/man3/stat.3type.html
BLOCK_BYTES = 512
# A file to which nothing was added for this long is left over from a process that died: the web
# server gives a client less.
STALE_SECONDS = 300
# After each of these, the disk is asked again whether it has room.
STEP_BYTES = 2**26
# The file system finds room for so much at once, ahead of what is written.
ALLOCATED_BYTES = 2**25
LIBRARY = ctypes.CDLL(None)
# macOS has no fdatasync.
sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


def has_room_for(more_bytes: int) -> bool:
    """Whether BMAT_MIN_FREE_BYTES would stay free with `more_bytes` on the disk, and all of the
    uploads that are under way.
    """
    free_bytes = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    return free_bytes - reserved_bytes() - more_bytes >= settings.BMAT_MIN_FREE_BYTES


def has_room_for_upload(upload_bytes: int) -> bool:
    """The same with an upload, its result, and the results of all reports that are not finished."""
    return has_room_for(2 * upload_bytes + expected_bytes())


def expected_bytes() -> int:
    """What is still to be written of results: one is seldom larger than what was uploaded. What
    comes in parts will have a result, or be joined with others.
    """
    unfinished = Report.objects.filter(status=Report.Status.PROCESSING)
    return (unfinished.aggregate(sum=Sum("input_bytes"))["sum"] or 0) + (
        Upload.objects.kept().held_bytes()
    )


def reserved_bytes() -> int:
    """What is still to come of the uploads that are under way."""
    fresh = time.time() - STALE_SECONDS
    reserved = 0
    for entry in os.scandir(settings.FILE_UPLOAD_TEMP_DIR):
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        # An upload that comes in parts may pause for long.
        if stat.st_mtime >= fresh or files.is_uuid(entry.name):
            reserved += max(0, stat.st_size - stat.st_blocks * BLOCK_BYTES)
    return reserved


def allocate_ahead(descriptor: int, offset: int) -> int:
    """Has the file system find room for what is announced of a file from `offset` on, where it can,
    ALLOCATED_BYTES at most: to write them takes a third less time then. What has no room, its
    writing will tell. The offset from which on to call this again.

    Python's `os.posix_fallocate` would write to every block where the file system cannot.
    https://man7.org/linux/man-pages/man2/fallocate.2.html
    """
    length = min(os.fstat(descriptor).st_size - offset, ALLOCATED_BYTES)
    if length > 0 and hasattr(LIBRARY, "fallocate"):
        LIBRARY.fallocate(descriptor, 0, ctypes.c_int64(offset), ctypes.c_int64(length))
    return offset + ALLOCATED_BYTES


class DiskFull(ApiError):
    """There is, or would be, less than BMAT_MIN_FREE_BYTES left."""

    default_code = "disk_full"


class ReceivedFile(TemporaryUploadedFile):
    """A file of a request. Until it is complete, it is open, and has the length that was announced
    for it: what it has not got on the disk yet is reserved for it. Unless it has another place by
    then, it is removed when it is closed.

    Where `is_hashed`, `sha256` is that of its bytes, found by another thread beside the writing.
    """

    def __init__(self, name: str, media_type: str, charset: str | None, is_hashed: bool) -> None:
        file = tempfile.NamedTemporaryFile(
            prefix="upload-", dir=settings.FILE_UPLOAD_TEMP_DIR, buffering=0
        )
        UploadedFile.__init__(self, file, name, media_type, 0, charset)
        self._opened = file.file
        self.sha256 = hashlib.sha256()
        self._hashing = OneByOne() if is_hashed else None
        self._flushing = OneByOne()
        self._written_bytes = self._allocated_bytes = 0

    def reserve(self, announced_bytes: int) -> None:
        """Raises DiskFull where there is no room for as many."""
        if not has_room_for(announced_bytes):
            raise DiskFull
        self.take_over(announced_bytes)

    def take_over(self, announced_bytes: int) -> None:
        """Reserves what a file before it had reserved and not needed."""
        os.truncate(self.fileno(), announced_bytes)

    def write_chunk(self, chunk: bytes) -> None:
        """Appends to the file. Raises DiskFull, and OSError."""
        if self._hashing is not None:
            self._hashing.do(self.sha256.update, chunk)
        if self._written_bytes + len(chunk) > self._allocated_bytes:
            self._allocated_bytes = allocate_ahead(self.fileno(), self._written_bytes)
        left = memoryview(chunk)
        while left:
            left = left[self.write(left) :]
        steps = self._written_bytes // STEP_BYTES
        self._written_bytes += len(chunk)
        if steps < self._written_bytes // STEP_BYTES:
            if not has_room_for(0):
                raise DiskFull
            # The disk works while the next bytes come: what is left for the end is little.
            self._flushing.do(sync_data, self.fileno())

    def complete(self) -> None:
        """All of it has come."""
        self._wait()
        self.size = self._written_bytes
        os.truncate(self.fileno(), self.size)
        # `file` removes it in the end. Of a thousand that are complete, none takes a descriptor.
        self._opened.close()

    def put_at(self, path: Path) -> None:
        """Makes `path` the file's only name. Raises OSError."""
        os.chmod(self.temporary_file_path(), settings.FILE_UPLOAD_PERMISSIONS)
        os.rename(self.temporary_file_path(), path)

    def close(self) -> None:
        try:
            self._wait()
        finally:
            super().close()

    def _wait(self) -> None:
        self._flushing.end()
        if self._hashing is not None:
            self._hashing.end()


class OneByOne:
    """Work that another thread does, in order, a few steps behind. The thread begins with it."""

    MOST_BEHIND = 4

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._behind: deque[Future[Any]] = deque()

    def do(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Takes one more on. Raises what an earlier one has raised."""
        future = self._thread.submit(work, *arguments)
        self._behind.append(future)
        if len(self._behind) > self.MOST_BEHIND:
            self._behind.popleft().result()
        return future

    def wait(self) -> None:
        """Waits until all is done. Raises what it has raised."""
        while self._behind:
            self._behind.popleft().result()

    def end(self) -> None:
        """The same, and takes no more on."""
        try:
            self.wait()
        finally:
            self._thread.shutdown()
