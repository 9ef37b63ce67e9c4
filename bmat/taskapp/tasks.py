"""Celery's side of the services: each task takes an id and calls one service. Every worker loads
this module, and with it the reconciler.
"""

import logging
import uuid
from typing import Any

from bmat.api.services import conversion, process, sweep
from bmat.taskapp.celery import app
from bmat.taskapp.queues import CONVERT_RESULT, PROCESS_REPORT, SWEEP_FILES
from bmat.taskapp.reconciler import Reconciler, TickConsumer

logger = logging.getLogger(__name__)

app.steps["worker"].add(Reconciler)
app.steps["consumer"].add(TickConsumer)


@app.task(name=PROCESS_REPORT, bind=True)
def process_report(self: Any, pid: str) -> None:
    """Aggregates the report `pid`. A second delivery, or a report that is gone, changes nothing."""
    lease_token = uuid.uuid4()
    try:
        process.process_report(uuid.UUID(pid), lease_token, self.request.hostname or "")
    except Exception:
        if process.fail_unexpectedly(uuid.UUID(pid), lease_token):
            # Celery logs it, with the task's id, which is the pid.
            raise
        logger.warning("report %s: broken off, for its lease was lost", pid, exc_info=True)


@app.task(name=CONVERT_RESULT)
def convert_result(pid: str, file_name: str) -> None:
    """Writes the result of the report `pid` in another format. A second delivery, or a report that
    is gone, changes nothing.
    """
    conversion.convert(uuid.UUID(pid), file_name)


@app.task(name=SWEEP_FILES)
def sweep_files() -> None:
    """Removes the files that have had their time, and those that belong to nothing."""
    sweep.sweep_files()
