"""`ETag` and `If-None-Match`: who has an answer already is told so in a few bytes.
https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
"""

from hashlib import blake2b

from django.http import HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

# Whoever keeps an answer asks again whether it still holds, and shows it to nobody else.
CACHE_CONTROL = "private, no-cache"
ANY = "*"
WEAK = "W/"


def weak_etag(content: bytes) -> str:
    """The ETag of what `content` stands for."""
    return f'{WEAK}"{blake2b(content, digest_size=16).hexdigest()}"'


def not_modified(request: Request, etag: str) -> HttpResponseNotModified | None:
    """304 where the client has what `etag` stands for; else None."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if known == [ANY] or etag.removeprefix(WEAK) in [one.removeprefix(WEAK) for one in known]:
        return HttpResponseNotModified(headers={"ETag": etag, "Cache-Control": CACHE_CONTROL})
    return None


def conditional(request: Request, response: Response) -> Response | HttpResponseNotModified:
    """The response, with an ETag that changes whenever its body does; or 304 where the client has
    that body. What the other headers say holds for both.
    """
    etag = weak_etag(JSONRenderer().render(response.data))
    known = not_modified(request, etag)
    if known is None:
        response.headers["ETag"] = etag
        response.headers["Cache-Control"] = CACHE_CONTROL
        return response
    if "Retry-After" in response.headers:
        known.headers["Retry-After"] = response.headers["Retry-After"]
    return known
