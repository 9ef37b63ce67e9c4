"""The report's state machine. Each change is one conditional UPDATE, whose row count says whether
it happened; a status changes here and nowhere else.

Every time that is written or compared is the database's: the clock of a worker may be wrong.
"""

import logging
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from bmat.aggregation import Options, Progress, Summary
from bmat.aggregation.results import Example
from bmat.api.models import Report, ReportAttempt, Status
from bmat.api.models.reports import Outcome, ReportQuerySet
from bmat.api.services import outbox
from bmat.api.services.queue import in_seconds, message_due, message_sent

# One record for each event in a report's life that a person wants to see. `make run` shows them,
# and of all others only warnings and errors: scripts/output.py looks for the logger's name.
events = logging.getLogger("bmat.reports")

WORKER_LOST = "worker_lost"
WORKER_LOST_MESSAGE = (
    "The worker stopped in the middle of this report, each time it was tried. "
    "It may need more memory than there is."
)

UNCLAIMED: dict[str, Any] = {"lease_token": None, "lease_expires": None}
NOT_BEGUN: dict[str, Any] = {"stage": "queued", "progress": 0.0, "rows_read": 0}
NOTHING_FOUND: dict[str, Any] = {
    "rows_rejected": 0,
    "rows_left_out": 0,
    "rejects_by_reason": {},
    "rejects_sample": {},
    "warnings": [],
    "preset": "",
    "inputs_read": [],
}
RETRIED: dict[str, Any] = {
    "status": Status.PROCESSING,
    "attempts": 0,
    "cluster_waits": 0,
    "started": None,
    "finished": None,
    "rejects_file": "",
    "result_bytes": 0,
    **NOTHING_FOUND,
    "error_code": "",
    "error_message": "",
}


@dataclass(frozen=True)
class Lease:
    """What its holder has to know: the report's inputs and options, and the tokens of the attempts
    before, whose files nobody needs, whatever becomes of this lease. With a `base` the last input
    is totals.
    """

    pid: UUID
    token: UUID
    options: dict[str, Any]
    inputs: list[dict[str, Any]]
    base: UUID | None
    earlier_attempts: list[UUID]


@dataclass(frozen=True)
class Rejected:
    """What a run leaves that has counted nothing: the storage's name of its rejects, and what they
    take.
    """

    summary: Summary
    rejects_file: str
    result_bytes: int


def queued() -> dict[str, Any]:
    """What lets a report wait for a worker again, beside `message_sent` or `message_due`."""
    return {**UNCLAIMED, **NOT_BEGUN, "updated": Now()}


def ended(status: Status) -> dict[str, Any]:
    """What every end of a report sets."""
    return {**UNCLAIMED, "status": status, "stage": "", "finished": Now(), "updated": Now()}


def claim(pid: UUID, lease_token: UUID, worker: str = "") -> Lease | None:
    """Takes the lease of a report that nobody works on. None: there is none to take."""
    # A claim that is repeated, for its answer got lost, finds its own lease: see `held_lease`.
    has_run_out = Q(lease_expires__lt=Now()) & ~Q(lease_token=lease_token)
    waiting = Report.objects.filter(
        Q(lease_token=None) | has_run_out,
        pid=pid,
        status=Status.PROCESSING,
        attempts__lt=settings.BMAT_MAX_ATTEMPTS,
    )
    taken = {
        **NOT_BEGUN,
        "stage": "reading",
        "lease_token": lease_token,
        "lease_expires": in_seconds(settings.BMAT_LEASE_SECONDS),
        "attempts": F("attempts") + 1,
        "started": Now(),
        "updated": Now(),
    }
    with transaction.atomic():
        if not waiting.update(**taken):
            return None
        lease = held_lease(pid, lease_token)
        assert lease is not None, "it was taken in this transaction"
        ReportAttempt.objects.begin(pid, lease_token, worker, len(lease.earlier_attempts))
    return lease


def held_lease(pid: UUID, lease_token: UUID) -> Lease | None:
    """The lease that `lease_token` has already. None: it has none, or none any more."""
    held = Report.objects.leased(pid, lease_token)
    # One row for each attempt, and one without any where there is none yet.
    rows = list(held.values_list("options", "inputs", "base", "attempt_log__lease_token"))
    if not rows:
        return None
    earlier = [token for *_, token in rows if token not in (None, lease_token)]
    options, inputs, base, _ = rows[0]
    return Lease(pid, lease_token, options, inputs, base, earlier)


def renew(pid: UUID, lease_token: UUID, progress: Progress | None) -> bool:
    """Renews the lease and writes the progress. False: the lease is lost, or the report is
    cancelled or gone.
    """
    seen: dict[str, Any] = {}
    if progress is not None:
        seen = {
            "stage": progress.stage,
            "progress": progress.fraction,
            "rows_read": progress.rows_read,
        }
    return 1 == Report.objects.leased(pid, lease_token).update(
        **seen, lease_expires=in_seconds(settings.BMAT_LEASE_SECONDS), updated=Now()
    )


def finish(
    pid: UUID,
    lease_token: UUID,
    summary: Summary,
    output_file: str,
    rejects_file: str,
    result_bytes: int,
) -> bool:
    """Processing -> Done. The files carry their storage's names; `rejects_file` may be empty.
    All files of the result take `result_bytes`. False: the lease is lost.
    """
    results = {
        "progress": 1.0,
        "output_file": output_file,
        "rejects_file": rejects_file,
        "result_bytes": result_bytes,
        "groups": summary.groups,
        "plays_total": summary.plays_total,
        **found(summary),
    }
    held = Report.objects.leased(pid, lease_token)
    return let_go(pid, held, lease_token, Outcome.DONE, ended(Status.DONE) | results)


def found(summary: Summary) -> dict[str, Any]:
    """What a run has found in its inputs, whether it came to totals or not."""
    return {
        "rows_read": summary.rows_read,
        "rows_rejected": summary.rows_rejected,
        "rows_left_out": summary.rows_left_out,
        "rejects_by_reason": summary.rejects_by_reason,
        "rejects_sample": {
            reason: [example_of(each, len(summary.inputs)) for each in examples]
            for reason, examples in summary.rejects_sample.items()
        },
        "warnings": [each._asdict() for each in summary.warnings],
        "preset": summary.inputs[0].preset if summary.inputs else "",
        "inputs_read": [asdict(one) for one in summary.inputs],
        "group_by": list(summary.group_by),
    }


def example_of(example: Example, inputs: int) -> dict[str, Any]:
    """A rejected record as JSON: with the number of its input where there are several."""
    where = {"file": example.file} if inputs > 1 else {}
    return where | {"line": example.line, "record": example.record}


def fail(
    pid: UUID, lease_token: UUID, code: str, message: str, rejected: Rejected | None = None
) -> bool:
    """Processing -> Failed. False: the lease is lost. `rejected`: what is left to look at where
    every record was.
    """
    changes = ended(Status.FAILED) | {"error_code": code, "error_message": message}
    if rejected is not None:
        changes |= found(rejected.summary) | {
            "rejects_file": rejected.rejects_file,
            "result_bytes": rejected.result_bytes,
        }
    held = Report.objects.leased(pid, lease_token)
    failed = let_go(pid, held, lease_token, Outcome.FAILED, changes)
    if failed:
        events.info("report %s failed: %s", pid, code)
    return failed


def hand_back(pid: UUID, lease_token: UUID) -> bool:
    """Lets the report wait again, because its worker ends: such an attempt does not count. The
    caller sends a message. False: the lease is lost.
    """
    changes = queued() | message_sent() | {"attempts": F("attempts") - 1}
    held = Report.objects.leased(pid, lease_token)
    return let_go(pid, held, lease_token, Outcome.HANDED_BACK, changes)


def hand_back_for_cluster(pid: UUID, lease_token: UUID) -> float | None:
    """Lets the report wait again, because its Dask cluster is away, and twice as long as the time
    before: how many seconds. Of such an attempt nothing is kept, for there may be any number of
    them. None: the lease is lost.
    """
    held = Report.objects.leased(pid, lease_token)
    waits = held.values_list("cluster_waits", flat=True).first() or 0
    seconds: float = min(2.0 ** min(waits, 30), settings.BMAT_CLUSTER_AGAIN_MAX_SECONDS)
    uncounted = {"attempts": F("attempts") - 1, "cluster_waits": F("cluster_waits") + 1}
    with transaction.atomic():
        if not held.update(**queued() | message_due(seconds) | uncounted):
            return None
        ReportAttempt.objects.filter(lease_token=lease_token).delete()
    return seconds


def requeue_abandoned(report: Report, lease_token: UUID) -> bool:
    """Lets an abandoned report wait again; Processing -> Failed where it has been abandoned so
    often that one more attempt is pointless. False: its worker was quicker.
    """
    is_last = report.attempts >= settings.BMAT_MAX_ATTEMPTS
    error = {"error_code": WORKER_LOST, "error_message": WORKER_LOST_MESSAGE}
    changes = ended(Status.FAILED) | error if is_last else queued() | message_due()
    held = Report.objects.abandoned().filter(pid=report.pid, lease_token=lease_token)
    changed = let_go(report.pid, held, lease_token, Outcome.LOST, changes)
    if changed and is_last:
        events.info("report %s failed: %s", report.pid, WORKER_LOST)
    return changed


def let_go(
    pid: UUID, held: ReportQuerySet, lease_token: UUID, outcome: Outcome, changes: dict[str, Any]
) -> bool:
    """Ends a lease and its attempt, and tells others where the report ends with it. False: `held`,
    which is the report `pid` or nothing, is nothing, for the lease is lost.
    """
    with transaction.atomic():
        changed = 1 == held.update(**changes)
        if changed:
            ReportAttempt.objects.filter(lease_token=lease_token).end(outcome)
            if "status" in changes:
                outbox.record_end(pid)
    return changed


def cancel(pid: UUID) -> bool:
    """Processing -> Cancelled. A worker that is at it notices when it next renews its lease.
    False: the report has ended, or is gone.
    """
    with transaction.atomic():
        processing = Report.objects.filter(pid=pid, status=Status.PROCESSING)
        cancelled = 1 == processing.update(**ended(Status.CANCELLED))
        if cancelled:
            ReportAttempt.objects.filter(report=pid).end(Outcome.CANCELLED)
            outbox.record_end(pid)
    if cancelled:
        events.info("report %s cancelled", pid)
    return cancelled


def retry(pid: UUID, options: dict[str, Any] | None = None) -> bool:
    """Failed or Cancelled -> Processing, with all attempts ahead, and with other `options` where
    they are not None. The caller sends a message. False: the report is in another state, has no
    files any more, or is gone.
    """
    changed = {} if options is None else reread_with(pid, options)
    over = Report.objects.filter(
        pid=pid, status__in=[Status.FAILED, Status.CANCELLED], expired=None
    )
    return 1 == over.update(**queued() | message_sent() | RETRIED | changed)


def reread_with(pid: UUID, options: dict[str, Any]) -> dict[str, Any]:
    """What changes of a report whose inputs are read with these options alone: none of them keeps
    its own.
    """
    # These never change while a report is there.
    rows = Report.objects.filter(pid=pid).values_list("inputs", flat=True).first() or []
    inputs = [{**row, "options": {}} for row in rows]
    return {"options": options, "group_by": list(Options.of(options).key), "inputs": inputs}


def expire(pid: UUID) -> bool:
    """Says, before the files are removed, that they are. False: it was retried meanwhile, or is
    gone.
    """
    gone: dict[str, Any] = {"input_file": "", "output_file": "", "rejects_file": ""}
    expirable = Report.objects.expirable().filter(pid=pid)
    return 1 == expirable.update(**gone, expired=Now())
