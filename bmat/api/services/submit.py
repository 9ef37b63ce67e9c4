"""Taking an upload in: the bytes are on disk and the row committed before anybody hears of the
report.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from bmat.api.models import IdempotencyKey, Report
from bmat.api.models.idempotency import KeyTaken
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.models.sets import seconds_from_now
from bmat.api.services import bell, database, files, quotas, report_log

logger = logging.getLogger(__name__)


class KeyReused(Exception):
    """The Idempotency-Key stands for another file or other options."""


class KeyOutlived(Exception):
    """The report that the Idempotency-Key stands for was deleted."""


@dataclass(frozen=True)
class Idempotency:
    """The key that a client gave, and what it gave it with."""

    key: str
    fingerprint: str

    @classmethod
    def of(cls, key: str, upload_sha256: str, options: dict[str, Any]) -> "Idempotency":
        """`upload_sha256` is in hexadecimal digits. The file's name does not matter."""
        body = json.dumps([upload_sha256, options], sort_keys=True)
        return cls(key, hashlib.sha256(body.encode()).hexdigest())


def submit_once(
    upload: "UploadedFile[Any]",
    options: dict[str, Any],
    idempotency: Idempotency,
    owner: User | None = None,
) -> tuple[Report, bool]:
    """Submits the upload, unless `owner` has used its key: then that report, and True.

    Of two requests of the same moment one creates the report, and both return it. Raises KeyReused,
    KeyOutlived and QuotaExceeded.
    """
    known = IdempotencyKey.objects.known(owner, idempotency.key)
    if known is None:
        try:
            return submit_report(upload, options, idempotency, owner), False
        except KeyTaken:
            known = IdempotencyKey.objects.of(owner, idempotency.key).get()
    if known.fingerprint != idempotency.fingerprint:
        raise KeyReused
    report = Report.objects.filter(pid=known.pid).first()
    if report is None:
        raise KeyOutlived
    return report, True


def submit_report(
    upload: "UploadedFile[Any]",
    options: dict[str, Any],
    idempotency: Idempotency | None = None,
    owner: User | None = None,
) -> Report:
    """Keeps the upload and creates its report; a worker is told after the commit.

    `options` are those of bmat.aggregation.Options that the user gave, and have been checked.
    Raises KeyTaken and QuotaExceeded, and leaves nothing behind.
    """
    pid = uuid4()
    with FilesUntilCommit(pid) as until_commit:
        # The upload's temporary file lies on the reports' own filesystem: saving it is a rename.
        name = default_storage.save(files.input_name(pid), upload)
        files.sync(files.path(name))
        with transaction.atomic():
            quotas.hold(owner)
            if idempotency is not None:
                IdempotencyKey.objects.take(owner, idempotency.key, idempotency.fingerprint, pid)
            report = create_report(pid, name, upload, options, owner)
            quotas.check(owner)
            transaction.on_commit(until_commit.confirm)
            transaction.on_commit(lambda: report_log.received(report))
            # Whatever the bell raises is logged and no more: Django needs the name of a function
            # for that, which a partial has not.
            transaction.on_commit(lambda: bell.ring(pid, report.input_bytes), robust=True)
            until_commit.reached = True
    return report


def create_report(
    pid: UUID,
    name: str,
    upload: "UploadedFile[Any]",
    options: dict[str, Any],
    owner: User | None,
) -> Report:
    """The row of an upload that was saved under the storage's `name`."""
    return Report.objects.create(
        pid=pid,
        owner=owner,
        input_file=name,
        input_name=(upload.name or "")[:INPUT_NAME_LENGTH],
        input_bytes=upload.size or 0,
        options=options,
        ring_at=seconds_from_now(settings.BMAT_RING_AGAIN_SECONDS),
    )


class FilesUntilCommit:
    """Removes the files of a report that comes to nothing.

    Where the connection breaks during the commit, nobody knows whether it took place: then the
    files stay, for the row may be there. If it is not, they are swept. Once it is confirmed, they
    stay, whatever happens after it.
    """

    def __init__(self, pid: UUID) -> None:
        self.pid = pid
        self.reached = False
        self._confirmed = False

    def confirm(self) -> None:
        """The commit has taken place."""
        self._confirmed = True

    def __enter__(self) -> "FilesUntilCommit":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or self._confirmed:
            return
        if self.reached and issubclass(kind, database.AWAY):
            logger.error("report %s: its commit was not confirmed, its files are kept", self.pid)
        else:
            files.remove(files.report_folder(self.pid))
