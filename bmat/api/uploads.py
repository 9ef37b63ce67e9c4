"""How an upload comes in: streamed to a file of its own, limited while it streams, and refused
unless whole.
"""

import hashlib
from contextlib import ExitStack
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser

from bmat.aggregation.errors import NO_ROOM
from bmat.api.services import disk

# What a request may hold beside its files.
FORM_BYTES = 2**20
CHUNK_BYTES = 2**16
BROKEN_OFF = "The upload ended before all of it had arrived. Send it again."


def announced_bytes(request: HttpRequest) -> int:
    """How large the file of an upload is at least, by what its client says of the whole request."""
    return max(1, int(request.META.get("CONTENT_LENGTH") or 0) - FORM_BYTES)


class UploadTooLarge(APIException):
    """The request is larger than BMAT_MAX_UPLOAD_BYTES."""

    status_code = 413
    default_code = "upload_too_large"

    def __init__(self) -> None:
        limit = settings.BMAT_MAX_UPLOAD_BYTES
        super().__init__(f"The upload is larger than the {limit} bytes that are accepted here.")


class DiskFull(APIException):
    """There is, or would be, less than BMAT_MIN_FREE_BYTES left."""

    status_code = 507
    default_detail = "There is no room for the upload here at the moment. Try again later."
    default_code = "disk_full"


class ReceivedFile(TemporaryUploadedFile):
    """A file of a request, on disk, with the SHA-256 of its bytes."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.sha256 = hashlib.sha256()

    def write_chunk(self, chunk: bytes) -> None:
        """Appends to the file. Raises DiskFull."""
        self.sha256.update(chunk)
        try:
            self.write(chunk)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise DiskFull from error
            raise


class LimitedUploadHandler(TemporaryFileUploadHandler):
    """Writes each file to FILE_UPLOAD_TEMP_DIR. Raises UploadTooLarge or DiskFull before anything
    is read where the Content-Length tells, else as soon as the files of the request pass the limit
    or the disk is full.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.received_bytes = 0
        self.opened: list[ReceivedFile] = []
        self.file: ReceivedFile

    def handle_raw_input(
        self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any
    ) -> None:
        """Looks at the Content-Length. Clients that wait for "100 Continue" then send nothing."""
        if content_length > settings.BMAT_MAX_UPLOAD_BYTES + FORM_BYTES:
            raise UploadTooLarge
        if not disk.has_room_for(content_length):
            raise DiskFull

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Opens the next file. Django's own would give it the ending of the user's file name."""
        FileUploadHandler.new_file(self, *args, **kwargs)
        self.file = ReceivedFile(
            "upload", self.content_type, 0, self.charset, self.content_type_extra
        )
        self.file.name = self.file_name
        self.opened.append(self.file)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.received_bytes += len(raw_data)
        if self.received_bytes > settings.BMAT_MAX_UPLOAD_BYTES:
            raise UploadTooLarge
        self.file.write_chunk(raw_data)

    def discard(self) -> None:
        """Removes every file of a request that is refused. Django leaves the last one behind."""
        for file in self.opened:
            file.close()


class CountingStream:
    """Passes a request's body on, and counts its bytes."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.read_bytes = 0

    def read(self, size: int) -> bytes:
        chunk: bytes = self._stream.read(size)
        self.read_bytes += len(chunk)
        return chunk

    def drain(self) -> None:
        """Reads the rest, if anything was read: a client that is still sending would not listen."""
        while self.read_bytes and self.read(CHUNK_BYTES):
            pass


class WholeMultiPartParser(MultiPartParser):
    """Refuses a body that ends before its Content-Length, and leaves nothing of what it refuses.

    Django's own parser would take what came of a file for the whole.
    """

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> "DataAndFiles[Any, Any]":
        request = parser_context["request"]
        counted = CountingStream(stream)
        with ExitStack() as on_failure:
            for handler in request.upload_handlers:
                on_failure.callback(handler.discard)
            try:
                parsed = super().parse(cast(IO[bytes], counted), media_type, parser_context)
            except (UploadTooLarge, DiskFull):
                # Where too much was announced, it was refused unread, and this reads nothing.
                counted.drain()
                raise
            if counted.read_bytes < int(request.META.get("CONTENT_LENGTH") or 0):
                raise ParseError(BROKEN_OFF)
            on_failure.pop_all()
        return parsed
