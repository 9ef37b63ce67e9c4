"""The secret key of an installation that is given none: made once, and kept in its home."""

import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config.kept_once import NotKept, kept_once

FILE_NAME = "secret_key"
KEY_BYTES = 48
# Of a key as it is written; Django warns about those below 50.
LENGTH = 64


def secret_key(home: Path) -> str:
    """The key in `home`, which the first process to ask makes. Processes that start at once get the
    same one. Raises ImproperlyConfigured.
    """
    path = home / FILE_NAME
    try:
        key = kept_once(path, lambda: secrets.token_urlsafe(KEY_BYTES))
    except NotKept as error:
        raise ImproperlyConfigured(f"{error}. Or set DJANGO_SECRET_KEY") from error
    if len(key) < LENGTH:
        raise ImproperlyConfigured(
            f"{path} holds no whole key. Remove it, and the next start makes another; "
            "whoever is logged in to the admin has to log in again"
        )
    return key
