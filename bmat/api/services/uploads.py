"""The life of an upload that comes in parts: created, appended to, joined, used for a report,
removed.

Each change is a conditional update of the row. Its file is synced before the row says so, and goes
after the row has said so.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models.functions import Coalesce, Now

from bmat.aggregation import AggregationError
from bmat.api.errors import ApiError
from bmat.api.forms import UploadTooLarge
from bmat.api.models import IdempotencyKey, Upload
from bmat.api.models.idempotency import KeyTaken
from bmat.api.models.uploads import UploadQuerySet, expiry, first_expiry
from bmat.api.services import appending, database, disk, inputs, quotas
from bmat.api.services.appending import Appending, Interrupted, Locked
from bmat.api.services.disk import DiskFull
from bmat.api.services.inputs import ReceivedInput
from bmat.api.services.leases import events
from bmat.api.services.quotas import QuotaExceeded
from bmat.api.services.reports import (
    KeyOutlived,
    KeyReused,
    Submission,
    UploadsUsed,
    WantedCallback,
    shown_name,
    submit_report,
)
from bmat.api.tus import CONCAT, wrong

logger = logging.getLogger(__name__)

# Uploads that were joined are removed this long after it, unless their client does so itself.
JOINED_SECONDS = 3600
# So long their ids are answered with 410.
REMEMBERED = timedelta(days=7)


@dataclass(frozen=True)
class Announced:
    """What a client says of a new upload. `parts` are those that it is joined from."""

    length: int | None
    metadata: str = ""
    concat: str = ""
    input_name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    callback: WantedCallback | None = None
    makes_report: bool = True
    parts: Sequence[UUID] | None = None

    def fingerprint(self) -> str:
        """What an Idempotency-Key stands for."""
        body = json.dumps(["upload", self.length, self.metadata, self.concat])
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass(frozen=True)
class Piece:
    """What one request adds: from `offset` on, the bytes that `read` returns, until it returns
    none. `length` is that of the upload where the request is the first to say it. `checksum` finds
    a digest, which must be `digest`.
    """

    offset: int
    read: Callable[[int], bytes]
    announced_bytes: int = 0
    length: int | None = None
    hasher: Any = None
    digest: bytes = b""


def create(announced: Announced, owner: User | None, key: str | None) -> tuple[Upload, bool]:
    """The new upload and its file, where there is room for it now. Under a `key` that its owner
    has used, the upload of that time, and True.

    Raises UploadTooLarge, DiskFull, QuotaExceeded, KeyReused, KeyOutlived, and ValidationError.
    """
    earlier = None if key is None else of_key(announced, owner, key)
    if earlier is not None:
        return earlier, True
    length = announced.length or 0
    if length > settings.BMAT_MAX_UPLOAD_BYTES:
        raise UploadTooLarge(settings.BMAT_MAX_UPLOAD_BYTES)
    quotas.check(owner, int(announced.makes_report), length)
    if not disk.has_room_for_upload(length):
        raise DiskFull
    try:
        return made(announced, owner, key), False
    except KeyTaken:
        # Another request of this moment has it; or it was swept then, and is free again.
        return create(announced, owner, key)


def of_key(announced: Announced, owner: User | None, key: str) -> Upload | None:
    """The upload that the key stands for; None where it stands for nothing. Raises KeyReused and
    KeyOutlived.
    """
    known = IdempotencyKey.objects.known(owner, key)
    if known is None:
        return None
    if known.fingerprint != announced.fingerprint():
        raise KeyReused
    upload = Upload.objects.filter(pk=known.pid).first()
    if upload is None:
        raise KeyOutlived
    return upload


def made(announced: Announced, owner: User | None, key: str | None) -> Upload:
    """The new upload: first its file, whole where it is joined from others, then its row. Raises
    DiskFull, QuotaExceeded, KeyTaken, and ValidationError; then nothing is left.
    """
    upload_id = uuid4()
    path = appending.path_of(upload_id)
    with ExitStack() as on_failure:
        on_failure.callback(path.unlink, missing_ok=True)
        with appending.made_file(upload_id) as file:
            join(announced.parts or [], file)
        sync_folder(path.parent)
        try:
            upload = create_row(upload_id, announced, owner, key)
        except database.AWAY:
            # Nobody knows whether the row was committed. If it was not, the file is swept.
            on_failure.pop_all()
            raise
        on_failure.pop_all()
    if announced.parts:
        soon = Now() + timedelta(seconds=JOINED_SECONDS)
        Upload.objects.filter(pk__in=announced.parts, expires__gt=soon).update(expires=soon)
    return finished(upload)


def join(parts: Sequence[UUID], file: BinaryIO) -> None:
    """Copies whole uploads into the file. Raises DiskFull, and ValidationError."""
    try:
        appending.join(parts, file)
    except FileNotFoundError as error:
        raise wrong(CONCAT, "One of these uploads was removed this moment.") from error


def sync_folder(folder: Path) -> None:
    """Makes sure that the names in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_row(
    upload_id: UUID, announced: Announced, owner: User | None, key: str | None
) -> Upload:
    """The row of a file that is there. Raises QuotaExceeded and KeyTaken."""
    is_whole = announced.parts is not None or announced.length == 0
    with transaction.atomic():
        quotas.hold(owner)
        if key is not None:
            IdempotencyKey.objects.take(owner, key, announced.fingerprint(), upload_id)
        upload = Upload.objects.create(
            pk=upload_id,
            owner=owner,
            length=announced.length,
            offset=(announced.length or 0) if is_whole else 0,
            metadata=announced.metadata,
            concat=announced.concat,
            input_name=announced.input_name,
            options=dict(announced.options),
            callback=None if announced.callback is None else asdict(announced.callback),
            makes_report=announced.makes_report,
            expires=expiry() if is_whole else first_expiry(),
            completed=Now() if is_whole else None,
        )
        quotas.check(owner)
    upload.refresh_from_db()
    return upload


def length_of_parts(parts: Sequence[UUID], visible: UploadQuerySet) -> int:
    """How long the upload will be that is joined from those. Raises ValidationError unless
    all of them are whole, and there to be joined.
    """
    found = visible.filter(removed=None, report=None).in_bulk(list(parts))
    for part in parts:
        if part not in found or not found[part].is_partial or found[part].completed is None:
            raise wrong(CONCAT, f"This is no upload that can be joined now: {part}")
    return sum(found[part].offset for part in parts)


def append(upload_id: UUID, piece: Piece) -> Upload:
    """Adds the bytes, syncs them, and makes the report where they are the last.

    What has arrived counts, too, where the rest does not come, unless there is a checksum. Raises
    ApiError: `upload_gone`, `upload_locked`, `upload_offset_mismatch`, `checksum_mismatch`;
    UploadTooLarge, DiskFull, QuotaExceeded, and what `piece.read` raises.
    """
    try:
        with appending.locked(upload_id) as file:
            # The row as it is now that nobody else changes its offset.
            upload = with_length(current(upload_id), piece, file)
            if piece.offset != upload.offset:
                raise offset_mismatch(upload)
            if upload.length is not None and piece.announced_bytes > upload.length - upload.offset:
                raise UploadTooLarge(upload.length)
            if not connection.in_atomic_block:
                # Its client may take hours: meanwhile the thread has no connection.
                connection.close()
            receive(upload, piece, file)
            return finished(current(upload_id))
    except FileNotFoundError:
        return used(upload_id, piece)
    except (Locked, Interrupted) as error:
        raise ApiError("upload_locked") from error


def receive(upload: Upload, piece: Piece, file: BinaryIO) -> None:
    """Writes the piece into the locked file."""
    most_bytes = settings.BMAT_MAX_UPLOAD_BYTES if upload.length is None else upload.length
    record_offset = partial(record, upload)
    try:
        with Appending(
            file, upload.offset, upload.length, record_offset, piece.hasher
        ) as appended:
            while chunk := piece.read(appending.CHUNK_BYTES):
                if appended.offset + len(chunk) > most_bytes:
                    raise UploadTooLarge(most_bytes)
                appended.write(chunk)
            if piece.hasher is not None:
                if appended.digest() != piece.digest:
                    raise ApiError("checksum_mismatch")
                appended.accept()
    except (OSError, DiskFull, Interrupted):
        log_broken_off(upload.pk)
        raise


def current(upload_id: UUID) -> Upload:
    """The row as it is. Raises ApiError `upload_gone`."""
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is None or upload.is_gone:
        raise ApiError("upload_gone")
    return upload


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
    appending.cut(file, length)
    upload.length = length
    return upload


def settle(upload_id: UUID) -> None:
    """Lets a request that is stuck give up the upload, so that its offset is what has arrived."""
    try:
        with appending.locked(upload_id):
            pass
    except (Locked, FileNotFoundError):
        pass


def submission_of(upload: Upload) -> Submission:
    """What an upload that is whole asks for."""
    callback = None if upload.callback is None else WantedCallback(**upload.callback)
    return Submission(
        [received(upload)],
        upload.options,
        upload.owner,
        uploads=[upload.pk],
        callback=callback,
    )


def finished(upload: Upload) -> Upload:
    """The upload with its report, if it is to have one by now. Where its owner has as many
    unfinished ones as the limit allows, the reconciler makes it later.
    """
    if not upload.waits_for_report:
        return upload
    try:
        submit_report(submission_of(upload))
    except QuotaExceeded as error:
        logger.info("upload %s: it is whole, and waits: %s", upload.pk, error)
    except UploadsUsed:
        # Most likely, another process has made the report this moment.
        forget_lost(upload.pk)
    return current(upload.pk)


def finish_all() -> None:
    """Makes the reports of those whose server has died between the last byte and the report."""
    for upload in Upload.objects.without_report():
        try:
            with appending.locked(upload.pk, waits=False):
                finished(current(upload.pk))
        except FileNotFoundError:
            forget_lost(upload.pk)
        except (Locked, ApiError):
            # A web process is at it, or somebody has removed it.
            continue
        except AggregationError as error:
            # An earlier version knew its options.
            logger.warning("upload %s: no report can be made of it: %s", upload.pk, error)


def forget_lost(upload_id: UUID) -> None:
    """Takes an upload away whose file is not there, though no report has it."""
    lost = Upload.objects.filter(pk=upload_id, report=None, removed=None)
    if not appending.path_of(upload_id).exists() and lost.update(removed=Now()):
        logger.warning("upload %s: its file is not there any more", upload_id)


def received(upload: Upload, options: Mapping[str, Any] | None = None) -> ReceivedInput:
    """A whole upload as an input of a report, with options of its own. It does not take the file
    away: a submission that is refused must not lose it. Its `put_at` raises UploadsUsed.
    """

    def put_at(path: Path) -> None:
        try:
            inputs.link_or_copy(appending.path_of(upload.pk), path)
        except FileNotFoundError as error:
            raise UploadsUsed from error

    return ReceivedInput(upload.input_name, upload.offset, put_at, str(upload.pk), options or {})


def terminate(upload: Upload) -> None:
    """Removes the upload and its file. A report that it has become stays."""
    if Upload.objects.filter(pk=upload.pk, removed=None).update(removed=Now()):
        appending.path_of(upload.pk).unlink(missing_ok=True)


def expire() -> list[Path]:
    """Takes those away that have had their time; their files, which are left to the caller. Forgets
    what was taken away long ago.
    """
    Upload.objects.filter(removed__lt=Now() - REMEMBERED).delete()
    paths = []
    for upload_id in list(Upload.objects.expired().values_list("pk", flat=True)):
        # Bytes may have come this moment.
        if Upload.objects.expired().filter(pk=upload_id).update(removed=Now()):
            paths.append(appending.path_of(upload_id))
    return paths


def kept_paths() -> set[Path]:
    """The files that belong to an upload."""
    ids = Upload.objects.filter(removed=None, report=None).values_list("pk", flat=True)
    return {appending.path_of(upload_id) for upload_id in ids}


def offset_mismatch(upload: Upload) -> ApiError:
    """The error that tells the true offset."""
    return ApiError(
        "upload_offset_mismatch",
        f"The upload has {upload.offset} bytes: go on from there.",
        headers={"Upload-Offset": str(upload.offset)},
    )


def used(upload_id: UUID, piece: Piece) -> Upload:
    """An upload whose file a report has: a request for it may be repeated, and adds nothing. Raises
    ApiError `upload_offset_mismatch`, and `upload_gone` where there is no report either.
    """
    upload = current(upload_id)
    if upload.report_id is None:
        forget_lost(upload_id)
        raise ApiError("upload_gone")
    if piece.offset != upload.offset:
        raise offset_mismatch(upload)
    return upload


def log_broken_off(upload_id: UUID) -> None:
    """Says how far an upload has come whose bytes have ceased to come."""
    upload = Upload.objects.filter(pk=upload_id).first()
    if upload is not None:
        share = f"{upload.offset / upload.length:.0%}" if upload.length else "a part"
        events.info(
            "upload %s broke off: %s has %s", upload_id, shown_name(upload.input_name), share
        )
