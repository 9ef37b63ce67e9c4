"""Celery's side of the services: each task takes an id and calls one service."""

import logging
import uuid

from bmat.api.services import process, reconcile
from bmat.taskapp.celery import PROCESS_REPORT, RECONCILE_REPORTS, app

logger = logging.getLogger(__name__)


@app.task(name=PROCESS_REPORT)
def process_report(pid: str) -> None:
    """Aggregates the report `pid`. A second delivery, or a report that is gone, changes nothing."""
    lease_token = uuid.uuid4()
    try:
        process.process_report(uuid.UUID(pid), lease_token)
    except Exception:
        logger.exception("report %s: unexpected error", pid)
        process.fail_unexpectedly(uuid.UUID(pid), lease_token)
        raise


@app.task(name=RECONCILE_REPORTS)
def reconcile_reports() -> None:
    """Rings again for each report that nobody works on."""
    reconcile.reconcile_reports()
