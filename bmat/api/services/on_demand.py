"""Asking the workers for a result in a format that it is not there in yet, and waiting for it, but
not for long.
"""

import threading
import time
from pathlib import Path

from django.conf import settings
from django.core.cache import cache

from bmat.api.models import Report
from bmat.api.services import bell, disk, files

LOOK_AGAIN_SECONDS = 0.05
# What a line of JSON has that one of CSV has not, and its quotes that become two characters.
MORE_BYTES_PER_ROW = 64
# So many requests of a process wait at the same time; others are told to come again at once, for
# each that waits keeps a thread busy.
MOST_WAITING = 4

waiting = threading.BoundedSemaphore(MOST_WAITING)


class NoRoom(Exception):
    """The disk has no room for the file."""


def is_there_in_time(report: Report, file: Path) -> bool:
    """Whether `file`, which is made from the report's output, is there: at once, or within
    BMAT_FORMAT_WAIT_SECONDS, for a worker is asked to write it. Asking again rings again, though
    not more often than every BMAT_RING_AGAIN_SECONDS.

    Raises FileNotFoundError where there is no output either, and NoRoom.
    """
    if file.exists():
        return True
    output_bytes = files.path(report.output_file.name or "").stat().st_size
    if not disk.has_room_for(output_bytes + MORE_BYTES_PER_ROW * report.groups):
        raise NoRoom
    if not is_being_written(file):
        ring(report, file.name, output_bytes)
    if not waiting.acquire(blocking=False):
        return False
    try:
        return appears(file)
    finally:
        waiting.release()


def ring(report: Report, file_name: str, output_bytes: int) -> None:
    """Rings, unless this process did so just now: clients who ask every second while the workers
    have much to do must not fill the broker.
    """
    rung = f"rung-{report.pid}-{file_name}"
    if cache.add(rung, True, settings.BMAT_RING_AGAIN_SECONDS):
        if not bell.ring_for_format(report.pid, file_name, output_bytes):
            cache.delete(rung)


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
