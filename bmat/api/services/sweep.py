"""Removing files that have had their time, and files that belong to nothing.

Of the latter nothing is touched that is young: an upload or an attempt may be under way whose row
is not there yet. They go into the trash, and only where home and database belong together. Where
much would go at once, something else is wrong, and somebody has to look.

    trash/2026-11-28T174000Z-x1y2z3/reports/<pid>/...

Each sweep has a folder of its own in BMAT_HOME/trash, named by its time in UTC, in which everything
has the path that it had in BMAT_HOME: to bring something back, move it there. A week later it is
removed.
"""

import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from knox.models import AuthToken

from bmat.api.models import Callback, Delivery, IdempotencyKey, Report
from bmat.api.models.webhooks import State
from bmat.api.services import disk, files, installation, leases
from bmat.api.services.uploads import ending

logger = logging.getLogger(__name__)

REPORTS_AT_ONCE = 500
# More than a fifth of what is there does not go at once; of a small home, so many may.
MOST_SHARE = 0.2
ALWAYS = 10

KEPT_IN_TRASH = timedelta(days=7)
TRASH_NAME = "%Y-%m-%dT%H%M%SZ"
TRASH_NAME_LENGTH = len("2026-11-28T174000Z")


@dataclass(frozen=True)
class Swept:
    """How much a sweep has removed; and why it has left alone what belongs to nothing, if so."""

    reports: int
    folders: int
    uploads: int
    refused: str = ""


@dataclass
class Useless:
    """Old files and folders that belong to nothing, of `total` that there are."""

    total: int = 0
    folders: list[Path] = field(default_factory=list)
    uploads: list[Path] = field(default_factory=list)
    parts: list[Path] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.folders) + len(self.uploads) + len(self.parts)


def sweep_files(however_many: bool = False) -> Swept:
    """Removes the files of reports past BMAT_RETENTION_DAYS, and moves into the trash what has not
    changed for BMAT_SWEEP_AGE_SECONDS and belongs to nothing: folders of no report or of no attempt
    that counts, and what is left of uploads that broke off or, where they come in parts, have
    expired. Nothing of it where the home is another database's, or where it is more than a fifth of
    all, unless `however_many` says that somebody has looked. Of keys and tokens that have expired,
    and of events about reports without files, it removes the rows.
    """
    IdempotencyKey.objects.expired().delete()
    AuthToken.objects.filter(expiry__lt=timezone.now()).delete()
    reports = expire_reports()
    forget_events()
    swept = sweep_useless(reports, however_many)
    if swept.refused:
        logger.warning("nothing was swept that belongs to no report: %s", swept.refused)
    if (swept.reports, swept.folders, swept.uploads) != (0, 0, 0):
        logger.info(
            "swept: %s reports expired, %s folders, %s uploads",
            swept.reports,
            swept.folders,
            swept.uploads,
        )
    return swept


def expire_reports() -> int:
    """Removes the files of reports that have had their time; their rows stay. How many."""
    count = 0
    pids = Report.objects.expirable().values_list("pid", flat=True)
    for pid in list(pids):
        # The row first: whoever asks from now on is told, and a retry cannot come between.
        if leases.expire(pid):
            files.remove(files.report_folder(pid))
            count += 1
    return count


def forget_events() -> None:
    """Removes the rows about events of reports without files, but for what is on its way."""
    Delivery.objects.filter(report__expired__isnull=False).exclude(state=State.PENDING).delete()
    told = Callback.objects.filter(report__expired__isnull=False)
    told.exclude(report__deliveries__state=State.PENDING).delete()


def sweep_useless(reports: int, however_many: bool) -> Swept:
    """Moves what belongs to nothing into the trash, and removes what has lain there for long."""
    refused = installation.objection()
    if refused:
        return Swept(reports, 0, 0, refused)
    empty_trash()
    # Their rows say so, whatever their number and age.
    expired = move_to_trash(ending.expire())
    useless = find_useless()
    if useless.count > max(ALWAYS, MOST_SHARE * useless.total) and not however_many:
        return Swept(reports, 0, len(expired), too_many(useless))
    gone = move_to_trash(
        path
        for path in (*useless.folders, *useless.uploads, *useless.parts)
        # A worker may have taken up again what another has left.
        if is_old(path)
    )
    for path in (*expired, *gone):
        logger.info("moved into the trash: %s", path)
    broken_off = len(set(gone) & set(useless.uploads))
    return Swept(reports, len(set(gone) & set(useless.folders)), len(expired) + broken_off)


def too_many(useless: Useless) -> str:
    """What is said where a sweep would remove much of what is there."""
    return (
        f"{useless.count} of {useless.total} files and folders in {settings.BMAT_HOME} belong to "
        "no report, more than a fifth. Is this the right database? Where it is, run: "
        "python manage.py sweep_files --all"
    )


def find_useless() -> Useless:
    """What a sweep would move now. Changes nothing."""
    found = Useless()
    # Listed before the rows are read: the row of a file that is old was there before it.
    old = []
    for path in entries(Path(settings.FILE_UPLOAD_TEMP_DIR)):
        found.total += 1
        if is_old(path):
            old.append(path)
    kept = ending.kept_paths()
    found.uploads += [path for path in old if path not in kept]
    add_folders(found)
    return found


def add_folders(found: Useless) -> None:
    """Adds the folders in the reports' folder that no row needs, and what is in the others."""
    ours = [
        path for path in entries(Path(settings.BMAT_REPORTS_FOLDER)) if files.is_uuid(path.name)
    ]
    found.total += len(ours)
    named = ((UUID(path.name), path) for path in ours if is_old(path))
    while some := dict(islice(named, REPORTS_AT_ONCE)):
        # The subfolders are listed before the rows are read: one whose token the row does not
        # carry by then never will again.
        listed = {
            pid: [each for each in entries(path) if each.is_dir()] for pid, path in some.items()
        }
        rows = Report.objects.filter(expired=None).in_bulk(list(listed))
        for pid, attempts in listed.items():
            if pid not in rows:
                found.folders.append(some[pid])
                continue
            inside = unused(rows[pid], attempts)
            parts = left_parts(rows[pid])
            found.folders += inside
            found.parts += parts
            found.total += len(inside) + len(parts)


def unused(report: Report, attempts: list[Path]) -> list[Path]:
    """Those of the report's `attempts` that neither run nor hold its results."""
    in_use = {str(report.lease_token), files.attempt_that_counts(report)}
    return [folder for folder in attempts if folder.name not in in_use and is_old(folder)]


def left_parts(report: Report) -> list[Path]:
    """What is left of formats that a worker was writing beside the output when it died. An attempt
    that runs has such files, too, and may not touch them for long.
    """
    name = report.output_file.name
    beside = entries(files.path(name).parent) if name else iter(())
    return [path for path in beside if files.is_part(path) and is_old(path)]


def entries(folder: Path) -> Iterator[Path]:
    """What is in the folder; nothing, if it has just been removed."""
    return (folder / name for name in files.names_in(folder))


def is_old(path: Path) -> bool:
    """Whether the file or folder has not changed for BMAT_SWEEP_AGE_SECONDS."""
    try:
        return time.time() - path.stat().st_mtime > settings.BMAT_SWEEP_AGE_SECONDS
    except FileNotFoundError:
        return False


def move_to_trash(paths: Iterable[Path]) -> list[Path]:
    """Moves files and folders of BMAT_HOME into the trash; those that are gone from their place.
    One that somebody else has just removed is passed over.
    """
    folder: Path | None = None
    gone = []
    for path in paths:
        folder = folder or new_trash_folder()
        try:
            move(path, folder)
            gone.append(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            logger.warning("%s could not be moved into the trash: %s", path, error.strerror)
    return gone


def new_trash_folder() -> Path:
    """A folder in the trash for what is swept now."""
    trash = Path(settings.BMAT_TRASH_FOLDER)
    trash.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{datetime.now(UTC):{TRASH_NAME}}-", dir=trash))


def move(path: Path, folder: Path) -> None:
    """Renames `path`, which lies in BMAT_HOME, to the same place in `folder`. Raises OSError."""
    kept = folder / path.relative_to(settings.BMAT_HOME)
    kept.parent.mkdir(parents=True, exist_ok=True)
    os.rename(path, kept)


def empty_trash() -> int:
    """Removes what has lain in the trash for a week; where uploads are refused because the disk is
    nearly full, whatever is oldest, too, until they are not. How many folders.
    """
    count = 0
    for folder, swept in trash_contents():
        if swept < datetime.now(UTC) - KEPT_IN_TRASH or not disk.has_room_for(0):
            files.remove(folder)
            count += 1
    return count


def trash_contents() -> list[tuple[Path, datetime]]:
    """The trash's folders, oldest first, each with the time when it was filled. What bears another
    name is left alone.
    """
    found = []
    for name in files.names_in(Path(settings.BMAT_TRASH_FOLDER)):
        try:
            swept = datetime.strptime(name[:TRASH_NAME_LENGTH], TRASH_NAME).replace(tzinfo=UTC)
        except ValueError:
            continue
        found.append((Path(settings.BMAT_TRASH_FOLDER) / name, swept))
    return sorted(found, key=lambda each: each[1])
