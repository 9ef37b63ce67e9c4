"""Tokens of the API: made, listed and revoked by their owners. Of a token no more than its hash and
its first characters are kept.
"""

from datetime import datetime, timedelta

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from knox.models import AuthToken

from bmat.api.errors import ApiError
from bmat.api.models import TokenName

MOST_TOKENS = 100
# Of the hash: enough to tell tokens apart, and of no use for anything else.
ID_LENGTH = 16
SESSIONS_AT_ONCE = 500


def valid_tokens(user: User) -> "QuerySet[AuthToken]":
    """The tokens of a user that have not expired, the newest first."""
    has_time = Q(expiry=None) | Q(expiry__gt=timezone.now())
    tokens: QuerySet[AuthToken] = AuthToken.objects.filter(has_time, user=user)
    return tokens.select_related("named").order_by("-created", "digest")


def make_token(
    user: User, valid_for: timedelta, name: str = "", not_after: datetime | None = None
) -> tuple[AuthToken, str]:
    """A new token of a user, which expires after `valid_for`, or at `not_after` where that is
    sooner. The token itself is told once, here. Raises ApiError
    too_many_tokens where they have MOST_TOKENS that are valid.
    """
    if not_after is not None:
        valid_for = min(valid_for, not_after - timezone.now())
    with transaction.atomic():
        # Of two requests of the same moment, the second counts the token of the first.
        User.objects.select_for_update().get(pk=user.pk)
        if valid_tokens(user).count() >= MOST_TOKENS:
            raise ApiError("too_many_tokens")
        row, token = AuthToken.objects.create(user, expiry=valid_for)
        if name:
            TokenName.objects.create(token=row, name=name)
    return row, token


def id_of(token: AuthToken) -> str:
    """What a token is called by in an address."""
    return str(token.digest)[:ID_LENGTH]


def revoke(user: User, token_id: str) -> bool:
    """Ends a token of a user. False: there is no such token of theirs."""
    gone, _ = AuthToken.objects.filter(user=user, digest__startswith=token_id).delete()
    return int(gone) > 0


def log_out_everywhere(user: User) -> None:
    """Ends all tokens of a user, and all their sessions in browsers."""
    AuthToken.objects.filter(user=user).delete()
    live = Session.objects.filter(expire_date__gt=timezone.now())
    for session in live.iterator(chunk_size=SESSIONS_AT_ONCE):
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()
