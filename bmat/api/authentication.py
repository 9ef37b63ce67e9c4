"""Who sends a request, by a token or the session of a page; and who is let in at all. What of it
they may see is `Report.objects.visible_to`.
"""

import math
from copy import copy
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.authentication import SessionAuthentication as DjangoSessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from bmat.api.errors import CODES
from bmat.api.middleware import is_of_api, refusal
from bmat.api.ratelimit import count_stranger

if TYPE_CHECKING:
    # Imports, in its turn, the classes that the settings name: those of this module among them.
    from rest_framework.views import APIView


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
