"""Deleting a report. A worker that is at it notices when it next renews its lease, and stops."""

from functools import partial
from uuid import UUID

from django.db import transaction

from bmat.api.models import Report
from bmat.api.services import files, report_log


def delete_report(pid: UUID) -> bool:
    """Removes the row and then the files. False: there is no such report."""
    with transaction.atomic():
        # The lock keeps a worker from beginning an attempt between the removal of the earlier ones
        # and that of the report.
        report = Report.objects.select_for_update().filter(pid=pid).first()
        if report is None:
            return False
        if report.status == Report.Status.PROCESSING:
            transaction.on_commit(partial(report_log.cancelled, pid))
        report.delete()
        transaction.on_commit(partial(files.remove, files.report_folder(pid)))
    return True
