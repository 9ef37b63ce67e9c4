"""How an upload comes in: as a form (multipart/form-data, RFC 7578) whose files are streamed to
disk, limited while they stream, and refused unless whole. Its fields are held in memory. What is
wrong with a form is said.
"""

import codecs
import html
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import connection
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser, DataAndFiles
from rest_framework.request import Request

from bmat.api.access import begin_transfer
from bmat.api.errors import BROKEN_OFF, ApiError, UploadTooLarge
from bmat.api.services import disk
from bmat.api.services.disk import DiskFull, ReceivedFile

# What a request may hold beside its files.
FORM_BYTES = 2**20
CHUNK_BYTES = 2**20
# The server has all of a request of this size before it asks: nobody waits for its client.
SMALL_BYTES = 2**16
# What a preview may be sent of a file.
HEAD_BYTES = 2**20
MOST_HEADERS = 16
# What ends a form; what ends a part is as long.
DELIMITER = "\r\n--{}--"
FILE_FIELD = "input_file"
PLAIN_ENCODINGS = ("7bit", "8bit", "binary")

TOO_SLOW = "The upload came too slowly. Send it again."
NO_BOUNDARY = "Content-Type names no boundary: it must be multipart/form-data; boundary=..."
NO_PARTS = "The body holds no part: the boundary that Content-Type names is not in it."
NO_END = "The form has no end: behind its last part, --boundary-- is missing."
LF_LINES = "The form's boundaries and headers have the line end LF: it must be CRLF."
NO_NAME = "A part of the form has no name."
NO_FILENAME = "This part has no filename, so that it is no file: give it one."


def announced_bytes(request: HttpRequest) -> int:
    """How large the file of an upload is at least, by what its client says of the whole request."""
    return max(1, length_of(request) - FORM_BYTES)


def length_of(request: HttpRequest | Request) -> int:
    """The Content-Length; 0 where there is none."""
    return int(request.META.get("CONTENT_LENGTH") or 0)


def is_small(request: HttpRequest) -> bool:
    """Whether the server has all of the request by now."""
    return 0 < length_of(request) <= SMALL_BYTES


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
    ApiError `too_many_transfers` and `request_timeout`; ParseError and ValidationError, which say
    what is wrong with the form.
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
    `request_timeout`.
    """
    with ExitStack() as end:
        if not is_small(request):
            end.callback(begin_transfer(request, "uploads"))
        try:
            yield
        except UnreadablePostError as error:
            if isinstance(error.__cause__, TimeoutError):
                raise ApiError("request_timeout", TOO_SLOW) from error
            raise


class Form:
    """`announced_bytes`: how large its files are together at least, 0 where nobody knows.
    `limit_bytes`: how large they may be. `is_hashed`: whether the SHA-256 of its files is wanted.
    """

    def __init__(self, announced_bytes: int, limit_bytes: int, is_hashed: bool) -> None:
        self.limit_bytes = limit_bytes
        self.fields = QueryDict(mutable=True)
        self.files: MultiValueDict[str, Any] = MultiValueDict()
        self.file_bytes = self.field_bytes = 0
        self._announced_bytes = announced_bytes
        self._is_hashed = is_hashed
        self._opened: list[ReceivedFile] = []
        self._field_count = 0

    def read(self, stream: IO[bytes], boundary: str, length: int) -> None:
        """Reads the body. `length` is the one that was announced, or 0. Raises ParseError,
        ValidationError, UploadTooLarge, DiskFull and Django's errors about too many fields, files
        or bytes of fields.
        """
        part: Part | None = None
        try:
            for event in events_of(self._chunks(stream, length), boundary):
                if isinstance(event, MultipartSegment):
                    part = self._opened_part(event)
                    continue
                assert part is not None
                if event is None:
                    part.end()
                else:
                    part.write(event)
        except ParserLimitReached as error:
            raise TooManyFieldsSent(str(error)) from error
        except MultipartError as error:
            raise ParseError(what_is_wrong(str(error), has_parts=part is not None)) from error

    def _chunks(self, stream: IO[bytes], length: int) -> Iterator[bytes]:
        read_bytes = 0
        while chunk := stream.read(CHUNK_BYTES):
            read_bytes += len(chunk)
            if read_bytes > self.limit_bytes + FORM_BYTES:
                raise UploadTooLarge(self.limit_bytes)
            yield chunk
        if read_bytes < length:
            raise ParseError(BROKEN_OFF)

    def discard(self) -> None:
        """Removes every file of a request that is refused."""
        for file in self._opened:
            file.close()

    def _opened_part(self, segment: MultipartSegment) -> "Part":
        name, file_name = segment.name or "", file_name_of(segment)
        if not name:
            raise ParseError(NO_NAME)
        refuse_encoded(name, segment)
        if file_name is None:
            return self._opened_field(name, segment)
        if not file_name:
            return no_file(name)
        return self._opened_file(name, file_name, segment)

    def _opened_field(self, name: str, segment: MultipartSegment) -> "Part":
        if name == FILE_FIELD:
            raise ValidationError({FILE_FIELD: [NO_FILENAME]})
        self._field_count += 1
        if self._field_count > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
            raise TooManyFieldsSent("too many fields")
        charset, content = charset_of(name, segment), bytearray()

        def write(chunk: bytes) -> None:
            self.field_bytes += len(chunk)
            most_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            if most_bytes is not None and self.field_bytes > most_bytes:
                raise RequestDataTooBig("too many bytes of fields")
            content.extend(chunk)

        def end() -> None:
            try:
                self.fields.appendlist(name, content.decode(charset))
            except UnicodeDecodeError as error:
                message = f"This is no {charset} text: say which it is in the part's charset."
                raise ValidationError({name: [message]}) from error

        return Part(write, end)

    def _opened_file(self, name: str, file_name: str, segment: MultipartSegment) -> "Part":
        most = settings.BMAT_MAX_INPUTS
        if len(self._opened) >= most:
            raise ValidationError({name: [f"There are more than the {most} files of a report."]})
        charset = segment.charset and charset_of(name, segment)
        file = ReceivedFile(file_name, segment.content_type or "", charset, self._is_hashed)
        self._opened.append(file)
        if len(self._opened) == 1:
            file.reserve(self._announced_bytes)
        else:
            file.take_over(max(0, self._announced_bytes - self.file_bytes))
        self.files.appendlist(name, file)

        def write(chunk: bytes) -> None:
            self.file_bytes += len(chunk)
            if self.file_bytes > self.limit_bytes:
                raise UploadTooLarge(self.limit_bytes)
            file.write_chunk(chunk)

        return Part(write, file.complete)


def events_of(chunks: Iterable[bytes], boundary: str) -> Iterator[MultipartSegment | bytes | None]:
    """A part's head, what it holds, piece by piece, and None at its end. Raises MultipartError."""
    parser = PushMultipartParser(boundary, max_header_count=MOST_HEADERS)
    delimiter_bytes = len(DELIMITER.format(boundary).encode())
    # Whether the parser is amid a part, and has handed on all that it was given.
    is_amid_part = False
    for chunk in chunks:
        if is_amid_part and b"\r" not in chunk:
            # No delimiter begins here. The parser would take 15 times as long to search for one.
            yield chunk
            continue
        event = None
        for event in parser.parse(chunk):
            yield event
        is_amid_part = isinstance(event, bytes) and b"\r" not in chunk[-delimiter_bytes:]
    parser.close()


@dataclass(frozen=True)
class Part:
    """Where the bytes of a part of a form go, and what is done at its end."""

    write: Callable[[bytes], None]
    end: Callable[[], None]


def no_file(name: str) -> Part:
    """What a browser sends where nobody has chosen a file: an empty name, and nothing."""

    def write(chunk: bytes) -> None:
        raise ValidationError({name: [NO_FILENAME]})

    return Part(write, lambda: None)


def file_name_of(segment: MultipartSegment) -> str | None:
    """The last part of the file's name; None where the part is no file."""
    disposition = dict(segment.headerlist).get("Content-Disposition", "")
    named = segment.filename
    if "filename*" in disposition:
        named = parse_header_parameters(disposition)[1].get("filename", named)
    if named is None:
        return None
    return last_part(html.unescape(named))


def last_part(path: str) -> str:
    """The name at the end of a path as any system writes it, as far as it can be shown."""
    name = path.rsplit("/")[-1].rsplit("\\")[-1]
    printable = "".join(character for character in name if character.isprintable())
    return "" if printable in (".", "..") else printable


def charset_of(name: str, segment: MultipartSegment) -> str:
    """Python's name of a part's charset, UTF-8 if it names none. Raises ValidationError."""
    try:
        return codecs.lookup(segment.charset or "utf-8").name
    except LookupError as error:
        message = f"The charset of this part is not known here: {segment.charset:.40}"
        raise ValidationError({name: [message]}) from error


def refuse_encoded(name: str, segment: MultipartSegment) -> None:
    """Raises ValidationError where a part is not sent as it is."""
    headers = dict(segment.headerlist)
    encoding = headers.get("Content-Transfer-Encoding", "binary").strip().lower()
    if encoding not in PLAIN_ENCODINGS or "Content-Encoding" in headers:
        raise ValidationError({name: ["This part is encoded: send the file's own bytes."]})


def what_is_wrong(error: str, has_parts: bool) -> str:
    """The parser's error for a person."""
    if "line break" in error:
        return LF_LINES
    if "Unexpected end" in error:
        return NO_END if has_parts else NO_PARTS
    return f"The form cannot be read: {error}."
