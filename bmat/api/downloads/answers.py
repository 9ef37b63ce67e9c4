"""The answer to a request for a kept file: whole, a range of it, changed on the way, not at all
because the client has it, or by the proxy.
"""

from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request
from rest_framework.response import Response

from bmat.api import transfers
from bmat.api.downloads.bodies import Body, gzipped
from bmat.api.downloads.errors import PreconditionFailed, RangeNotSatisfiable
from bmat.api.downloads.excel_safe import excel_safe
from bmat.api.downloads.kept import Download
from bmat.api.downloads.ranges import wanted_range

PLAIN = "plain/"


def answer(request: Request, download: Download) -> HttpResponseBase:
    """The response. Raises FileNotFoundError and PreconditionFailed."""
    bare = HttpResponse(headers=download.headers())
    conditional = get_conditional_response(
        request, etag=download.etag, last_modified=download.kept.modified, response=bare
    )
    if conditional is not None and conditional.status_code == PreconditionFailed.status_code:
        raise PreconditionFailed
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
    """The whole file, changed while it is sent: nobody knows its length before. Raises
    TooManyTransfers.
    """
    headers = download.headers()
    if download.is_gzipped:
        headers["Content-Encoding"] = "gzip"
    if request.method == "HEAD":
        # Django would give any other empty response a Content-Length of 0.
        return StreamingHttpResponse(headers=headers)
    body = Body(download.kept.path, 0, download.kept.size)
    try:
        body.end = transfers.begin(request, "downloads")
    except transfers.TooManyTransfers:
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
    try:
        wanted = wanted_range(request, download.etag, kept.modified, kept.size)
    except RangeNotSatisfiable as error:
        return unsatisfiable(error)
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


def unsatisfiable(error: RangeNotSatisfiable) -> Response:
    """416, with the size that the client did not know: an exception could not carry the header."""
    told = {"detail": error.detail, "code": error.default_code}
    headers = {"Content-Range": f"bytes */{error.size}"}
    return Response(told, status=error.status_code, headers=headers)
