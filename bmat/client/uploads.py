"""Uploads that go on where they broke off: the client's side of tus 1.0.

https://tus.io/protocols/resumable-upload: `POST` makes an upload and tells its address, `HEAD` says
how many of its bytes have arrived, `PATCH` sends more of them.
"""

import hashlib
import os
import stat
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx

from bmat.client.connection import Connection
from bmat.client.errors import ApiError, FileChanged, NoService, Temporary, UsageError

PATH = "uploads/"
KEY_HEADER = "Idempotency-Key"
VERSION = {"Tus-Resumable": "1.0.0"}
# In the order of preference.
ALGORITHMS = ("sha256", "sha1")
NOT_OFFERED = (404, 405, 501)
GONE = (404, 410)
OFFSET_CONFLICT, CHECKSUM_MISMATCH = 409, 460
LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES = 2**16, 2**23
# Of what has been sent since the connection broke, so much is sent at a time: no more than that
# can be lost when it breaks again.
CHUNK_SHARE = 16

OnSent = Callable[[int], None]


class UploadGone(Exception):
    """The service has no such upload: it has expired, was used, or is somebody else's."""


class HasReport(Exception):
    """A report was made of the upload: an earlier run has got so far."""

    def __init__(self, pid: str) -> None:
        super().__init__(pid)
        self.pid = pid


@dataclass(frozen=True)
class Source:
    """A file to send, as it was found: if it is another one in the end, nothing of it counts."""

    path: Path
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> "Source":
        """Raises OSError, and UsageError for what is no file: it could not be sent again."""
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{path} is no file.")
        # That it cannot be read is told before anything is sent.
        path.open("rb").close()
        return cls(path, found.st_size, found.st_mtime_ns)

    def check(self, file: IO[bytes]) -> None:
        """Raises FileChanged where the open file is not as it was found."""
        found = os.fstat(file.fileno())
        if (found.st_size, found.st_mtime_ns) != (self.size, self.modified_ns):
            raise FileChanged(f"{self.path} has changed while it was sent. Send it again.")


class Uploads:
    """The uploads of a service that offers them."""

    def __init__(self, connection: Connection, algorithm: str | None) -> None:
        self._connection = connection
        self._algorithm = algorithm

    @classmethod
    def offered(cls, connection: Connection) -> "Uploads | None":
        """None where the service does not offer them. Raises ApiError, NoService, Unreachable."""
        try:
            answer = connection.request("OPTIONS", PATH)
        except ApiError as error:
            if error.status in NOT_OFFERED:
                return None
            raise
        if "1.0.0" not in listed(answer, "Tus-Version"):
            return None
        known = listed(answer, "Tus-Checksum-Algorithm")
        if "checksum" not in listed(answer, "Tus-Extension"):
            known = []
        return cls(connection, next((each for each in ALGORITHMS if each in known), None))

    def create(self, source: Source, key: str) -> str:
        """The path of an upload of the file: the same one for the same key. Raises ApiError,
        NoService, Unreachable.
        """
        headers = {
            **VERSION,
            KEY_HEADER: key,
            "Upload-Length": str(source.size),
            # Its report is asked for once all files are there.
            "Upload-Metadata": f"filename {encoded(source.path.name)},report {encoded('false')}",
        }
        answer = self._connection.request("POST", PATH, headers=headers)
        path: str = urlsplit(answer.headers.get("Location", "")).path
        if not path.startswith("/"):
            raise NoService("The service has made an upload, but does not say where.")
        return path

    def send(self, path: str, source: Source, on_sent: OnSent) -> None:
        """Send what the upload lacks, however often the connection breaks. `on_sent` is told how
        many bytes have arrived. Raises UploadGone, HasReport, FileChanged, ApiError, NoService,
        Unreachable.
        """
        retries, since_broken = self._connection.retries(), 0
        with source.path.open("rb") as file:
            while True:
                try:
                    offset = self._offset(path)
                    on_sent(offset)
                    while offset < source.size:
                        file.seek(offset)
                        content = file.read(min(chunk_bytes(since_broken), source.size - offset))
                        source.check(file)
                        offset = self._append(path, offset, content)
                        since_broken += len(content)
                        retries.progressed()
                        on_sent(offset)
                    return
                except Temporary as failure:
                    since_broken = 0
                    retries.wait(failure)

    def discard(self, path: str) -> None:
        """Have the service forget the upload; what it does not do, it does when that expires."""
        try:
            self._connection.attempt("DELETE", path, headers=VERSION)
        except (ApiError, NoService, Temporary):
            return

    def _offset(self, path: str) -> int:
        """How many bytes have arrived. Raises UploadGone, HasReport, and as `attempt` does."""
        try:
            answer = self._connection.attempt("HEAD", path, headers=VERSION)
        except ApiError as error:
            if error.status in GONE:
                raise UploadGone from error
            raise
        if pid := answer.headers.get("Bmat-Report"):
            raise HasReport(pid)
        return offset_of(answer)

    def _append(self, path: str, offset: int, content: bytes) -> int:
        """Send the bytes from `offset` on; how many have arrived then. Raises as `_offset`."""
        headers = {
            **VERSION,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        if self._algorithm:
            digest = b64encode(hashlib.new(self._algorithm, content).digest()).decode()
            headers["Upload-Checksum"] = f"{self._algorithm} {digest}"
        try:
            answer = self._connection.attempt("PATCH", path, headers=headers, content=content)
        except ApiError as error:
            if error.status in GONE:
                raise UploadGone from error
            if error.status in (OFFSET_CONFLICT, CHECKSUM_MISMATCH):
                raise Temporary(str(error)) from error
            raise
        return offset_of(answer)


def chunk_bytes(since_broken: int) -> int:
    """How much is sent at a time where so many bytes have been sent since the connection broke: the
    more, the longer it has held.
    """
    return min(max(since_broken // CHUNK_SHARE, LEAST_CHUNK_BYTES), MOST_CHUNK_BYTES)


def encoded(text: str) -> str:
    """A value of Upload-Metadata."""
    return b64encode(text.encode(errors="replace")).decode()


def listed(answer: httpx.Response, header: str) -> list[str]:
    """The values of a header that are parted by commas."""
    return [each.strip() for each in answer.headers.get(header, "").split(",")]


def offset_of(answer: httpx.Response) -> int:
    """Raises NoService where the answer tells none."""
    text = answer.headers.get("Upload-Offset", "")
    if not text.isdecimal():
        raise NoService("The service does not say how much of the upload has arrived.")
    return int(text)
