"""Who sends a request, by a token or the session of a page; who is let in at all; and how much each
may take: requests in a time, transfers at a time. What they may see is `Report.objects.visible_to`.

Requests are counted in a Redis that all web processes share, or in this process alone. Nothing
depends on the Redis: while it is away, requests go on uncounted. What answers tell about limits are
the fields `RateLimit-Policy` and `RateLimit`.
https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
"""

import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.authentication import SessionAuthentication as DjangoSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from bmat.api.errors import CODES, ApiError

if TYPE_CHECKING:
    # Imports, in its turn, the classes that the settings name: those of this module among them.
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

REQUESTS = "default"
# The largest integer of a structured field. https://www.rfc-editor.org/rfc/rfc8941#section-3.3.1
LARGEST_INTEGER = 10**15 - 1
NOTED = "bmat.standings"
ASK_AGAIN_SECONDS = 5.0
# Every request waits for it: better not counted than late.
IMPATIENT: dict[str, Any] = {
    "socket_connect_timeout": 0.25,
    "socket_timeout": 0.25,
    "retry": Retry(NoBackoff(), 0),
}
# Stands for whatever is no address: a proxy may name something else, a socket may have none.
NO_ADDRESS = "0.0.0.0"

transfers_lock = threading.Lock()
transfers: Counter[str] = Counter()


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]  # knox has no types
    """`Authorization: Token ...`. A token that is not valid is refused, even where none is asked
    for: its sender believes to be somebody.
    """

    def authenticate(self, request: Request) -> tuple[Any, AuthToken] | None:
        """The user and the token; None: there is no token. Raises AuthenticationFailed."""
        try:
            found: tuple[Any, AuthToken] | None = super().authenticate(request)
        except (AuthenticationFailed, UnicodeDecodeError) as error:
            count_stranger(request)
            raise AuthenticationFailed(CODES["invalid_token"].message, "invalid_token") from error
        return found


class SessionAuthentication(DjangoSessionAuthentication):
    """The session of somebody who is logged in to the admin, with the CSRF token in the header
    `X-CSRFToken`. Django would look for it in a form first, and so read the whole of an upload
    before anybody has asked whether it may come.
    """

    def enforce_csrf(self, request: Request) -> None:
        """Raises PermissionDenied. Reads nothing of the body."""
        # Django looks for a form in a POST alone. The copy shares META, where the cookie is noted.
        bare = copy(request._request)
        bare.method = "PUT" if request.method == "POST" else request.method
        super().enforce_csrf(cast(Request, bare))


class IsLetIn(BasePermission):
    """Everybody, or whoever is logged in where BMAT_REQUIRE_AUTH says so."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """True. Raises NotAuthenticated, and ApiError rate_limited for a stranger who goes on
        asking.
        """
        if settings.BMAT_REQUIRE_AUTH and not request.user.is_authenticated:
            count_stranger(request)
            raise NotAuthenticated(CODES["not_authenticated"].message)
        return True


def owner_of(request: Request) -> User | None:
    """To whom belongs what the request uploads; None: to nobody."""
    return request.user if request.user.is_authenticated else None


@dataclass(frozen=True)
class Policy:
    """One limit. `unit` is empty where it counts requests; without a window, what was taken is
    given back at no certain time.
    """

    name: str
    quota: int
    window_seconds: int | None = None
    unit: str = ""

    def field(self) -> str:
        """One item of RateLimit-Policy.

        >>> Policy("default", 600, 60).field()
        '"default";q=600;w=60'
        """
        item = f'"{self.name}";q={min(self.quota, LARGEST_INTEGER)}'
        item += f';qu="{self.unit}"' if self.unit else ""
        return item + (f";w={self.window_seconds}" if self.window_seconds else "")


@dataclass(frozen=True)
class Standing:
    """What is left to one caller under a policy, within how many seconds; and whether this request
    was one too many.
    """

    policy: Policy
    available: int
    seconds: int
    exceeded: bool

    def field(self) -> str:
        """One item of RateLimit.

        >>> Standing(Policy("default", 600, 60), 599, 42, exceeded=False).field()
        '"default";r=599;t=42'
        """
        available = min(self.available, LARGEST_INTEGER)
        return f'"{self.policy.name}";r={available};t={self.seconds}'


def note(request: HttpRequest, standing: Standing) -> None:
    """Has the answer to `request` tell the standing, in place of an earlier one of that policy."""
    request.META.setdefault(NOTED, {})[standing.policy.name] = standing


def noted(request: HttpRequest) -> dict[str, Standing]:
    """The standings that the answer tells, by the policy's name."""
    found: dict[str, Standing] = request.META.get(NOTED, {})
    return found


class Counters:
    """The counters at one URL. A window begins with the first request that is counted in it."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = {} if url.startswith("memory:") else IMPATIENT
        storage = storage_from_string(url, wrap_exceptions=True, **options)
        assert isinstance(storage, Storage)
        self.limiter = FixedWindowRateLimiter(storage)
        self.away_until = 0.0

    def count(self, policy: Policy, who: str) -> Standing | None:
        """Counts one request of `who`, and says how it stands. None: nobody knows."""
        if time.monotonic() < self.away_until:
            return None
        window = RateLimitItemPerSecond(policy.quota, policy.window_seconds, "bmat-" + policy.name)
        try:
            within = self.limiter.hit(window, who)
            stats = self.limiter.get_window_stats(window, who)
        except StorageError as error:
            # Asks nothing for a while, so that not every request waits in vain. Logged once.
            if not self.away_until:
                message = "requests are not counted, for their counters are away: %s"
                logger.warning(message, error)
            self.away_until = time.monotonic() + ASK_AGAIN_SECONDS
            return None
        if self.away_until:
            self.away_until = 0.0
            logger.warning("requests are counted again")
        seconds = max(1, math.ceil(stats.reset_time - time.time()))
        return Standing(policy, stats.remaining, seconds, exceeded=not within)


# Those at a URL are the same each time; at `memory://`, they are those of this process.
counters = cache(Counters)


class RequestRate(BaseThrottle):
    """Counts a request of whom it is let in."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """True. Raises ApiError rate_limited."""
        count_request(request, sender(request))
        return True


def count_stranger(request: HttpRequest) -> None:
    """Counts a request of somebody who is not logged in. Raises ApiError rate_limited."""
    count_request(request, f"address {address(request)}")


def count_request(request: HttpRequest, who: str) -> None:
    """Counts a request of `who` under BMAT_REQUEST_RATE. Raises ApiError rate_limited."""
    if settings.BMAT_REQUEST_RATE is None:
        return
    policy = Policy(REQUESTS, *settings.BMAT_REQUEST_RATE)
    standing = counters(settings.BMAT_COUNTERS_URL).count(policy, who)
    if standing is None:
        return
    note(request, standing)
    if standing.exceeded:
        raise ApiError(
            "rate_limited",
            f"There were more than {policy.quota} requests in {policy.window_seconds} seconds. "
            f"Go on in {standing.seconds} seconds.",
            retry_after_seconds=standing.seconds,
        )


def address(request: HttpRequest) -> str:
    """Where a request comes from: an IP address, of IPv6 the first of its network, whose owner has
    them all. Proxies are trusted as REST_FRAMEWORK's NUM_PROXIES says.
    """
    try:
        parsed = ip_address(BaseThrottle().get_ident(cast(Request, request)) or NO_ADDRESS)
    except ValueError:
        return NO_ADDRESS
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False).network_address)
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def begin_transfer(request: HttpRequest | Request, what: str) -> Callable[[], None]:
    """Counts an upload, or a download that is made while it is sent, until the function that is
    returned is called for the first time. It holds a thread of this process, or memory, for as long
    as the client likes. Raises ApiError `too_many_transfers` where its sender has too many.
    """
    who = f"{what} {sender(request)}"
    limit = settings.BMAT_MAX_TRANSFERS
    with transfers_lock:
        if limit is not None and transfers[who] >= limit:
            raise ApiError(
                "too_many_transfers",
                f"You have {limit} {what} under way, which is the limit. Wait for one to end.",
            )
        transfers[who] += 1
    ended = threading.Event()

    def end() -> None:
        with transfers_lock:
            if not ended.is_set():
                ended.set()
                transfers[who] -= 1
                if not transfers[who]:
                    del transfers[who]

    return end


def sender(request: HttpRequest | Request) -> str:
    """The user; of whom is not logged in, the address."""
    if request.user.is_authenticated:
        return f"user {request.user.pk}"
    return f"address {address(request)}"
