"""What an installation generates once and keeps in a small file of its home: its secret key, and
its id.
"""

import fcntl
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

MOST_BYTES = 4096
KEY_FILE_NAME = "secret_key"
KEY_BYTES = 48
# Of a key as it is written; Django warns about those below 50.
KEY_LENGTH = 64


class FileUnusable(Exception):
    """The file cannot be read or written: the text says which, and why."""


def generate_once(path: Path, generate: Callable[[], str], mode: int = 0o600) -> str:
    """The text of the file at `path`; what `generate` returns, where the file is missing or empty:
    it is written there, by default for its owner alone to read. Raises FileUnusable.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
        try:
            # Of processes that come at once, the first one writes, and the others wait and read.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            text = os.pread(descriptor, MOST_BYTES, 0).decode("ascii", "replace").strip()
            if not text:
                text = generate()
                os.pwrite(descriptor, f"{text}\n".encode("ascii"), 0)
                os.fsync(descriptor)
            return text
        finally:
            os.close(descriptor)
    except OSError as error:
        raise FileUnusable(
            f"{path} must be a file that this process may read and write: {error.strerror}"
        ) from error


def secret_key(home: Path) -> str:
    """The secret key of an installation that is given none. Raises ImproperlyConfigured."""
    path = home / KEY_FILE_NAME
    try:
        key = generate_once(path, lambda: secrets.token_urlsafe(KEY_BYTES))
    except FileUnusable as error:
        raise ImproperlyConfigured(f"{error}. Or set DJANGO_SECRET_KEY") from error
    if len(key) < KEY_LENGTH:
        raise ImproperlyConfigured(
            f"{path} holds no whole key. Remove it, and the next start makes another; "
            "whoever is logged in to the admin has to log in again"
        )
    return key
