"""A short text that is made once and kept in a file, however many processes ask at once."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

MOST_BYTES = 4096


class NotKept(Exception):
    """The file cannot be read or written: the text says which, and why."""


def kept_once(path: Path, make: Callable[[], str], mode: int = 0o600) -> str:
    """The text of the file at `path`; what `make` returns, where the file is missing or empty: it
    is written there, by default for its owner alone to read. Raises NotKept.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, mode)
        try:
            # Of processes that come at once, the first one writes, and the others wait and read.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            text = os.pread(descriptor, MOST_BYTES, 0).decode("ascii", "replace").strip()
            if not text:
                text = make()
                os.pwrite(descriptor, f"{text}\n".encode("ascii"), 0)
                os.fsync(descriptor)
            return text
        finally:
            os.close(descriptor)
    except OSError as error:
        raise NotKept(
            f"{path} must be a file that this process may read and write: {error.strerror}"
        ) from error
