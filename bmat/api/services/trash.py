"""What is swept lies in BMAT_HOME/trash for a week before it is removed.

    trash/2026-11-28T174000Z-x1y2z3/reports/<pid>/...

Each sweep has a folder of its own, named by its time in UTC, in which everything has the path that
it had in BMAT_HOME: to bring something back, move it there.
"""

import logging
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from bmat.api.services import disk, files

logger = logging.getLogger(__name__)

KEPT = timedelta(days=7)
NAME = "%Y-%m-%dT%H%M%SZ"
NAME_LENGTH = len("2026-11-28T174000Z")


def put(paths: Iterable[Path]) -> list[Path]:
    """Moves files and folders of BMAT_HOME into the trash; those that are gone from their place.
    One that somebody else has just removed is passed over.
    """
    folder: Path | None = None
    gone = []
    for path in paths:
        folder = folder or new_folder()
        try:
            move(path, folder)
            gone.append(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            logger.warning("%s could not be moved into the trash: %s", path, error.strerror)
    return gone


def new_folder() -> Path:
    """A folder in the trash for what is swept now."""
    trash = Path(settings.BMAT_TRASH_FOLDER)
    trash.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{datetime.now(UTC):{NAME}}-", dir=trash))


def move(path: Path, folder: Path) -> None:
    """Renames `path`, which lies in BMAT_HOME, to the same place in `folder`. Raises OSError."""
    kept = folder / path.relative_to(settings.BMAT_HOME)
    kept.parent.mkdir(parents=True, exist_ok=True)
    os.rename(path, kept)


def empty() -> int:
    """Removes what has lain in the trash for a week; where uploads are refused because the disk is
    nearly full, whatever is oldest, too, until they are not. How many folders.
    """
    count = 0
    for folder, swept in contents():
        if swept < datetime.now(UTC) - KEPT or not disk.has_room_for(0):
            files.remove(folder)
            count += 1
    return count


def contents() -> list[tuple[Path, datetime]]:
    """The trash's folders, oldest first, each with the time when it was filled. What bears another
    name is left alone.
    """
    found = []
    for name in files.names_in(Path(settings.BMAT_TRASH_FOLDER)):
        try:
            swept = datetime.strptime(name[:NAME_LENGTH], NAME).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append((Path(settings.BMAT_TRASH_FOLDER) / name, swept))
    return sorted(found, key=lambda each: each[1])
