"""How often a user, or a stranger's address, may ask; and how often somebody may try to log in."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.http import HttpRequest
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from bmat.api.policies import Policy, Standing, note
from bmat.api.services.counters import counters

if TYPE_CHECKING:
    # Imports, in its turn, the classes that the settings name: this module among them.
    from rest_framework.views import APIView

REQUESTS, LOGINS = "default", "login"


class TooManyRequests(APIException):
    """A limit that time alone gives back. `wait` is what DRF answers as Retry-After."""

    status_code = 429
    default_detail = "There were more than 600 requests in 60 seconds. Go on in 42 seconds."
    default_code = "rate_limited"

    def __init__(self, standing: Standing) -> None:
        self.wait = standing.seconds
        policy = standing.policy
        what = "attempts to log in" if policy.name == LOGINS else "requests"
        super().__init__(
            f"There were more than {policy.quota} {what} in {policy.window_seconds} seconds. "
            f"Go on in {standing.seconds} seconds."
        )


class RequestRate(BaseThrottle):
    """Counts a request of whom it is let in."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """True. Raises TooManyRequests."""
        if request.user.is_authenticated:
            count_request(request, f"user {request.user.pk}")
        else:
            count_stranger(request)
        return True


def count_stranger(request: HttpRequest) -> None:
    """Counts a request of somebody who is not logged in. Raises TooManyRequests."""
    count_request(request, address(request))


def count_request(request: HttpRequest, who: str) -> None:
    """Counts a request of `who`. Raises TooManyRequests."""
    if settings.BMAT_REQUEST_RATE is None:
        return
    standing = count(Policy(REQUESTS, *settings.BMAT_REQUEST_RATE), who)
    if standing is not None:
        note(request, standing)
        if standing.exceeded:
            raise TooManyRequests(standing)


def count_login(request: HttpRequest, username: str) -> bool:
    """Counts an attempt to log in against its address and against the name that is tried, whichever
    address tries it. False: it is one too many.
    """
    if settings.BMAT_LOGIN_RATE is None:
        return True
    policy = Policy(LOGINS, *settings.BMAT_LOGIN_RATE)
    both = [count(policy, who) for who in (address(request), f"name {username}")]
    standings = [standing for standing in both if standing is not None]
    if not standings:
        return True
    strictest = max(standings, key=lambda standing: (standing.exceeded, -standing.available))
    note(request, strictest)
    return not strictest.exceeded


def count(policy: Policy, who: str) -> Standing | None:
    """Counts one of `who`'s requests under a policy. None: the counters are away."""
    return counters(settings.BMAT_COUNTERS_URL).count(policy, who)


def address(request: HttpRequest) -> str:
    """Where a request comes from. Of an IPv6 address the network alone: its owner has them all.

    Proxies are trusted as REST_FRAMEWORK's NUM_PROXIES says.
    """
    named = BaseThrottle().get_ident(cast(Request, request))
    try:
        parsed = ip_address(named)
    except ValueError:
        # A proxy that names something else, or a socket without an address.
        return f"address {named}"
    if isinstance(parsed, IPv6Address):
        return f"address {ip_network((parsed, 64), strict=False)}"
    return f"address {parsed}"
