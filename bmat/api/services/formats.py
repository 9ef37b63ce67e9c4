"""The worker's side of formats that are written when somebody asks for them: once, and whole or not
at all. What a format is: `totals`.
"""

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from bmat.aggregation.errors import NO_ROOM
from bmat.api.models import Report
from bmat.api.models.queries import ReportQuerySet
from bmat.api.services import database, files, totals
from bmat.api.services.database import patiently
from bmat.taskapp import shutdown

logger = logging.getLogger(__name__)

WRITERS: dict[str, Callable[[Path, BinaryIO, Callable[[], None]], int]] = {
    files.JSON_LINES: totals.write_json_lines,
}


class NotWanted(Exception):
    """The report is gone, or has expired, or this worker ends."""


class RowsMissing(Exception):
    """The file has other rows than the report: the result on disk is not what it was."""


def write_format(pid: UUID, file_name: str) -> None:
    """Writes `file_name`, one of WRITERS, beside the output of a report.

    Returns quietly where there is nothing to do (the report has no result, or none any more; the
    file is there; another process is at it) and where it cannot be done now: who asks for the file
    again rings again. Raises RowsMissing; leaves nothing half written.
    """
    try:
        report = patiently(lambda: with_result(pid).first())
        if report is None:
            logger.info("report %s: there is no result to write as %s", pid, file_name)
        else:
            write_beside_output(report, file_name)
    except database.AWAY as error:
        logger.error("report %s: no %s, for the database is away: %s", pid, file_name, error)


def write_beside_output(report: Report, file_name: str) -> None:
    target = files.path(files.beside(report.output_file.name or "", file_name))
    try:
        if write_once(report, target):
            logger.info("report %s: wrote %s", report.pid, file_name)
        # One more file of the result, which its owner's limit counts. Who has written it may have
        # died before it said so.
        result_bytes = files.size_of(target.parent)
        patiently(lambda: with_result(report.pid).update(result_bytes=result_bytes))
    except (NotWanted, FileNotFoundError):
        logger.warning("report %s: broke %s off, nobody wants it here", report.pid, file_name)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        logger.error("report %s: there is no room for %s: %s", report.pid, file_name, error)
    finally:
        remove_unless_wanted(report.pid)


def with_result(pid: UUID) -> ReportQuerySet:
    """The report, if it has a result that is kept; else nothing."""
    return Report.objects.filter(pid=pid, status=Report.Status.DONE, expired=None)


def remove_unless_wanted(pid: UUID) -> None:
    """Removes the report's folder where it was deleted, or expired, while something was written
    there: whoever did that may have passed before the file appeared.
    """
    if not patiently(lambda: with_result(pid).exists()):
        files.remove(files.report_folder(pid))


def write_once(report: Report, target: Path) -> bool:
    """Writes the file unless it is there, or another process is at it: then False."""
    with the_only_part(target) as part:
        if part is None:
            return False
        rows = WRITERS[target.name](target.parent, part, Watch(report.pid).look)
        if rows != report.groups:
            raise RowsMissing(f"{target.name} has {rows} rows of {report.groups}")
        part.flush()
        os.fsync(part.fileno())
        files.part_of(target).replace(target)
    files.sync(target)
    return True


@contextmanager
def the_only_part(target: Path) -> Iterator[BinaryIO | None]:
    """The file to write before it is renamed to `target`, empty, for one process at a time; None
    for the others, and where `target` is there. It is gone after the block.

    The system lets the lock go when a process dies: so what that has left is taken up by the next.
    """
    path = files.part_of(target)
    with path.open("ab") as part:
        if not is_locked(part, path):
            yield None
            return
        try:
            part.truncate(0)
            yield None if target.exists() else part
        finally:
            path.unlink(missing_ok=True)


def is_locked(part: BinaryIO, path: Path) -> bool:
    """Whether this process has the lock now, and on the file that `path` still names: while it
    opened it, another one may have finished and renamed it.
    """
    try:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(part.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


class Watch:
    """Looks, while a file is written, whether it is still wanted."""

    def __init__(self, pid: UUID) -> None:
        self.pid = pid
        self._asked = time.monotonic()

    def look(self) -> None:
        """Raises NotWanted. The database is asked every BMAT_HEARTBEAT_SECONDS."""
        if shutdown.is_requested():
            raise NotWanted
        if time.monotonic() - self._asked >= settings.BMAT_HEARTBEAT_SECONDS:
            self._asked = time.monotonic()
            if not patiently(lambda: with_result(self.pid).exists()):
                raise NotWanted
