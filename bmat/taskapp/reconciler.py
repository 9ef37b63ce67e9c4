"""The reconciler inside every worker: at its start, and every BMAT_RECONCILE_SECONDS or a little
sooner, so that many workers do not come at the same moment.

It runs in the worker's own process, not in its pool: a pool that is busy for hours must not keep it
from noticing what another worker has left behind. Nor does it need the worker's event loop, which
stands still while the broker is away.
"""

import logging
import random
import threading
from typing import Any

from celery import bootsteps
from django.conf import settings

from bmat.api.services.reconcile import reconcile_where_possible

logger = logging.getLogger(__name__)

# Of BMAT_RECONCILE_SECONDS, how much passes at least.
SHORTEST_WAIT = 0.5


class Reconciler(bootsteps.StartStopStep):
    """Part of a worker: a thread that reconciles until the worker ends."""

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
