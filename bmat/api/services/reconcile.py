"""The other half of "the row is the truth": finds the reports that nobody works on, and rings for
them again.
"""

import logging
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from bmat.api.models import Report
from bmat.api.services import bell, files, report_log

logger = logging.getLogger(__name__)

RINGS_AT_ONCE = 500
WORKER_LOST = "worker_lost"
WORKER_LOST_MESSAGE = (
    "The worker stopped in the middle of this report, each time it was tried. "
    "It may need more memory than there is."
)


def reconcile_where_possible() -> None:
    """Reconciles, on a connection of its own. A database that is away, or not migrated yet, is
    worth a line in the log: the next time is near.
    """
    try:
        reconcile_reports()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the reports could not be reconciled: %s", error)
    finally:
        connection.close()


def reconcile_reports() -> int:
    """Takes abandoned reports away from their dead workers, and rings for what waits. How many
    rings it sent.
    """
    for report in Report.objects.abandoned():
        take_away(report, cast(UUID, report.lease_token))
    rings = 0
    for report in Report.objects.due()[:RINGS_AT_ONCE]:
        if Report.objects.postpone_ring(report):
            if not bell.ring(report.pid, report.input_bytes):
                # The broker is down: the others would not be heard either. This one stays due.
                Report.objects.unclaimed().filter(pid=report.pid).update(
                    ring_at=report.ring_at, rings=report.rings
                )
                break
            rings += 1
    return rings


def take_away(report: Report, lease_token: UUID) -> None:
    """Lets an abandoned report wait again, or fail after its last attempt; removes what its worker
    left.
    """
    if Report.objects.take_away(report, lease_token, WORKER_LOST, WORKER_LOST_MESSAGE):
        logger.warning("report %s: its worker was lost, attempt %s", report.pid, report.attempts)
        if report.attempts >= settings.BMAT_MAX_ATTEMPTS:
            report_log.failed(report.pid, WORKER_LOST)
        # A worker that is not dead but frozen may still write there: it removes the rest itself,
        # once it notices that its lease is gone.
        files.remove(files.attempt_folder(report.pid, lease_token))
