"""Every change of a report's status: one conditional UPDATE, whose row count says whether it
happened.

Times are those of the calling machine: the machines of an installation keep theirs together within
a second or so, and a lease is many seconds long.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from bmat.aggregation import Progress, Summary
from bmat.api.models.status import Status

if TYPE_CHECKING:
    from bmat.api.models.reports import Report

UNCLAIMED: dict[str, Any] = {"lease_token": None, "lease_expires": None}
QUEUED: dict[str, Any] = {**UNCLAIMED, "stage": "queued", "progress": 0.0, "rows_read": 0}


def seconds_from_now(seconds: float) -> datetime:
    """The time in `seconds`."""
    return timezone.now() + timedelta(seconds=seconds)


class ReportQuerySet(models.QuerySet["Report"]):
    """Sets of reports, and what may happen to them."""

    def unclaimed(self) -> "ReportQuerySet":
        """Those that wait for a worker."""
        return self.filter(status=Status.PROCESSING, lease_token=None)

    def abandoned(self) -> "ReportQuerySet":
        """Those whose worker has not renewed its lease in time."""
        return self.filter(status=Status.PROCESSING, lease_expires__lt=timezone.now())

    def leased(self, pid: UUID, lease_token: UUID) -> "ReportQuerySet":
        """The report `pid`, as long as `lease_token` has its lease; else nothing."""
        return self.filter(pid=pid, status=Status.PROCESSING, lease_token=lease_token)

    def claim(self, pid: UUID, lease_token: UUID) -> bool:
        """Takes the lease of a report that nobody works on. False: there is none to take."""
        free = Q(lease_token=None) | Q(lease_expires__lt=timezone.now())
        waiting = self.filter(
            free, pid=pid, status=Status.PROCESSING, attempts__lt=settings.BMAT_MAX_ATTEMPTS
        )
        now = timezone.now()
        taken = {
            "stage": "reading",
            "lease_token": lease_token,
            "lease_expires": seconds_from_now(settings.BMAT_LEASE_SECONDS),
        }
        attempts = F("attempts") + 1
        return 1 == waiting.update(
            **{**QUEUED, **taken}, attempts=attempts, started=now, updated=now
        )

    def renew(self, pid: UUID, lease_token: UUID, progress: Progress | None) -> bool:
        """Renews the lease and writes the progress. False: the lease is lost, or the report is
        gone.
        """
        seen: dict[str, Any] = {}
        if progress is not None:
            seen = {
                "stage": progress.stage,
                "progress": progress.fraction,
                "rows_read": progress.rows_read,
            }
        return 1 == self.leased(pid, lease_token).update(
            **seen,
            lease_expires=seconds_from_now(settings.BMAT_LEASE_SECONDS),
            updated=timezone.now(),
        )

    def finish(
        self, pid: UUID, lease_token: UUID, summary: Summary, output_file: str, rejects_file: str
    ) -> bool:
        """Processing -> Done. The files carry their storage's names; `rejects_file` may be empty.
        False: the lease is lost.
        """
        return self.leased(pid, lease_token)._end(
            Status.DONE,
            progress=1.0,
            output_file=output_file,
            rejects_file=rejects_file,
            rows_read=summary.rows_read,
            rows_rejected=summary.rows_rejected,
            groups=summary.groups,
            plays_total=summary.plays_total,
            rejects_by_reason=summary.rejects_by_reason,
        )

    def fail(self, pid: UUID, lease_token: UUID, code: str, message: str) -> bool:
        """Processing -> Failed. False: the lease is lost."""
        ended = {"error_code": code, "error_message": message}
        return self.leased(pid, lease_token)._end(Status.FAILED, **ended)

    def fail_abandoned(self, code: str, message: str) -> int:
        """Processing -> Failed, for those abandoned so often that one more attempt is pointless.
        How many they were.
        """
        worn_out = self.abandoned().filter(attempts__gte=settings.BMAT_MAX_ATTEMPTS)
        return worn_out.update(**ending(Status.FAILED), error_code=code, error_message=message)

    def hand_back(self) -> int:
        """Puts the other abandoned ones back among those that wait. How many they were."""
        now = timezone.now()
        abandoned = self.abandoned().filter(attempts__lt=settings.BMAT_MAX_ATTEMPTS)
        return abandoned.update(**QUEUED, ring_at=now, rings=0, updated=now)

    def due(self) -> "ReportQuerySet":
        """Those that wait for a worker and should be rung for again, oldest first."""
        return self.unclaimed().filter(ring_at__lte=timezone.now()).order_by("created")

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

    def _end(self, status: Status, **values: Any) -> bool:
        return 1 == self.update(**ending(status), **values)


def ending(status: Status) -> dict[str, Any]:
    """What every end of a report sets."""
    now = timezone.now()
    return {**UNCLAIMED, "status": status, "stage": "", "finished": now, "updated": now}
