"""The parts of a form (multipart/form-data, RFC 7578), as they come: files go to disk, fields are
held in memory. What is wrong with a form is said.
"""

import codecs
import html
from typing import IO, Any, Protocol

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser
from rest_framework.exceptions import APIException, ParseError, ValidationError

from bmat.api.services.disk import ReceivedFile

# What a request may hold beside its files.
FORM_BYTES = 2**20
CHUNK_BYTES = 2**20
MOST_HEADERS = 16
FILE_FIELD = "input_file"
PLAIN_ENCODINGS = ("7bit", "8bit", "binary")

BROKEN_OFF = "The upload ended before all of it had arrived. Send it again."
NO_PARTS = "The body holds no part: the boundary that Content-Type names is not in it."
NO_END = "The form has no end: behind its last part, --boundary-- is missing."
LF_LINES = "The form's boundaries and headers have the line end LF: it must be CRLF."
NO_NAME = "A part of the form has no name."
NO_FILENAME = "This part has no filename, so that it is no file: give it one."


class UploadTooLarge(APIException):
    """The request is larger than `limit_bytes`, which is BMAT_MAX_UPLOAD_BYTES for an upload."""

    status_code = 413
    default_code = "upload_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The upload is larger than the {limit_bytes} bytes that are accepted here."
        )


class Part(Protocol):
    """Where the bytes of a part go."""

    def write(self, chunk: bytes) -> None: ...

    def end(self) -> None: ...


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
        read_bytes = 0
        try:
            parser = PushMultipartParser(boundary, max_header_count=MOST_HEADERS)
            while chunk := stream.read(CHUNK_BYTES):
                read_bytes += len(chunk)
                if read_bytes > self.limit_bytes + FORM_BYTES:
                    raise UploadTooLarge(self.limit_bytes)
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        part = self._opened_part(event)
                        continue
                    assert part is not None
                    if event is None:
                        part.end()
                    else:
                        part.write(event)
            if read_bytes < length:
                raise ParseError(BROKEN_OFF)
            parser.close()
        except ParserLimitReached as error:
            raise TooManyFieldsSent(str(error)) from error
        except MultipartError as error:
            raise ParseError(what_is_wrong(str(error), has_parts=part is not None)) from error

    def discard(self) -> None:
        """Removes every file of a request that is refused."""
        for file in self._opened:
            file.close()

    def _opened_part(self, segment: MultipartSegment) -> Part:
        name, file_name = segment.name or "", file_name_of(segment)
        if not name:
            raise ParseError(NO_NAME)
        refuse_encoded(name, segment)
        if file_name is None:
            if name == FILE_FIELD:
                raise ValidationError({FILE_FIELD: [NO_FILENAME]})
            self._field_count += 1
            if self._field_count > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
                raise TooManyFieldsSent("too many fields")
            return FieldPart(self, name, charset_of(name, segment))
        if not file_name:
            return NoFile(name)
        most = settings.BMAT_MAX_INPUTS
        if len(self._opened) >= most:
            raise ValidationError({name: [f"There are more than the {most} files of a report."]})
        charset = segment.charset and charset_of(name, segment)
        media_type = segment.content_type or ""
        file = ReceivedFile(file_name, media_type, charset, self._is_hashed)
        self._opened.append(file)
        if len(self._opened) == 1:
            file.reserve(self._announced_bytes)
        else:
            file.take_over(max(0, self._announced_bytes - self.file_bytes))
        self.files.appendlist(name, file)
        return FilePart(self, file)


class FilePart:
    """A file of a form."""

    def __init__(self, form: Form, file: ReceivedFile) -> None:
        self._form, self._file = form, file

    def write(self, chunk: bytes) -> None:
        self._form.file_bytes += len(chunk)
        if self._form.file_bytes > self._form.limit_bytes:
            raise UploadTooLarge(self._form.limit_bytes)
        self._file.write_chunk(chunk)

    def end(self) -> None:
        self._file.complete()


class FieldPart:
    """A field of a form."""

    def __init__(self, form: Form, name: str, charset: str) -> None:
        self._form, self._name, self._charset = form, name, charset
        self._content = bytearray()

    def write(self, chunk: bytes) -> None:
        self._form.field_bytes += len(chunk)
        most_bytes = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if most_bytes is not None and self._form.field_bytes > most_bytes:
            raise RequestDataTooBig("too many bytes of fields")
        self._content += chunk

    def end(self) -> None:
        try:
            text = self._content.decode(self._charset)
        except UnicodeDecodeError as error:
            message = f"This is no {self._charset} text: say which it is in the part's charset."
            raise ValidationError({self._name: [message]}) from error
        self._form.fields.appendlist(self._name, text)


class NoFile:
    """What a browser sends where nobody has chosen a file: an empty name, and nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, chunk: bytes) -> None:
        raise ValidationError({self._name: [NO_FILENAME]})

    def end(self) -> None:
        pass


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
