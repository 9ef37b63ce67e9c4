"""Everything that may happen to a report. Its status changes here and in `leases`, and nowhere
else.
"""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bmat.api.models.attempts import Outcome, ReportAttempt
from bmat.api.models.leases import LeaseQuerySet
from bmat.api.models.sets import ended_now, queued_now, seconds_from_now
from bmat.api.models.status import Status

if TYPE_CHECKING:
    from bmat.api.models.reports import Report

RETRIED: dict[str, Any] = {
    "status": Status.PROCESSING,
    "attempts": 0,
    "started": None,
    "finished": None,
    "rows_rejected": 0,
    "rejects_by_reason": {},
    "error_code": "",
    "error_message": "",
}


class ReportQuerySet(LeaseQuerySet):
    """Sets of reports, what workers do to them, and what their owners and the clock do."""

    def cancel(self, pid: UUID) -> bool:
        """Processing -> Cancelled. A worker that is at it notices when it next renews its lease.
        False: the report has ended, or is gone.
        """
        with transaction.atomic():
            processing = self.filter(pid=pid, status=Status.PROCESSING)
            cancelled = 1 == processing.update(**ended_now(Status.CANCELLED))
            if cancelled:
                ReportAttempt.objects.filter(report=pid).end(Outcome.CANCELLED)
        return cancelled

    def retry(self, pid: UUID) -> bool:
        """Failed or Cancelled -> Processing, with all attempts ahead. False: the report is in
        another state, has no files any more, or is gone.
        """
        over = self.filter(pid=pid, status__in=[Status.FAILED, Status.CANCELLED], expired=None)
        return 1 == over.update(**queued_now() | RETRIED)

    def expire(self, pid: UUID) -> bool:
        """Says, before the files are removed, that they are. False: it was retried meanwhile, or is
        gone.
        """
        gone: dict[str, Any] = {"input_file": "", "output_file": "", "rejects_file": ""}
        return 1 == self.expirable().filter(pid=pid).update(**gone, expired=timezone.now())

    def postpone_ring(self, report: "Report") -> bool:
        """Sets the time of the ring after this one: each wait is twice the last. False: somebody
        else rings right now.
        """
        wait = min(
            settings.BMAT_RING_AGAIN_SECONDS * 2.0 ** min(report.rings, 30),
            settings.BMAT_RING_AGAIN_MAX_SECONDS,
        )
        unrung = self.unclaimed().filter(pid=report.pid, ring_at=report.ring_at)
        return 1 == unrung.update(ring_at=seconds_from_now(wait), rings=F("rings") + 1)
