"""What stands around the views, from the outside in: the fields that all answers carry; which
requests are answered at all; the API's shape for errors that no view has raised; bodies as they
are; and whether an answer has changed.
"""

import logging
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.shortcuts import render
from django.utils.http import is_same_domain
from rest_framework.renderers import JSONRenderer

from bmat.api.access import noted
from bmat.api.errors import CODES, told_as

logger = logging.getLogger(__name__)

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
PORTS = {"http": 80, "https": 443}
UNKNOWN_HOST = "This service does not answer to the host name of this request"
HOW_TO_ADD = "DJANGO_ALLOWED_HOSTS=NAME, at its start, adds one."

API = "/api"
JSON = "application/json"
# What Django, and what stands around the views, answers with these statuses.
BY_STATUS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.FORBIDDEN: "permission_denied",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.PRECONDITION_FAILED: "precondition_failed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "form_too_large",
}
IDENTITY = "identity"

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
        # A page that is unchanged keeps the policy that it came with.
        if response.status_code != HTTPStatus.NOT_MODIFIED:
            response.headers.setdefault(POLICY, FOR_PAGES if is_page else FOR_DATA)
        if is_of_api(request):
            response.headers.setdefault("Cache-Control", FOR_NO_CACHE)
        standings = noted(request).values()
        if standings:
            response["RateLimit-Policy"] = ", ".join(each.policy.field() for each in standings)
            response["RateLimit"] = ", ".join(each.field() for each in standings)
        return response


class HostAndOriginCheck:
    """Answers requests for a host name of this service, and of those that change something the ones
    that no page of another site has made. Clients that are no browser send neither `Origin` nor
    `Referer`, and are not affected.

    Belongs in front of all that could answer a request. It reads headers, and never a body.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            host = request.get_host()
        except DisallowedHost:
            logger.info("answered 400: the host %.100r", request.headers.get("Host"))
            return refusal(request, "unknown_host", unknown_host())
        if request.method not in SAFE and is_foreign(request, host):
            logger.info("answered 403: the origin %.100r", request.headers.get("Origin"))
            return refusal(request, "foreign_origin")
        return self.get_response(request)


class ApiErrorsMiddleware:
    """Belongs in front of all but those that add fields to every answer. Whatever else answers a
    path of the API with an error (the URL resolver, another middleware, Django's page for what
    nobody expected, its pages for developers), the client gets the same JSON as from a view.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_json = response.headers.get("Content-Type") == JSON
        if response.status_code >= 400 and is_of_api(request) and not is_json:
            response.content = JSONRenderer().render(body(request, response.status_code))
            response.headers["Content-Type"] = JSON
            for header in ("Content-Length", "Content-Encoding"):
                response.headers.pop(header, None)
        return response


class PlainBodiesMiddleware:
    """Refuses a compressed body: it would be read as what it is not."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        encoding = request.headers.get("Content-Encoding", IDENTITY).strip().lower()
        if encoding in (IDENTITY, ""):
            return self.get_response(request)
        message = f"A body with Content-Encoding {encoding:.40} is not read here: send it plain."
        return refusal(request, "unsupported_media_type", message)


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


def is_of_api(request: HttpRequest) -> bool:
    return request.path == API or request.path.startswith(f"{API}/")


def body(request: HttpRequest, status: int) -> dict[str, Any]:
    """What the client is told about an error of which only the status is known."""
    is_method = status == HTTPStatus.METHOD_NOT_ALLOWED
    message = f'Method "{request.method}" not allowed.' if is_method else ""
    told = told_as(BY_STATUS.get(status, "server_error"), message)
    error_id = getattr(request, "error_id", None)
    return told if error_id is None else {**told, "error_id": error_id}


def refusal(request: HttpRequest, code: str, message: str = "") -> HttpResponse:
    """The answer of an error that no view raises, in the API's shape or as plain text."""
    told, status = told_as(code, message), CODES[code].status
    if is_of_api(request):
        return HttpResponse(JSONRenderer().render(told), JSON, status)
    return HttpResponse(f"{told['message']}\n", "text/plain; charset=utf-8", status)


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: Any
) -> HttpResponse:
    """What django-axes answers a login by a name that has failed too often from this address."""
    seconds = math.ceil(settings.AXES_COOLOFF_TIME.total_seconds())
    message = (
        f"There were {settings.AXES_FAILURE_LIMIT} failed attempts to log in by this name from "
        f"your address. Go on in {seconds} seconds."
    )
    if is_of_api(request):
        answer = refusal(request, "rate_limited", message)
    else:
        answer = render(request, "web/locked_out.html", {"message": message}, status=429)
    answer["Retry-After"] = str(seconds)
    return answer


def unknown_host() -> str:
    """What is said about a host name that is not answered to. Strangers are not told which are."""
    if settings.BMAT_IS_PUBLIC:
        return f"{UNKNOWN_HOST}. {HOW_TO_ADD}"
    return f"{UNKNOWN_HOST}. It answers to: {', '.join(settings.ALLOWED_HOSTS)}. {HOW_TO_ADD}"


def is_foreign(request: HttpRequest, host: str) -> bool:
    """Whether a page of another site has made the request, which came in for `host`.

    A browser says so in `Origin`; an old one, or one with an extension for privacy, in `Referer` or
    `Sec-Fetch-Site` at least. https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Origin
    """
    headers = request.headers
    if "Origin" in headers:
        return not is_own(headers["Origin"], host, request.is_secure())
    if headers.get("Referer") and not is_own(headers["Referer"], host, request.is_secure()):
        return True
    return headers.get("Sec-Fetch-Site") == "cross-site"


def is_own(url: str, host: str, is_secure: bool) -> bool:
    """Whether an origin, or the URL of a page, belongs to this service or to a trusted site. `null`
    belongs to nobody: it is what a file, or a page that hides where it comes from, sends.
    """
    try:
        page = urlsplit(url.lower())
        page_host, own = netloc(page), netloc(urlsplit(f"{page.scheme}://{host.lower()}"))
    except ValueError:
        return False
    if page.scheme not in PORTS or not page.hostname:
        return False
    # A proxy may have ended the TLS of a page unseen; but no page without TLS belongs to a service
    # with it.
    if page_host == own and (page.scheme == "https" or not is_secure):
        return True
    if is_secure and page.scheme == "https" and is_one_of_ours(page_host):
        return True
    return any(is_trusted(page, urlsplit(site.lower())) for site in settings.CSRF_TRUSTED_ORIGINS)


def is_one_of_ours(page_host: str) -> bool:
    """Whether a host, without a port, is another name of this service. `*` names nobody."""
    return validate_host(page_host, [name for name in settings.ALLOWED_HOSTS if name != "*"])


def is_trusted(page: SplitResult, site: SplitResult) -> bool:
    """Whether a page belongs to a site that CSRF_TRUSTED_ORIGINS has, `https://*.example` too."""
    if page.scheme != site.scheme:
        return False
    if site.netloc.startswith("*."):
        return is_same_domain(netloc(page), site.netloc.removeprefix("*"))
    return netloc(page) == netloc(site)


def netloc(url: SplitResult) -> str:
    """The host of a URL, and its port unless that is the scheme's own. Raises ValueError."""
    name = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname or ""
    return name if url.port in (None, PORTS.get(url.scheme)) else f"{name}:{url.port}"
