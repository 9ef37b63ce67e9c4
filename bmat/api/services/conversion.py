"""A result in other formats, which are written when they are wanted: asking a worker for one, and
waiting for it, but not for long; and the worker's side, which writes it once, and whole or not at
all.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.core.cache import cache

from bmat.aggregation.errors import NO_ROOM
from bmat.api.errors import ApiError
from bmat.api.models import Report
from bmat.api.models.reports import ReportQuerySet
from bmat.api.services import database, disk, files, queue
from bmat.api.services.database import retry_while_database_is_down
from bmat.results import readable_file, write_json_lines, write_parquet
from bmat.taskapp import shutdown

logger = logging.getLogger(__name__)

WRITERS: dict[str, Callable[[Path, Path, Callable[[], None]], int]] = {
    files.PARQUET: write_parquet,
    files.JSON_LINES: write_json_lines,
}
LOOK_AGAIN_SECONDS = 0.05
# What a line of JSON has that one of CSV has not, and its quotes that become two characters.
MORE_BYTES_PER_ROW = 64
# So many requests of a process wait at the same time; others are told to come again at once, for
# each that waits keeps a thread busy.
MOST_WAITING = 4

waiting = threading.BoundedSemaphore(MOST_WAITING)


class NoRoom(ApiError):
    """The disk has no room for the file."""

    default_code = "no_room_for_format"


class NotWanted(Exception):
    """The report is gone, or has expired, or this worker ends."""


class RowsMissing(Exception):
    """The file has other rows than the report: the result on disk is not what it was."""


def is_there_in_time(report: Report, file_name: str) -> bool:
    """Whether the file `file_name`, one of WRITERS, lies beside the report's output: at once, or
    within BMAT_FORMAT_WAIT_SECONDS, for a worker is asked to write it.

    Raises FileNotFoundError where there is no output either, and NoRoom.
    """
    if is_there(report, file_name):
        return True
    if not waiting.acquire(blocking=False):
        return False
    try:
        return appears(files.beside_output(report, file_name))
    finally:
        waiting.release()


def is_there(report: Report, file_name: str) -> bool:
    """Whether the file is there now; a worker is asked to write it where it is not. Asking again
    sends another message, though not more often than every BMAT_ENQUEUE_AGAIN_SECONDS.

    Raises FileNotFoundError where there is no output either, and NoRoom.
    """
    file = files.beside_output(report, file_name)
    if file.exists():
        return True
    if not disk.has_room_for(most_bytes_of(report)):
        raise NoRoom
    output_bytes = files.beside_output(report, files.OUTPUT).stat().st_size
    if not is_being_written(file):
        request(report.pid, file_name, output_bytes)
    return False


def most_bytes_of(report: Report) -> int:
    """How large a format of the result is at most. Raises FileNotFoundError where there is none."""
    output_bytes = files.beside_output(report, files.OUTPUT).stat().st_size
    return output_bytes + MORE_BYTES_PER_ROW * report.groups


def request(pid: UUID, file_name: str, output_bytes: int) -> None:
    """Asks a worker to write the file, unless this process did so just now: clients who ask every
    second while the workers have much to do must not fill the broker.
    """
    requested = f"requested-{pid}-{file_name}"
    if cache.add(requested, True, settings.BMAT_ENQUEUE_AGAIN_SECONDS):
        if not queue.enqueue_conversion(pid, file_name, output_bytes):
            cache.delete(requested)


def appears(file: Path) -> bool:
    """Whether the file is there within BMAT_FORMAT_WAIT_SECONDS."""
    deadline = time.monotonic() + settings.BMAT_FORMAT_WAIT_SECONDS
    while not file.exists():
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK_AGAIN_SECONDS)
    return True


def is_being_written(file: Path) -> bool:
    """Whether a worker has been at it within the time after which silence counts as death."""
    try:
        written = files.part_of(file).stat().st_mtime
    except FileNotFoundError:
        return False
    return time.time() - written < settings.BMAT_LEASE_SECONDS


def convert(pid: UUID, file_name: str) -> None:
    """Writes `file_name`, one of WRITERS, beside the output of a report.

    Returns quietly where there is nothing to do (the report has no result, or none any more; the
    file is there; another process is at it) and where it cannot be done now: who wants the file
    asks again. Raises RowsMissing; leaves nothing half written.
    """
    try:
        report = retry_while_database_is_down(lambda: with_result(pid).first())
        if report is None:
            logger.info("report %s: there is no result to write as %s", pid, file_name)
        else:
            write_beside_output(report, file_name)
    except database.AWAY as error:
        logger.error("report %s: no %s, for the database is away: %s", pid, file_name, error)


def write_beside_output(report: Report, file_name: str) -> None:
    """Writes the file of a result that was there a moment ago. Raises RowsMissing, and OSError."""
    target = files.beside_output(report, file_name)
    try:
        with counted(report, target):
            if write_once(report, target):
                logger.info("report %s: wrote %s", report.pid, file_name)
    except NoRoom:
        logger.error("report %s: there is no room for %s", report.pid, file_name)
    except (NotWanted, FileNotFoundError):
        logger.warning("report %s: broke %s off, nobody wants it here", report.pid, file_name)
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        logger.error("report %s: there is no room for %s: %s", report.pid, file_name, error)
    finally:
        # Whoever deleted the report, or let it expire, may have passed before the file appeared.
        if not retry_while_database_is_down(lambda: with_result(report.pid).exists()):
            files.remove(files.report_folder(report.pid))


@contextmanager
def counted(report: Report, target: Path) -> Iterator[None]:
    """The time in which one more file of the result is written, which its owner's limit counts: at
    its most from before the first byte on, as it is after the last. (Who has written one may have
    died before it said so.) Raises NoRoom, and FileNotFoundError where there is no output.
    """
    more_bytes = 0 if target.exists() else most_bytes_of(report)
    if more_bytes and not disk.has_room_for(more_bytes):
        raise NoRoom
    set_result_bytes(report, files.size_of(target.parent) + more_bytes)
    try:
        yield
    finally:
        set_result_bytes(report, files.size_of(target.parent))


def set_result_bytes(report: Report, result_bytes: int) -> None:
    retry_while_database_is_down(lambda: with_result(report.pid).update(result_bytes=result_bytes))


def with_result(pid: UUID) -> ReportQuerySet:
    """The report, if it has a result that is kept; else nothing."""
    return Report.objects.filter(pid=pid, status=Report.Status.DONE, expired=None)


def write_once(report: Report, target: Path) -> bool:
    """Writes the file unless it is there, or another process is at it: then False."""
    with the_only_part(target) as part:
        if part is None:
            return False
        path = files.part_of(target)
        rows = WRITERS[target.name](readable_file(target.parent), path, Watch(report.pid, path))
        if rows != report.groups:
            raise RowsMissing(f"{target.name} has {rows} rows of {report.groups}")
        os.fsync(part.fileno())
        path.replace(target)
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
    """Looks, while a file is written, whether it is still wanted, and keeps it from looking
    abandoned: the first bytes may be long in coming.
    """

    def __init__(self, pid: UUID, part: Path) -> None:
        self._pid = pid
        self._part = part
        self._asked = time.monotonic()

    def __call__(self) -> None:
        """Raises NotWanted. The database is asked every BMAT_HEARTBEAT_SECONDS."""
        if shutdown.is_requested():
            raise NotWanted
        if time.monotonic() - self._asked >= settings.BMAT_HEARTBEAT_SECONDS:
            self._asked = time.monotonic()
            if not retry_while_database_is_down(lambda: with_result(self._pid).exists()):
                raise NotWanted
            os.utime(self._part)
