"""How an upload comes in: under a key, if it may be sent again; as a form whose file is streamed to
disk, limited while it streams, and refused unless whole.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connection
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.request import Request

from bmat.api.access import begin_transfer
from bmat.api.forms import FORM_BYTES, Form, UploadTooLarge
from bmat.api.models.idempotency import KEY_LENGTH
from bmat.api.services import disk
from bmat.api.services.disk import DiskFull

# The server has all of a request of this size before it asks: nobody waits for its client.
SMALL_BYTES = 2**16
# What a preview may be sent of a file.
HEAD_BYTES = 2**20
# https://docs.stripe.com/api/idempotent_requests
KEY_HEADER, REPLAYED_HEADER = "Idempotency-Key", "Idempotent-Replayed"
NO_BOUNDARY = "Content-Type names no boundary: it must be multipart/form-data; boundary=..."


def idempotency_key(request: Request) -> str | None:
    """The key that the request carries: it creates one thing, however often it is sent. None where
    it carries none. Raises ValidationError.
    """
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (
        1 <= len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()
    ):
        message = f"Send 1 to {KEY_LENGTH} printable ASCII characters, or no such header."
        raise ValidationError({KEY_HEADER: [message]})
    return key


def announced_bytes(request: HttpRequest) -> int:
    """How large the file of an upload is at least, by what its client says of the whole request."""
    return max(1, length_of(request) - FORM_BYTES)


def length_of(request: HttpRequest | Request) -> int:
    """The Content-Length; 0 where there is none."""
    return int(request.META.get("CONTENT_LENGTH") or 0)


def is_small(request: HttpRequest) -> bool:
    """Whether the server has all of the request by now."""
    return 0 < length_of(request) <= SMALL_BYTES


class UploadTimedOut(APIException):
    """The client has sent nothing, or next to nothing, for too long."""

    status_code = 408
    default_detail = "The upload came too slowly. Send it again."
    default_code = "request_timeout"


class UploadRequest(WSGIRequest):
    """A request whose body may come without a Content-Length, where the server knows its end."""

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ and "CONTENT_LENGTH" not in environ
        if is_chunked and environ.get("wsgi.input_terminated"):
            self._stream = environ["wsgi.input"]
            # DRF reads no body whose length is 0.
            self.META["HTTP_CONTENT_LENGTH"] = "-1"


class Handler(WSGIHandler):
    """Django, with requests of this kind."""

    request_class = UploadRequest


class UploadParser(BaseParser):
    """DRF's way to `read_form`, for a file of at most BMAT_MAX_UPLOAD_BYTES."""

    media_type = "multipart/form-data"

    @property
    def limit_bytes(self) -> int:
        limit: int = settings.BMAT_MAX_UPLOAD_BYTES
        return limit

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> "DataAndFiles[Any, Any]":
        request = parser_context["request"]._request
        return DataAndFiles(*read_form(request, stream, self.limit_bytes))


class HeadParser(UploadParser):
    """The same for the head of a file."""

    limit_bytes = HEAD_BYTES


def read_form(
    request: HttpRequest, stream: IO[bytes], limit_bytes: int
) -> "tuple[QueryDict, MultiValueDict[str, Any]]":
    """The fields and files of a request's body, these of at most `limit_bytes`.

    Nothing is left of what is refused: raises UploadTooLarge or DiskFull before anything is read
    where the Content-Length tells, else as soon as the files pass the limit or the disk is full;
    ApiError `too_many_transfers`; UploadTimedOut; ParseError and ValidationError, which say what is
    wrong with the form.
    """
    length = length_of(request)
    if length > limit_bytes + FORM_BYTES:
        raise UploadTooLarge(limit_bytes)
    # The results of others are not asked for where hardly anything is added.
    has_room = disk.has_room_for if is_small(request) else disk.has_room_for_upload
    if not has_room(length):
        raise DiskFull
    content_type = request.META.get("CONTENT_TYPE", "")
    boundary = parse_header_parameters(content_type)[1].get("boundary")
    if not boundary:
        raise ParseError(NO_BOUNDARY)
    if not is_small(request) and not connection.in_atomic_block:
        # An upload may take hours: meanwhile its thread has no connection to the database.
        connection.close()
    announced = announced_bytes(request) if length else 0
    form = Form(announced, limit_bytes, "HTTP_IDEMPOTENCY_KEY" in request.META)
    with receiving(request), ExitStack() as on_failure:
        on_failure.callback(form.discard)
        form.read(stream, boundary, length)
        on_failure.pop_all()
    return form.fields, form.files


@contextmanager
def receiving(request: HttpRequest) -> Iterator[None]:
    """The time in which the request's body is read. Raises ApiError `too_many_transfers` and
    UploadTimedOut.
    """
    with ExitStack() as end:
        if not is_small(request):
            end.callback(begin_transfer(request, "uploads"))
        try:
            yield
        except UnreadablePostError as error:
            if isinstance(error.__cause__, TimeoutError):
                raise UploadTimedOut from error
            raise
