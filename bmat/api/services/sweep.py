"""Removing files that have had their time, and files that belong to nothing.

Of the latter nothing is touched that is young: an upload or an attempt may be under way whose row
is not there yet.
"""

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePath
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from knox.models import AuthToken

from bmat.api.models import IdempotencyKey, Report
from bmat.api.services import files

logger = logging.getLogger(__name__)

REPORTS_AT_ONCE = 500


@dataclass(frozen=True)
class Swept:
    """How much a sweep has removed."""

    reports: int
    folders: int
    uploads: int


def sweep_files() -> Swept:
    """Removes the files of reports past BMAT_RETENTION_DAYS, folders of no report or of no attempt
    that counts, and what is left of uploads that broke off. Of keys and tokens that have expired,
    it removes the rows.
    """
    IdempotencyKey.objects.expired().delete()
    AuthToken.objects.filter(expiry__lt=timezone.now()).delete()
    swept = Swept(expire_reports(), sweep_folders(), sweep_uploads())
    if swept != Swept(0, 0, 0):
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
        if Report.objects.expire(pid):
            files.remove(files.report_folder(pid))
            count += 1
    return count


def sweep_uploads() -> int:
    """Removes temporary files of uploads to which nothing was added for long. How many."""
    stale = [path for path in entries(Path(settings.FILE_UPLOAD_TEMP_DIR)) if is_old(path)]
    for path in stale:
        path.unlink(missing_ok=True)
    return len(stale)


def sweep_folders() -> int:
    """Removes folders in the reports' folder that no row needs. How many."""
    old = (path for path in entries(Path(settings.BMAT_REPORTS_FOLDER)) if is_old(path))
    named = ((UUID(path.name), path) for path in old if is_pid(path.name))
    count = 0
    while some := dict(islice(named, REPORTS_AT_ONCE)):
        # The subfolders are listed before the rows are read: one whose token the row does not
        # carry by then never will again.
        listed = {pid: [path, *subfolders(path)] for pid, path in some.items()}
        rows = Report.objects.filter(expired=None).in_bulk(list(listed))
        for pid, (folder, *attempts) in listed.items():
            useless = [folder] if pid not in rows else unused(rows[pid], attempts)
            if pid in rows:
                remove_parts(rows[pid])
            for each in useless:
                files.remove(each)
            count += len(useless)
    return count


def unused(report: Report, attempts: list[Path]) -> list[Path]:
    """Those of the report's `attempts` that neither run nor hold its results."""
    in_use = {str(report.lease_token), PurePath(report.output_file.name or "").parent.name}
    return [folder for folder in attempts if folder.name not in in_use and is_old(folder)]


def remove_parts(report: Report) -> None:
    """Removes what is left of formats that a worker was writing beside the output when it died. An
    attempt that runs has such files, too, and may not touch them for long.
    """
    name = report.output_file.name
    for path in entries(files.path(name).parent) if name else ():
        if files.is_part(path) and is_old(path):
            path.unlink(missing_ok=True)
            logger.info("swept: %s", path)


def subfolders(folder: Path) -> list[Path]:
    return [path for path in entries(folder) if path.is_dir()]


def entries(folder: Path) -> Iterator[Path]:
    """What is in the folder; nothing, if it has just been removed."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        yield folder / name


def is_old(path: Path) -> bool:
    """Whether the file or folder has not changed for BMAT_SWEEP_AGE_SECONDS."""
    try:
        age_seconds = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return False
    return age_seconds > settings.BMAT_SWEEP_AGE_SECONDS


def is_pid(name: str) -> bool:
    """Whether a folder is one of ours: others in the same place are left alone."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
