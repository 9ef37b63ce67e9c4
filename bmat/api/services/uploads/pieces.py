"""The pieces of an upload that comes in parts: what one request adds to it.

Each change is a conditional update of the row. What it says is synced before.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce, Now

from bmat.api.errors import ApiError, UploadTooLarge
from bmat.api.models import Upload
from bmat.api.models.uploads import expiry
from bmat.api.services import database, disk, quotas
from bmat.api.services.disk import DiskFull
from bmat.api.services.leases import events
from bmat.api.services.reports import shown_name
from bmat.api.services.uploads import appending, ending
from bmat.api.services.uploads.appending import Appending, Interrupted, Locked
from bmat.api.tus import Checksum, wrong


@dataclass(frozen=True)
class Piece:
    """What one request adds: from `offset` on, the bytes that `read` returns, until it returns
    none. `length` is that of the upload where the request is the first to say it.
    """

    offset: int
    read: Callable[[int], bytes]
    announced_bytes: int = 0
    length: int | None = None
    checksum: Checksum | None = None


def append(upload_id: UUID, piece: Piece) -> Upload:
    """Adds the bytes, syncs them, and makes the report where they are the last.

    What has arrived counts, too, where the rest does not come, unless there is a checksum. Raises
    ApiError: `upload_gone`, `upload_locked`, `upload_offset_mismatch`, `checksum_mismatch`;
    UploadTooLarge, DiskFull, QuotaExceeded, and what `piece.read` raises.
    """
    try:
        with appending.locked(upload_id) as file:
            # The row as it is now that nobody else changes its offset.
            upload = with_length(ending.current(upload_id), piece, file)
            if piece.offset != upload.offset:
                raise offset_mismatch(upload)
            if upload.length is not None and piece.announced_bytes > upload.length - upload.offset:
                raise UploadTooLarge(upload.length)
            receive(upload, piece, file)
            return ending.finished(ending.current(upload_id))
    except FileNotFoundError:
        return used(upload_id, piece)
    except (Locked, Interrupted) as error:
        raise ApiError("upload_locked") from error


def receive(upload: Upload, piece: Piece, file: BinaryIO) -> None:
    """Writes the piece into the locked file."""
    most_bytes = settings.BMAT_MAX_UPLOAD_BYTES if upload.length is None else upload.length
    hasher = piece.checksum.hasher() if piece.checksum is not None else None
    try:
        with Appending(file, upload.offset, partial(record, upload), hasher) as appended:
            while chunk := piece.read(appending.CHUNK_BYTES):
                if appended.offset + len(chunk) > most_bytes:
                    raise UploadTooLarge(most_bytes)
                appended.write(chunk)
            if piece.checksum is not None:
                if appended.digest() != piece.checksum.digest:
                    raise ApiError("checksum_mismatch")
                appended.accept()
    except (OSError, DiskFull, Interrupted):
        log_broken_off(upload.pk)
        raise


def record(upload: Upload, offset: int) -> None:
    """Says that all up to `offset` is safe on disk. Raises ApiError `upload_gone`. Repeated, it
    changes nothing.
    """
    now: dict[str, Any] = {"offset": offset, "updated": Now(), "expires": expiry()}
    if offset == upload.length:
        now["completed"] = Coalesce("completed", Now())
    there = Upload.objects.filter(pk=upload.pk, removed=None)
    if not database.retry_while_database_is_down(lambda: there.update(**now)):
        raise ApiError("upload_gone")


def with_length(upload: Upload, piece: Piece, file: BinaryIO) -> Upload:
    """The upload, whose length may be said by the piece. Raises ValidationError,
    UploadTooLarge, DiskFull and QuotaExceeded.
    """
    length = piece.length
    if length is None or length == upload.length:
        return upload
    if upload.length is not None or length < upload.offset:
        raise wrong("Upload-Length", "This is not what was announced, or less than is here.")
    if length > settings.BMAT_MAX_UPLOAD_BYTES:
        raise UploadTooLarge(settings.BMAT_MAX_UPLOAD_BYTES)
    if not disk.has_room_for_upload(length - upload.offset):
        raise DiskFull
    with transaction.atomic():
        quotas.hold(upload.owner)
        Upload.objects.filter(pk=upload.pk, length=None).update(length=length)
        quotas.check(upload.owner)
    appending.reserve(file, length)
    upload.length = length
    return upload


def settle(upload_id: UUID) -> None:
    """Lets a request that is stuck give up the upload, so that its offset is what has arrived."""
    with suppress(Locked, FileNotFoundError), appending.locked(upload_id):
        pass


def used(upload_id: UUID, piece: Piece) -> Upload:
    """An upload whose file a report has: a request for it may be repeated, and adds nothing. Raises
    ApiError `upload_offset_mismatch`, and `upload_gone` where there is no report either.
    """
    upload = ending.current(upload_id)
    if upload.report_id is None:
        ending.forget_lost(upload_id)
        raise ApiError("upload_gone")
    if piece.offset != upload.offset:
        raise offset_mismatch(upload)
    return upload


def offset_mismatch(upload: Upload) -> ApiError:
    """The error that tells the true offset."""
    return ApiError(
        "upload_offset_mismatch",
        f"The upload has {upload.offset} bytes: go on from there.",
        headers={"Upload-Offset": str(upload.offset)},
    )


def log_broken_off(upload_id: UUID) -> None:
    """Says how far an upload has come whose bytes have ceased to come."""
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is not None:
        share = f"{upload.offset / upload.length:.0%}" if upload.length else "a part"
        events.info(
            "upload %s broke off: %s has %s", upload_id, shown_name(upload.input_name), share
        )
