"""Fields that answers carry, whichever view they come from: what a browser may load for one, who
may keep it, whether it has changed, and what is left under a limit.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware

from bmat.api.middleware import is_of_api
from bmat.api.ratelimit import noted

POLICY = "Content-Security-Policy"
# Data is never a page: whatever it holds, a browser runs and loads nothing from it.
FOR_DATA = "default-src 'none'; frame-ancestors 'none'"
# The admin loads its own files alone; it writes styles inline.
FOR_PAGES = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Reports, rows and errors belong to who has asked, and no cache keeps them.
FOR_NO_CACHE = "private, no-store"

GetResponse = Callable[[HttpRequest], HttpResponse]


class AnswerFields:
    """Says what a browser may load for an answer, and that no cache keeps what the API answers,
    unless its view has said so; and where the caller stands under each limit that was looked at.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault(POLICY, FOR_PAGES if is_page else FOR_DATA)
        if is_of_api(request):
            response.headers.setdefault("Cache-Control", FOR_NO_CACHE)
        standings = noted(request).values()
        if standings:
            response["RateLimit-Policy"] = ", ".join(each.policy.field() for each in standings)
            response["RateLimit"] = ", ".join(each.field() for each in standings)
        return response


class ConditionalGet(ConditionalGetMiddleware):
    """Django's `ETag` and `If-None-Match`, for what was found. If a report is unchanged, 304 says
    when to ask again, too.
    """

    def needs_etag(self, response: HttpResponseBase) -> bool:
        """Whether the answer gets the digest of its body as its ETag."""
        return response.status_code == 200 and bool(super().needs_etag(response))

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        answer: HttpResponseBase = super().process_response(request, response)
        if "Retry-After" in response.headers:
            answer.headers["Retry-After"] = response.headers["Retry-After"]
        return answer
