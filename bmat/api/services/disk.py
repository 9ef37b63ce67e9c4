"""Whether the disk has room, asked before somebody sends for hours what then cannot be kept."""

import shutil

from django.conf import settings


def has_room_for(upload_bytes: int) -> bool:
    """Whether BMAT_MIN_FREE_BYTES would stay free with `upload_bytes` more on the disk."""
    free_bytes = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    return free_bytes - upload_bytes >= settings.BMAT_MIN_FREE_BYTES
