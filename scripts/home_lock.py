"""One service at a time uses a BMAT_HOME: the lock on its file `run.lock`.

The file's text says who holds the lock: `running <pid>`; or `ending <pid>`, while the processes of
a service that was stopped or killed are not gone yet. Without the lock, the text means nothing.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

FILE_NAME = "run.lock"
# Within this time, the watcher of a service that was killed has marked it as ending.
NOTICE_SECONDS = 1.0
# A little longer than a service takes to end, if need be by force.
ENDING_SECONDS = 40.0
POLL_SECONDS = 0.1
TEXT_BYTES = 64


class HomeInUse(Exception):
    """Another service uses the folder; the text names both, and says what to do."""


class NoLock(Exception):
    """The folder cannot be made or locked; the text says why."""


def lock_home(home: Path, tell: Callable[[str], None]) -> int:
    """Takes the lock for this process, and makes the folder where it is missing. Waits for a
    service that is ending, and says so with `tell`.

    Returns the file descriptor that holds the lock until it is closed, here and in each process
    that inherits it: by default, none does. Raises `HomeInUse` and `NoLock`.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home / FILE_NAME, os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as error:
        raise NoLock(f"BMAT_HOME={home} cannot be used: {error.strerror}") from error
    try:
        _wait_for_lock(descriptor, home, tell)
        _write(descriptor, "running", os.getpid())
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def mark_ending(descriptor: int) -> None:
    """Says that the lock's holder is ending, to whoever waits for the lock."""
    _write(descriptor, "ending", _read(descriptor)[1])


def _wait_for_lock(descriptor: int, home: Path, tell: Callable[[str], None]) -> None:
    started = time.monotonic()
    has_told = False
    while not _try_lock(descriptor, home):
        waited_seconds = time.monotonic() - started
        state, pid = _read(descriptor)
        is_ending = state == "ending"
        if waited_seconds > (ENDING_SECONDS if is_ending else NOTICE_SECONDS):
            raise HomeInUse(
                f"{home} is in use by another make run (process {pid}). "
                "Stop that one, or choose another folder: BMAT_HOME=FOLDER make run"
            )
        if is_ending and not has_told:
            tell(f"Waiting for the make run before this one to end (process {pid})")
            has_told = True
        time.sleep(POLL_SECONDS)


def _try_lock(descriptor: int, home: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise NoLock(
            f"BMAT_HOME={home} cannot be locked: {error.strerror}. Choose a folder on a local disk"
        ) from error
    return True


def _read(descriptor: int) -> tuple[str, int]:
    """The state and the pid that the file names; `running 0` before anything is written."""
    state, _, pid = os.pread(descriptor, TEXT_BYTES, 0).decode("ascii", "replace").partition(" ")
    pid = pid.strip()
    return (state, int(pid)) if pid.isdigit() else ("running", 0)


def _write(descriptor: int, state: str, pid: int) -> None:
    # In one step, and always as long: nobody reads half of it.
    os.pwrite(descriptor, f"{state} {pid}\n".ljust(TEXT_BYTES).encode(), 0)
