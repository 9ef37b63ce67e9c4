"""Fields that every answer carries, whichever view it comes from."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from bmat.api.policies import noted

POLICY = "Content-Security-Policy"
# Data is never a page: whatever it holds, a browser runs and loads nothing from it.
FOR_DATA = "default-src 'none'; frame-ancestors 'none'"
# The admin loads its own files alone; it writes styles inline.
FOR_PAGES = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

GetResponse = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicy:
    """Says what a browser may load for an answer, unless its view has said so."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html")
        response.headers.setdefault(POLICY, FOR_PAGES if is_page else FOR_DATA)
        return response


class RateLimitFields:
    """Tells the caller where it stands, under each limit that was looked at for this answer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        standings = noted(request).values()
        if standings:
            response["RateLimit-Policy"] = ", ".join(each.policy.field() for each in standings)
            response["RateLimit"] = ", ".join(each.field() for each in standings)
        return response
