"""Celery's side of the services: each task takes an id and calls one service. Every worker loads
this module, and with it the reconciler.
"""

import uuid
from typing import Any

from bmat.api.services import conversion, process, sweep, webhooks
from bmat.taskapp.celery import app
from bmat.taskapp.queues import CONVERT_RESULT, DELIVER_EVENT, PROCESS_REPORT, SWEEP_FILES
from bmat.taskapp.reconciler import Reconciler

app.steps["worker"].add(Reconciler)


class ReportFailed(Exception):
    """A report is Failed because its file is at fault. The argument is the code, which Flower shows
    beside FAILURE; the row says the rest.
    """


@app.task(name=PROCESS_REPORT, bind=True, throws=(ReportFailed,))
def process_report(self: Any, pid: str) -> None:
    """Aggregates the report `pid`. A second delivery, or a report that is gone, changes nothing."""
    code = process.process_report(uuid.UUID(pid), uuid.uuid4(), self.request.hostname or "")
    if code is not None:
        raise ReportFailed(code)


@app.task(name=CONVERT_RESULT)
def convert_result(pid: str, file_name: str) -> None:
    """Writes the result of the report `pid` in another format. A second delivery, or a report that
    is gone, changes nothing.
    """
    conversion.convert(uuid.UUID(pid), file_name)


@app.task(name=DELIVER_EVENT)
def deliver_event(delivery_id: str) -> None:
    """Makes the attempt at the delivery that is due. A second message, or a delivery that is gone,
    changes nothing.
    """
    webhooks.deliver(uuid.UUID(delivery_id), uuid.uuid4())


@app.task(name=SWEEP_FILES)
def sweep_files() -> None:
    """Removes the files that have had their time, and those that belong to nothing."""
    sweep.sweep_files()
