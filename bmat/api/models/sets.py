"""Sets of reports.

Times are those of the calling machine: the machines of an installation keep theirs together within
a second or so, and a lease is many seconds long.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.utils import timezone

from bmat.api.models.status import Status

if TYPE_CHECKING:
    from bmat.api.models.reports import Report  # noqa: F401  # flake8 misses the base class

UNCLAIMED: dict[str, Any] = {"lease_token": None, "lease_expires": None}
QUEUED: dict[str, Any] = {**UNCLAIMED, "stage": "queued", "progress": 0.0, "rows_read": 0}


def seconds_from_now(seconds: float) -> datetime:
    """The time in `seconds`."""
    return timezone.now() + timedelta(seconds=seconds)


def queued_now() -> dict[str, Any]:
    """What lets a report wait for a worker again, and the next reconciler ring for it."""
    now = timezone.now()
    return {**QUEUED, "ring_at": now, "rings": 0, "updated": now}


def ended_now(status: Status) -> dict[str, Any]:
    """What every end of a report sets."""
    now = timezone.now()
    return {**UNCLAIMED, "status": status, "stage": "", "finished": now, "updated": now}


class ReportSets(models.QuerySet["Report"]):
    """Which reports are in which state."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those that a request of `user` may see, change and download: the one rule for all paths.

        Where a login is asked for: one's own, and everything for superusers. Where none is, whoever
        knows the pid.
        """
        if not settings.BMAT_REQUIRE_AUTH or user.is_superuser:
            return self.all()
        # Never `owner=None`, which would open the reports that belong to nobody.
        return self.filter(owner=user.pk) if user.is_authenticated else self.none()

    def unclaimed(self) -> Self:
        """Those that wait for a worker."""
        return self.filter(status=Status.PROCESSING, lease_token=None)

    def abandoned(self) -> Self:
        """Those whose worker has not renewed its lease in time."""
        return self.filter(status=Status.PROCESSING, lease_expires__lt=timezone.now())

    def leased(self, pid: UUID, lease_token: UUID) -> Self:
        """The report `pid`, as long as `lease_token` has its lease; else nothing."""
        return self.filter(pid=pid, status=Status.PROCESSING, lease_token=lease_token)

    def due(self) -> Self:
        """Those that wait for a worker and should be rung for again, oldest first."""
        return self.unclaimed().filter(ring_at__lte=timezone.now()).order_by("created")

    def expirable(self) -> Self:
        """Those that have ended so long ago that their files have had their time."""
        age = timedelta(days=settings.BMAT_RETENTION_DAYS)
        ended = self.exclude(status=Status.PROCESSING).filter(expired=None)
        return ended.filter(finished__lt=timezone.now() - age)
