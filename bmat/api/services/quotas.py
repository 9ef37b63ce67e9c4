"""What one user may have at a time: reports that are processed, and bytes that are kept. Uploads
that come in parts count from their announcement on.

Asked twice: before an upload is read, so that nobody sends what will be refused; and in the
transaction that makes the change, where the user's row is locked, so that many requests of the same
moment cannot pass a limit together.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import F, Min, Sum
from django.utils import timezone

from bmat.api.access import Policy, Standing
from bmat.api.errors import ApiError
from bmat.api.models import Report, Upload
from bmat.api.models.reports import ReportQuerySet
from bmat.api.models.uploads import UploadQuerySet

RUNNING, STORED = "running-reports", "stored-bytes"
# A report may end at any moment.
RUNNING_AGAIN_SECONDS = 5
# Where nothing of what is kept has ended yet.
STORED_AGAIN_SECONDS = 60


class QuotaExceeded(ApiError):
    """A user has as much as the limit allows, which `standing` tells."""

    def __init__(self, code: str, message: str, standing: Standing) -> None:
        super().__init__(code, message, retry_after_seconds=standing.seconds)
        self.standing = standing


def hold(owner: User | None) -> None:
    """Lets no other transaction add to what `owner` has, until this one has ended."""
    limits = (settings.BMAT_MAX_RUNNING_REPORTS, settings.BMAT_MAX_STORED_BYTES)
    if owner is not None and limits != (None, None):
        # Rows that merely refer to the user are not held up.
        User.objects.select_for_update(no_key=True).filter(pk=owner.pk).first()


def check(owner: User | None, more_reports: int = 0, more_bytes: int = 0) -> None:
    """Raises QuotaExceeded where `owner` has, with what is to come, more than the limits allow.
    What belongs to nobody has no limit.
    """
    check_running(owner, more_reports)
    check_stored(owner, more_bytes)


def check_running(owner: User | None, more_reports: int = 0) -> None:
    """Raises QuotaExceeded past BMAT_MAX_RUNNING_REPORTS."""
    limit = settings.BMAT_MAX_RUNNING_REPORTS
    if owner is None or limit is None:
        return
    running = owned(owner).filter(status=Report.Status.PROCESSING).count()
    coming = uploads(owner).filter(makes_report=True).count()
    if running + coming + more_reports > limit:
        message = (
            f"You have {limit} reports that are not finished, which is the limit. Wait for one, or "
            "cancel one."
        )
        standing = Standing(Policy(RUNNING, limit), 0, RUNNING_AGAIN_SECONDS, exceeded=True)
        raise QuotaExceeded("too_many_reports", message, standing)


def check_stored(owner: User | None, more_bytes: int = 0) -> None:
    """Raises QuotaExceeded past BMAT_MAX_STORED_BYTES of uploads and results that are kept."""
    limit = settings.BMAT_MAX_STORED_BYTES
    if owner is None or limit is None:
        return
    kept = owned(owner).filter(expired=None)
    stored_bytes = kept.aggregate(sum=Sum(F("input_bytes") + F("result_bytes")))["sum"] or 0
    stored_bytes += uploads(owner).held_bytes()
    if stored_bytes + more_bytes > limit:
        message = (
            f"With this upload, yours would take more than the {limit} bytes that each user has. "
            "Delete reports that you no longer need."
        )
        policy = Policy(STORED, limit, unit="content-bytes")
        available, seconds = max(0, limit - stored_bytes), seconds_until_one_expires(owner)
        standing = Standing(policy, available, seconds, exceeded=True)
        raise QuotaExceeded("too_many_bytes", message, standing)


def seconds_until_one_expires(owner: User) -> int:
    """When the first of the files that `owner` has here are removed."""
    first = owned(owner).filter(expired=None).aggregate(first=Min("finished"))["first"]
    if first is None:
        return STORED_AGAIN_SECONDS
    left = first + timedelta(days=settings.BMAT_RETENTION_DAYS) - timezone.now()
    return max(STORED_AGAIN_SECONDS, int(left.total_seconds()))


def uploads(owner: User) -> UploadQuerySet:
    """What comes in parts for one user: it counts as what it will be."""
    return Upload.objects.kept().filter(owner=owner)


def owned(owner: User) -> ReportQuerySet:
    """All reports of one user."""
    return Report.objects.filter(owner=owner)
