"""Files of the client's own: written whole, for their owner alone, and used by one process at a
time.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bmat.client.errors import FileBusy

OWNER_ONLY_FILE, OWNER_ONLY_FOLDER = 0o600, 0o700


def state_folder(subject: str) -> Path:
    """Where the client remembers what is under way; made where it is not there."""
    configured = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(configured) / "bmat"
    folder.mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
    folder /= subject
    folder.mkdir(exist_ok=True)
    return folder


def write_whole(path: Path, text: str) -> None:
    """Put a file in place, at once and for its owner alone; a crash leaves the earlier one."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_FILE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, Any]:
    """What the file holds; nothing where it is not there, or is none of ours."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


@contextmanager
def only_here(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file at `path`, and remove it in the end. Raises FileBusy where another process
    holds it.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY_FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise FileBusy(f"{what}: another process is at it. Wait for its end.") from error
        if is_at(path, descriptor):
            break
        # Whoever held it has removed it meanwhile.
        os.close(descriptor)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that the path leads to."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
