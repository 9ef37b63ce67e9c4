"""Asking the workers for a result in a format that it is not there in yet, and waiting for it, but
not for long.
"""

import time
from pathlib import Path

from django.conf import settings

from bmat.api.models import Report
from bmat.api.services import bell, disk, files

LOOK_AGAIN_SECONDS = 0.05
# What a line of JSON has that one of CSV has not, and its quotes that become two characters.
MORE_BYTES_PER_ROW = 64


class NoRoom(Exception):
    """The disk has no room for the file."""


def is_there_in_time(report: Report, file: Path) -> bool:
    """Whether `file`, which is made from the report's output, is there: at once, or within
    BMAT_FORMAT_WAIT_SECONDS, for a worker is asked to write it. Asking again rings again.

    Raises FileNotFoundError where there is no output either, and NoRoom.
    """
    if file.exists():
        return True
    output_bytes = files.path(report.output_file.name or "").stat().st_size
    if not disk.has_room_for(output_bytes + MORE_BYTES_PER_ROW * report.groups):
        raise NoRoom
    if not is_being_written(file):
        bell.ring_for_format(report.pid, file.name, output_bytes)
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
