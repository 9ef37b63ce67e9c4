"""Trying a report again that has failed or was cancelled, on the file that was kept."""

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from bmat.api.models import Report
from bmat.api.services import bell, quotas, report_log


def retry_report(pid: UUID, input_bytes: int, owner: User | None = None) -> bool:
    """Lets the report wait for a worker again; one is told after the commit. False: the report is
    neither Failed nor Cancelled, has no files any more, or is gone.
    Raises QuotaExceeded where its `owner` has too many that are not finished.
    """
    with transaction.atomic():
        quotas.hold(owner)
        retried = Report.objects.retry(pid)
        if retried:
            quotas.check_running(owner)
            transaction.on_commit(lambda: report_log.retried(pid))
            transaction.on_commit(lambda: bell.ring(pid, input_bytes), robust=True)
    return retried
