"""How an upload that comes in parts begins: empty, or joined from others that are whole.

Its file is synced before the row is there.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from bmat.api.errors import ApiError, UploadTooLarge
from bmat.api.models import IdempotencyKey, Upload
from bmat.api.models.owners import KeyTaken
from bmat.api.models.uploads import UploadQuerySet, expiry, first_expiry
from bmat.api.services import database, disk, files, quotas
from bmat.api.services.disk import DiskFull
from bmat.api.services.reports import WantedCallback
from bmat.api.services.uploads import appending, ending
from bmat.api.tus import CONCAT, wrong

# Uploads that were joined are removed this long after it, unless their client does so itself.
JOINED_SECONDS = 3600


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


def create(announced: Announced, owner: User | None, key: str | None) -> tuple[Upload, bool]:
    """The new upload, its file and room for it. Under a `key` that its owner has used, the upload
    of that time, and True.

    Raises UploadTooLarge, DiskFull, QuotaExceeded, ValidationError, and ApiError
    `idempotency_key_reused` or `idempotency_key_outlived`.
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
    """The upload that the key stands for; None where it stands for nothing. Raises ApiError
    `idempotency_key_reused` or `idempotency_key_outlived`.
    """
    known = IdempotencyKey.objects.known(owner, key)
    if known is None:
        return None
    if known.fingerprint != announced.fingerprint():
        raise ApiError("idempotency_key_reused")
    upload = Upload.objects.filter(pk=known.pid).first()
    if upload is None:
        raise ApiError("idempotency_key_outlived")
    return upload


def made(announced: Announced, owner: User | None, key: str | None) -> Upload:
    """The new upload: first its file, whole where it is joined from others, then its row. Raises
    DiskFull, QuotaExceeded, KeyTaken, and ValidationError; then nothing is left.
    """
    upload_id = uuid4()
    path = appending.path_of(upload_id)
    with ExitStack() as on_failure:
        on_failure.callback(path.unlink, missing_ok=True)
        with appending.made_file(
            upload_id, 0 if announced.parts else announced.length or 0
        ) as file:
            join(announced.parts or [], file)
        files.sync_one(path.parent)
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
    return ending.finished(upload)


def join(parts: Sequence[UUID], file: BinaryIO) -> None:
    """Copies whole uploads into an empty file, one behind the other. Raises OSError, and
    ValidationError.
    """
    try:
        for part in parts:
            with appending.path_of(part).open("rb", buffering=0) as source:
                shutil.copyfileobj(source, file, appending.CHUNK_BYTES)
    except FileNotFoundError as error:
        raise wrong(CONCAT, "One of these uploads was removed this moment.") from error
    disk.sync_data(file.fileno())


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
