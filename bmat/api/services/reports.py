"""What its owner does to a report: submits it, tries it again, deletes it.

Of a submission the bytes are on disk and the row committed before anybody hears of the report.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction

from bmat.aggregation import Options
from bmat.api.errors import ApiError
from bmat.api.models import Callback, Delivery, IdempotencyKey, Report, Status, Upload
from bmat.api.models.owners import KeyTaken
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.services import database, disk, files, leases, queue, quotas
from bmat.api.services.files import ReceivedInput
from bmat.api.services.leases import events
from bmat.api.services.uploads import appending

logger = logging.getLogger(__name__)

SHOWN_NAME_LENGTH = 60


class UploadsUsed(ApiError):
    """One of the uploads is a report's by now, or was removed."""

    default_code = "upload_used"


class AlreadySubmitted(Exception):
    """Another request, perhaps of the same moment, has used the Idempotency-Key."""

    def __init__(self, key: IdempotencyKey) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True)
class WantedCallback:
    """Whom to tell when the report ends. `secret` is empty where that of its owner is used."""

    url: str
    secret: str = ""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "WantedCallback | None":
        """Whom the fields of an upload name; None: nobody."""
        url = fields.get("callback_url")
        return cls(url, fields.get("callback_secret", "")) if url else None


@dataclass(frozen=True)
class Submission:
    """What a report is to be made of: at least one input, in order, and the options that its owner
    gave, those of bmat.aggregation.Options, which have been checked. With a `base`, which is a pid,
    the last input is the totals of that report. `uploads` came in parts, and are used up by it.
    `callback` is told when the report ends.
    """

    inputs: Sequence[ReceivedInput]
    options: dict[str, Any] = field(default_factory=dict)
    owner: User | None = None
    base: UUID | None = None
    uploads: Sequence[UUID] = ()
    callback: WantedCallback | None = None

    def on_top_of(self, base: Report) -> "Submission":
        """The same, on top of the totals of a Done report by the same columns. Raises BaseGone, and
        DiskFull where there is no room for a result as large as these.
        """
        totals = files.totals_of(base)
        if not disk.has_room_for(totals.size + disk.expected_bytes()):
            raise disk.DiskFull
        return replace(self, inputs=[*self.inputs, totals], base=base.pid)

    def fingerprint(self) -> str:
        """What an Idempotency-Key stands for: the inputs in their order, but for their names."""
        given = [
            [each.fingerprint, each.options] if each.options else each.fingerprint
            for each in self.inputs
        ]
        told = [self.callback.url, self.callback.secret] if self.callback is not None else []
        body = json.dumps([*given, self.options, *told], sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()


def submit_once(submission: Submission, key: str) -> tuple[Report, bool]:
    """Submits it, unless its owner has used the Idempotency-Key: then that report, and True.

    Of two requests of the same moment one creates the report, and both return it. Raises ApiError
    `idempotency_key_reused` or `idempotency_key_outlived`, and what `submit_report` raises.
    """
    known = IdempotencyKey.objects.known(submission.owner, key)
    if known is None:
        try:
            return submit_report(submission, key), False
        except AlreadySubmitted as earlier:
            known = earlier.key
    if known.fingerprint != submission.fingerprint():
        raise ApiError("idempotency_key_reused")
    report = Report.objects.filter(pid=known.pid).first()
    if report is None:
        raise ApiError("idempotency_key_outlived")
    return report, True


def submit_report(submission: Submission, key: str | None = None) -> Report:
    """Keeps the inputs and creates their report; a worker is told after the commit.

    Raises AlreadySubmitted, QuotaExceeded, BaseGone and UploadsUsed, and leaves nothing behind.
    """
    pid, owner = uuid4(), submission.owner
    with FilesUntilCommit(pid) as until_commit:
        files.keep_inputs(pid, submission.inputs)
        while True:
            try:
                with transaction.atomic():
                    quotas.hold(owner)
                    if key is not None:
                        IdempotencyKey.objects.take(owner, key, submission.fingerprint(), pid)
                    report = create_report(pid, submission)
                    use_uploads(report, submission.uploads)
                    if submission.callback is not None:
                        url, secret = submission.callback.url, submission.callback.secret
                        Callback.objects.create(report=report, url=url, secret=secret)
                    quotas.check(owner)
                    announce_on_commit(report, until_commit)
                return report
            except KeyTaken as error:
                assert key is not None, "it was taken under one"
                known = IdempotencyKey.objects.of(owner, key).first()
                # Else the key was swept as soon as it was taken, and is free again.
                if known is not None:
                    raise AlreadySubmitted(known) from error


def create_report(pid: UUID, submission: Submission) -> Report:
    """The row of a submission whose inputs have been kept."""
    return Report.objects.create(
        pid=pid,
        owner=submission.owner,
        input_file=files.input_name(pid),
        input_name=submission.inputs[0].name[:INPUT_NAME_LENGTH],
        input_bytes=sum(received.size for received in submission.inputs),
        inputs=files.rows_of(submission.inputs),
        base=submission.base,
        options=submission.options,
        group_by=list(Options.of(submission.options).key),
        **queue.message_sent(),
    )


def use_uploads(report: Report, uploads: Sequence[UUID]) -> None:
    """Lets the uploads be the report's, each of one report alone; their files go after the commit.
    Raises UploadsUsed.
    """
    whole = Upload.objects.whole().filter(pk__in=uploads)
    if whole.update(report=report) != len(uploads):
        raise UploadsUsed
    # The report has other names for the same bytes. What stays because of an error is swept.
    transaction.on_commit(lambda: remove_files(uploads), robust=True)


def remove_files(uploads: Sequence[UUID]) -> None:
    for upload_id in uploads:
        appending.path_of(upload_id).unlink(missing_ok=True)


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
    """Says that the inputs are safe, and the row committed."""
    name, more = shown_name(report.input_name), len(report.inputs) - 1
    named = f"{name} and {more} more" if more else name
    events.info("report %s received: %s, %s bytes", report.pid, named, f"{report.input_bytes:,}")


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
    """Tries a report again that has failed or was cancelled, on the files that were kept; a worker
    is told after the commit. `options`, which have been checked, replace those of before; None
    keeps these. False: the report is in another state, has no files any more, or is gone. Raises
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
        # Nor does one begin to deliver an event of it.
        list(Delivery.objects.select_for_update().filter(report=pid).values_list("pk"))
        if report.status == Status.PROCESSING:
            transaction.on_commit(lambda: events.info("report %s cancelled", pid))
        report.delete()
        transaction.on_commit(partial(files.remove, files.report_folder(pid)))
    return True
