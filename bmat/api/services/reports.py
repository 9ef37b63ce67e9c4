"""What its owner does to a report: submits it, tries it again, deletes it.

Of an upload the bytes are on disk and the row committed before anybody hears of the report.
"""

import hashlib
import json
import logging
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from bmat.aggregation import Options
from bmat.api.models import IdempotencyKey, Report, Status
from bmat.api.models.idempotency import KeyTaken
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.services import database, files, leases, queue, quotas
from bmat.api.services.leases import events

logger = logging.getLogger(__name__)

SHOWN_NAME_LENGTH = 60


class KeyReused(Exception):
    """The Idempotency-Key stands for another file or other options."""


class KeyOutlived(Exception):
    """The report that the Idempotency-Key stands for was deleted."""


class AlreadySubmitted(Exception):
    """Another request, perhaps of the same moment, has used the Idempotency-Key."""

    def __init__(self, key: IdempotencyKey) -> None:
        super().__init__(key)
        self.key = key


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
        except AlreadySubmitted as earlier:
            known = earlier.key
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
    Raises AlreadySubmitted and QuotaExceeded, and leaves nothing behind.
    """
    pid = uuid4()
    with FilesUntilCommit(pid) as until_commit:
        # The upload's temporary file lies on the reports' own filesystem: saving it is a rename.
        name = default_storage.save(files.input_name(pid), upload)
        files.sync(files.path(name))
        while True:
            try:
                with transaction.atomic():
                    quotas.hold(owner)
                    if idempotency is not None:
                        key, fingerprint = idempotency.key, idempotency.fingerprint
                        IdempotencyKey.objects.take(owner, key, fingerprint, pid)
                    report = create_report(pid, name, upload, options, owner)
                    quotas.check(owner)
                    announce_on_commit(report, until_commit)
                return report
            except KeyTaken as error:
                known = IdempotencyKey.objects.of(owner, key).first()
                # Else the key was swept as soon as it was taken, and is free again.
                if known is not None:
                    raise AlreadySubmitted(known) from error


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
        group_by=list(Options.of(options).key),
        **queue.message_sent(),
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


def announce_on_commit(report: Report, until_commit: FilesUntilCommit) -> None:
    """What follows the commit: the files stay, and a worker is told. To be called last in the
    transaction.
    """
    transaction.on_commit(until_commit.confirm)
    transaction.on_commit(lambda: log_received(report))
    # Whatever goes wrong with the message is logged and no more: Django needs the name of a
    # function for that, which a partial has not.
    transaction.on_commit(lambda: queue.enqueue(report.pid, report.input_bytes), robust=True)
    until_commit.reached = True


def log_received(report: Report) -> None:
    """Says that the upload is safe, and the row committed."""
    name = shown_name(report.input_name)
    events.info("report %s received: %s, %s bytes", report.pid, name, f"{report.input_bytes:,}")


def shown_name(name: str) -> str:
    """A user's file name, cut to fit, without what a terminal would take for a command."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)
    if len(printable) <= SHOWN_NAME_LENGTH:
        return printable
    return printable[: SHOWN_NAME_LENGTH - 1] + "…"


def retry_report(
    pid: UUID,
    input_bytes: int,
    owner: User | None = None,
    options: dict[str, Any] | None = None,
) -> bool:
    """Tries a report again that has failed or was cancelled, on the file that was kept; a worker is
    told after the commit. `options`, which have been checked, replace those of before; None keeps
    these. False: the report is in another state, has no files any more, or is gone. Raises
    QuotaExceeded where its `owner` has too many that are not finished.
    """
    with transaction.atomic():
        quotas.hold(owner)
        retried = leases.retry(pid, options)
        if retried:
            quotas.check_running(owner)
            transaction.on_commit(lambda: events.info("report %s received again", pid))
            transaction.on_commit(lambda: queue.enqueue(pid, input_bytes), robust=True)
    return retried


def delete_report(pid: UUID) -> bool:
    """Removes the row and then the files. A worker that is at it notices when it next renews its
    lease, and stops. False: there is no such report.
    """
    with transaction.atomic():
        # The lock keeps a worker from beginning an attempt between the removal of the earlier ones
        # and that of the report.
        report = Report.objects.select_for_update().filter(pid=pid).first()
        if report is None:
            return False
        if report.status == Status.PROCESSING:
            transaction.on_commit(lambda: events.info("report %s cancelled", pid))
        report.delete()
        transaction.on_commit(partial(files.remove, files.report_folder(pid)))
    return True
