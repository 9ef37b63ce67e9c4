"""Deleting a report. A worker that is at it notices when it next renews its lease, and stops."""

from functools import partial
from uuid import UUID

from django.db import transaction

from bmat.api.models import Report
from bmat.api.services import files


def delete_report(pid: UUID) -> bool:
    """Removes the row and then the files. False: there is no such report."""
    with transaction.atomic():
        count, _ = Report.objects.filter(pid=pid).delete()
        transaction.on_commit(partial(files.remove, files.report_folder(pid)))
    return count == 1
