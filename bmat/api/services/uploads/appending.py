"""Bytes on their way into the file of a resumable upload: one writer at a time, and synced before
they count.

Until it is whole, the file has the length that was announced for it, so that what the disk has not
got of it yet is reserved (bmat.api.services.disk). What lies behind the row's offset was never
confirmed: it is written over.
"""

import fcntl
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import connection

from bmat.api.services import disk
from bmat.api.services.disk import DiskFull, OneByOne

# What came after the last sync, which begins after so many bytes or seconds, is lost where the
# server is killed.
SYNC_BYTES = 2**25
SYNC_SECONDS = 5.0
# How long a request waits for one that is stuck to give the file up.
LOCK_SECONDS = 3.0
LOOK_AGAIN_SECONDS = 0.05
CHUNK_BYTES = 2**20


class Locked(Exception):
    """Another request is writing."""


class Interrupted(Exception):
    """This request was waiting for its client when another one came for the same upload: the
    client has lost its connection, most likely, and goes on with that one.
    """


def path_of(upload_id: UUID) -> Path:
    """The upload's file."""
    return Path(settings.FILE_UPLOAD_TEMP_DIR) / str(upload_id)


def wanted(upload_id: UUID) -> Path:
    """A file that is there while a request waits for the upload's lock."""
    return path_of(upload_id).with_suffix(".wanted")


@contextmanager
def made_file(upload_id: UUID, length: int) -> Iterator[BinaryIO]:
    """The file of a new upload, with room reserved for all of it. Raises OSError."""
    with path_of(upload_id).open("xb", buffering=0) as file:
        os.chmod(file.fileno(), settings.FILE_UPLOAD_PERMISSIONS)
        reserve(file, length)
        yield file


def reserve(file: BinaryIO, length: int) -> None:
    """Gives the file its announced length. Raises OSError."""
    os.truncate(file.fileno(), length)


@contextmanager
def locked(upload_id: UUID, waits: bool = True) -> Iterator[BinaryIO]:
    """The upload's file, which no other request writes in the block. Raises Locked, and
    FileNotFoundError.

    The lock is the system's, and ends with the process. A request that has waited for its client
    for a second gives it up; one that is writing keeps it.
    """
    with path_of(upload_id).open("r+b", buffering=0) as file:
        wait_for_lock(file, wanted(upload_id), LOCK_SECONDS if waits else 0)
        yield file


def wait_for_lock(file: BinaryIO, wanted: Path, wait_seconds: float) -> None:
    """Locks the file; `wanted` asks who has the lock for it. Raises Locked."""
    deadline = time.monotonic() + wait_seconds
    last_write = os.stat(file.fileno()).st_mtime_ns
    try:
        while not has_lock(file):
            is_written = os.stat(file.fileno()).st_mtime_ns != last_write
            if is_written or time.monotonic() >= deadline:
                raise Locked
            wanted.touch()
            time.sleep(LOOK_AGAIN_SECONDS)
    finally:
        wanted.unlink(missing_ok=True)


def has_lock(file: BinaryIO) -> bool:
    """Whether this process has the lock now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def while_waiting(upload_id: UUID) -> None:
    """What a request does while nothing comes. Raises Interrupted where another one waits for its
    lock.
    """
    release_connection()
    if wanted(upload_id).exists():
        raise Interrupted


def release_connection() -> None:
    """A slow client may take hours: meanwhile this thread has no connection to the database."""
    if not connection.in_atomic_block:
        connection.close()


class Appending:
    """Writes into the locked file from `offset` on. `record` is told offsets up to which all is
    synced.

    At the end of the block, whatever ended it, what was written is synced and recorded. With a
    `hasher`, nothing is recorded before `accept` was called: its digest decides about all of it.
    """

    def __init__(
        self,
        file: BinaryIO,
        offset: int,
        record: Callable[[int], None],
        hasher: Any = None,
    ) -> None:
        self._file, self._record, self._hasher = file, record, hasher
        self.offset = self._synced = self._allocated = offset
        self._is_kept = hasher is None
        self._synced_at = time.monotonic()
        self._beside = OneByOne()
        # What that thread syncs, and up to which offset.
        self._syncs: deque[tuple[Future[None], int]] = deque()

    def __enter__(self) -> "Appending":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._beside.end()
        finally:
            if self._is_kept:
                disk.sync_data(self._file.fileno())
                self._record(self.offset)

    def write(self, chunk: bytes) -> None:
        """Raises DiskFull, and OSError."""
        if self._hasher is not None:
            self._beside.do(self._hasher.update, chunk)
        if self.offset + len(chunk) > self._allocated:
            self._allocated = disk.allocate_ahead(self._file.fileno(), self.offset)
        left = memoryview(chunk)
        while left:
            written = os.pwrite(self._file.fileno(), left, self.offset)
            self.offset += written
            left = left[written:]
        self._sync_at_times()

    def digest(self) -> bytes:
        """That of all that was written."""
        self._beside.wait()
        digest: bytes = self._hasher.digest()
        return digest

    def accept(self) -> None:
        """What was written is what was sent."""
        self._is_kept = True

    def _sync_at_times(self) -> None:
        """The disk works while the next bytes come: what is left for the end is little."""
        self._record_synced()
        is_late = time.monotonic() - self._synced_at > SYNC_SECONDS
        if self.offset - self._synced < SYNC_BYTES and not is_late:
            return
        self._synced, self._synced_at = self.offset, time.monotonic()
        if not disk.has_room_for(0):
            raise DiskFull
        sync = self._beside.do(disk.sync_data, self._file.fileno())
        self._syncs.append((sync, self.offset))
        if is_late:
            self._beside.wait()
            self._record_synced()
            release_connection()

    def _record_synced(self) -> None:
        """Record what the other thread has synced meanwhile."""
        offset = None
        while self._syncs and self._syncs[0][0].done():
            sync, offset = self._syncs.popleft()
            sync.result()
        if offset is not None and self._is_kept:
            self._record(offset)
