"""The answer to a request for a kept file: whole, a range of it, changed on the way, not at all
because the client has it, or by the proxy. Memory holds one chunk, however large the file.
"""

import hashlib
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe
from rest_framework.request import Request
from werkzeug.http import parse_range_header

from bmat.api.access import begin_transfer
from bmat.api.downloads.formats import Wanted, excel_safe, prefers_gzip
from bmat.api.errors import CODES, ApiError

CHUNK_BYTES = 2**18
# The proxy's folder in which it does not compress.
PLAIN = "plain/"
# The fastest: a download shall not wait for the processor. Its output is a third larger than the
# smallest.
GZIP_LEVEL = 1
# What makes zlib write the frame of gzip. https://docs.python.org/3/library/zlib.html
GZIP_WINDOW_BITS = 31
DEFAULT_STEM = "report"
STEM_LENGTH = 100
# Separate folders, or mean something to a shell or to Windows.
SPECIAL = '/\\:*?"<>|'


@dataclass(frozen=True)
class KeptFile:
    """A file of a result: it never changes. `modified` is in seconds since 1970."""

    path: Path
    size: int
    modified: int
    tag: str

    @classmethod
    def at(cls, path: Path) -> "KeptFile":
        """Raises FileNotFoundError."""
        stat = path.stat()
        identity = f"{path.parent.name}/{path.name}/{stat.st_size}/{stat.st_mtime_ns}"
        tag = hashlib.sha256(identity.encode()).hexdigest()[:32]
        return cls(path, stat.st_size, int(stat.st_mtime), tag)


@dataclass(frozen=True)
class Download:
    """A kept file, and how the client wants it. `saved_as`: the name that a browser gives it."""

    kept: KeptFile
    wanted: Wanted
    is_gzipped: bool
    saved_as: str

    @property
    def is_changed(self) -> bool:
        """Whether the client gets other bytes than those of the file."""
        return self.is_gzipped or self.wanted.excel_safe

    @property
    def etag(self) -> str:
        """Strong for the file's own bytes. What is made of them on the way may be made by another
        zlib tomorrow: it means the same then, but need not be the same.
        """
        safe = "-excel-safe" if self.wanted.excel_safe else ""
        gzip = "-gzip" if self.is_gzipped else ""
        return f'W/"{self.kept.tag}{safe}{gzip}"' if self.is_changed else f'"{self.kept.tag}"'

    def headers(self) -> dict[str, str]:
        """What every answer about it says."""
        return {
            "Content-Type": self.wanted.format.media_types[0],
            "Content-Disposition": content_disposition_header(True, self.saved_as) or "",
            "ETag": self.etag,
            "Last-Modified": http_date(self.kept.modified),
            # It may be kept by whom it belongs to, and is asked for again: it may have been
            # deleted.
            "Cache-Control": "private, no-cache",
            "Vary": "Accept, Accept-Encoding",
        }


class Body:
    """The chunks of a response. Closes the file with the response, read or not, and calls `end`.

    Raises FileNotFoundError at once where there is no file.
    """

    def __init__(self, path: Path, start: int, stop: int) -> None:
        self.end: Callable[[], None] = lambda: None
        self._file = path.open("rb", buffering=0)
        self.chunks: Iterator[bytes] = stretch(self._file, start, stop)

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self._file.close()
        self.end()


def download_of(request: Request, path: Path, wanted: Wanted, saved_as: str) -> Download:
    """The file at `path` as the request wants it. Raises FileNotFoundError."""
    # A range is one of the file's own bytes: a compressed answer has none.
    prefers = "Range" not in request.headers or wanted.excel_safe
    is_gzipped = (
        prefers
        and wanted.format.is_text
        and prefers_gzip(request.headers.get("Accept-Encoding", ""))
    )
    return Download(KeptFile.at(path), wanted, is_gzipped, saved_as)


def file_response(request: Request, download: Download) -> HttpResponseBase:
    """The response. Raises FileNotFoundError, and ApiError where the request means another file, or
    bytes that there are not.
    """
    bare = HttpResponse(headers=download.headers())
    conditional = get_conditional_response(
        request, etag=download.etag, last_modified=download.kept.modified, response=bare
    )
    if conditional is not None and conditional.status_code == CODES["precondition_failed"].status:
        raise ApiError("precondition_failed")
    if conditional is not bare:
        return conditional or bare
    if is_for_the_proxy(request, download):
        bare["X-Accel-Redirect"] = accel_path(download.kept.path, download.is_gzipped)
        return bare
    if download.is_changed:
        return changed(request, download)
    return unchanged(request, download)


def is_for_the_proxy(request: Request, download: Download) -> bool:
    """Whether the proxy sends the file: it can compress, but cannot escape cells; and nginx
    compares `If-Match` with an ETag of its own.
    """
    is_possible = not download.wanted.excel_safe and "If-Match" not in request.headers
    return bool(settings.BMAT_ACCEL_PREFIX) and is_possible


def accel_path(path: Path, is_gzipped: bool) -> str:
    """The proxy's internal path of a file: below `plain/`, it does not compress. Raises ValueError
    for one that is not in the reports' folder.
    """
    inside = path.resolve().relative_to(Path(settings.BMAT_REPORTS_FOLDER).resolve())
    plain = "" if is_gzipped else PLAIN
    return f"{settings.BMAT_ACCEL_PREFIX}{plain}{quote(inside.as_posix())}"


def changed(request: Request, download: Download) -> HttpResponseBase:
    """The whole file, changed while it is sent: nobody knows its length before. Raises ApiError
    `too_many_transfers`.
    """
    headers = download.headers()
    if download.is_gzipped:
        headers["Content-Encoding"] = "gzip"
    if request.method == "HEAD":
        # Django would give any other empty response a Content-Length of 0.
        return StreamingHttpResponse(headers=headers)
    body = Body(download.kept.path, 0, download.kept.size)
    try:
        body.end = begin_transfer(request, "downloads")
    except ApiError:
        body.close()
        raise
    if download.wanted.excel_safe:
        body.chunks = excel_safe(body.chunks)
    if download.is_gzipped:
        body.chunks = gzipped(body.chunks)
    return StreamingHttpResponse(body, headers=headers)


def unchanged(request: Request, download: Download) -> HttpResponseBase:
    """The file's own bytes: all, or those of the range that the request names."""
    kept, headers = download.kept, {**download.headers(), "Accept-Ranges": "bytes"}
    wanted = wanted_range(request, download)
    start, stop = wanted or (0, kept.size)
    headers["Content-Length"] = str(stop - start)
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{kept.size}"
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    status = 200 if wanted is None else 206
    response = StreamingHttpResponse(Body(kept.path, start, stop), status=status, headers=headers)
    # Where the web server can, it reads the file by itself.
    response.file_to_send = (str(kept.path), start, stop)  # type: ignore[attr-defined]
    return response


def wanted_range(request: Request, download: Download) -> tuple[int, int] | None:
    """The first byte and the one behind the last; None where the whole file is to be sent: no
    range, several of them, one that cannot be read, or one of a file that `If-Range` does not mean.
    RFC 9110, sections 13.1.5 and 14.

    Raises ApiError range_not_satisfiable, which tells the size that the client did not know.
    """
    if_range = request.headers.get("If-Range", download.etag)
    is_meant = download.etag == if_range or download.kept.modified == parse_http_date_safe(if_range)
    if request.method != "GET" or not is_meant:
        return None
    size, parsed = download.kept.size, parse_range_header(request.headers.get("Range"))
    if parsed is None or parsed.units != "bytes" or len(parsed.ranges) != 1:
        return None
    start, _ = parsed.ranges[0]
    if start < -size:
        # The last so many bytes, and the file has fewer.
        return 0, size
    found = parsed.range_for_length(size)
    if found is None:
        message = f"The file has {size} bytes: ask for a range that begins before its end."
        headers = {"Content-Range": f"bytes */{size}"}
        raise ApiError("range_not_satisfiable", message, headers=headers)
    return found


def stretch(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """The bytes from `start` up to `stop`; fewer, where the file ends before."""
    file.seek(start)
    while chunk := file.read(min(CHUNK_BYTES, stop - start)):
        yield chunk
        start += len(chunk)


def gzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks as one gzip file. zlib keeps back what it can: empty pieces are left out, for some
    servers take one for the end.
    """
    packer = zlib.compressobj(GZIP_LEVEL, wbits=GZIP_WINDOW_BITS)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def download_name(input_name: str, suffix: str, ending: str) -> str:
    """The name under which a browser saves a download: what its owner calls the upload, of which
    STEM_LENGTH characters are kept, and a suffix.

    >>> download_name("plays.csv", "totals", "parquet")
    'plays-totals.parquet'
    """
    plain = PurePath(plain_text(input_name).replace("\\", "/"))
    stem = "".join("_" if each in SPECIAL else each for each in plain.stem.lstrip("."))
    return f"{stem[:STEM_LENGTH].strip() or DEFAULT_STEM}-{suffix}.{ending}"


def plain_text(text: str) -> str:
    """The text without control characters, and without those that turn the writing around."""
    return "".join(each for each in text if not unicodedata.category(each).startswith("C"))
