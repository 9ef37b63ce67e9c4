"""Which bytes of a file a request asks for. RFC 9110, sections 13.1.5 and 14."""

from django.utils.http import parse_http_date_safe
from rest_framework.request import Request
from werkzeug.http import parse_range_header

from bmat.api.downloads.errors import RangeNotSatisfiable


def wanted_range(request: Request, etag: str, modified: int, size: int) -> tuple[int, int] | None:
    """The first byte and the one behind the last; None where the whole file is to be sent: no
    range, several of them, one that cannot be read, or one of a file that `If-Range` does not mean.

    Raises RangeNotSatisfiable.
    """
    header = request.headers.get("Range")
    if request.method != "GET" or not is_meant(request.headers.get("If-Range"), etag, modified):
        return None
    parsed = parse_range_header(header)
    if parsed is None or parsed.units != "bytes" or len(parsed.ranges) != 1:
        return None
    start, _ = parsed.ranges[0]
    if start < -size:
        # The last so many bytes, and the file has fewer.
        return 0, size
    found = parsed.range_for_length(size)
    if found is None:
        raise RangeNotSatisfiable(size)
    return found


def is_meant(if_range: str | None, etag: str, modified: int) -> bool:
    """Whether a range is one of the file with this strong `etag`, `modified` at that second."""
    if if_range is None:
        return True
    return if_range == etag or parse_http_date_safe(if_range) == modified
