"""Which requests are answered at all: those for a host name of this service, and of those that
change something the ones that no page of another site has made.

Clients that are no browser send neither `Origin` nor `Referer`, and are not affected.
"""

import logging
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from django.utils.http import is_same_domain

from bmat.api.middleware import refusal

logger = logging.getLogger(__name__)

SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
PORTS = {"http": 80, "https": 443}
UNKNOWN_HOST = "This service does not answer to the host name of this request"
HOW_TO_ADD = "DJANGO_ALLOWED_HOSTS=NAME, at its start, adds one."


class HostAndOriginCheck:
    """Belongs in front of all that could answer a request. It reads headers, and never a body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
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
