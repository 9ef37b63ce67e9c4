"""Who sends a request: by a token, or by a login whose attempts are counted."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from bmat.api.throttling import count_login, count_stranger


class InvalidToken(AuthenticationFailed):
    """A token was sent that opens nothing."""

    default_detail = "The token is malformed, unknown, expired or revoked."
    default_code = "invalid_token"


class TokenAuthentication(KnoxTokenAuthentication):  # type: ignore[misc]  # knox has no types
    """`Authorization: Token ...`. A token that is not valid is refused, even where none is asked
    for: its sender believes to be somebody.
    """

    def authenticate(self, request: Request) -> tuple[Any, AuthToken] | None:
        """The user and the token; None: there is no token. Raises InvalidToken."""
        try:
            found: tuple[Any, AuthToken] | None = super().authenticate(request)
        except (AuthenticationFailed, UnicodeDecodeError) as error:
            count_stranger(request)
            raise InvalidToken from error
        return found


class CountedLogin(ModelBackend):
    """Django's own login by name and password, for the API and the admin, with its attempts
    counted.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **others: Any,
    ) -> User | None:
        """The user; None: name or password are wrong. Raises PermissionDenied, which ends Django's
        search, after too many attempts.
        """
        if request is not None and not count_login(request, username or ""):
            raise PermissionDenied
        return super().authenticate(request, username, password, **others)
