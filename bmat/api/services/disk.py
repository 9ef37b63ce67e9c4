"""Whether the disk has room, asked before somebody sends for hours what then cannot be kept, or
somebody's result cannot be written.

A file of the uploads' folder is as long as it was announced from its start on, and filled from
there: what the disk has not got of it yet is reserved, for all processes to see.
"""

import os
import shutil
import time

from django.conf import settings
from django.db.models import Sum

from bmat.api.models import Report

# The unit of st_blocks. https://man7.org/linux/man-pages/man3/stat.3type.html
BLOCK_BYTES = 512
# A file to which nothing was added for this long is left over from a process that died: the web
# server gives a client less.
STALE_SECONDS = 300


def has_room_for(more_bytes: int) -> bool:
    """Whether BMAT_MIN_FREE_BYTES would stay free with `more_bytes` on the disk, and all of the
    uploads that are under way.
    """
    free_bytes = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    return free_bytes - reserved_bytes() - more_bytes >= settings.BMAT_MIN_FREE_BYTES


def has_room_for_upload(upload_bytes: int) -> bool:
    """The same with an upload, its result, and the results of all reports that are not finished."""
    return has_room_for(2 * upload_bytes + expected_bytes())


def expected_bytes() -> int:
    """What is still to be written of results: one is seldom larger than what was uploaded."""
    unfinished = Report.objects.filter(status=Report.Status.PROCESSING)
    return unfinished.aggregate(sum=Sum("input_bytes"))["sum"] or 0


def reserved_bytes() -> int:
    """What is still to come of the uploads that are under way."""
    fresh = time.time() - STALE_SECONDS
    reserved = 0
    for entry in os.scandir(settings.FILE_UPLOAD_TEMP_DIR):
        try:
            stat = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.st_mtime >= fresh:
            reserved += max(0, stat.st_size - stat.st_blocks * BLOCK_BYTES)
    return reserved
