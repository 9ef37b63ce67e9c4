"""Celery's side of the services: each task takes an id and calls one service. Every worker loads
this module, and with it the reconciler.
"""

import logging
import random
import threading
import uuid
from typing import Any

from celery import bootsteps
from django.conf import settings

from bmat.api.services import conversion, process, sweep, webhooks
from bmat.api.services.reconcile import reconcile_where_possible
from bmat.taskapp.celery import CONVERT_RESULT, DELIVER_EVENT, PROCESS_REPORT, SWEEP_FILES, app

logger = logging.getLogger(__name__)

# Of BMAT_RECONCILE_SECONDS, how much passes at least.
SHORTEST_WAIT = 0.5


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


class Reconciler(bootsteps.StartStopStep):
    """Part of a worker: a thread that reconciles at the worker's start, and then, until its end,
    every BMAT_RECONCILE_SECONDS or a little sooner: many workers do not come at the same moment.

    It runs in the worker's own process, not in its pool: a pool that is busy for hours must not
    keep it from noticing what another worker has left behind. Nor does it need the worker's event
    loop, which stands still while the broker is away.
    """

    # The pool's processes are forked first, while there is no thread that could hold a lock.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._ends = threading.Event()
        # A daemon: it may hang on a database that does not answer, and holds up no worker's end.
        self._thread = threading.Thread(target=self._run, name="reconciler", daemon=True)

    def start(self, parent: Any) -> None:
        self._thread.start()

    def stop(self, parent: Any) -> None:
        self._ends.set()

    def terminate(self, parent: Any) -> None:
        self.stop(parent)

    def _run(self) -> None:
        while True:
            try:
                reconcile_where_possible()
            except Exception:
                # Whatever it was: without this thread, lost reports would wait for ever.
                logger.exception("the reports could not be reconciled")
            if self._ends.wait(wait_seconds()):
                return


def wait_seconds() -> float:
    """How long to wait before the next time."""
    return settings.BMAT_RECONCILE_SECONDS * random.uniform(SHORTEST_WAIT, 1.0)


app.steps["worker"].add(Reconciler)
