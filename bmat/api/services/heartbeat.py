"""The heartbeat of a running report: renews its lease, writes its progress, notices that it is no
longer wanted, or not here.
"""

import logging
import threading
import time
from types import TracebackType
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from bmat.aggregation import Progress
from bmat.api.models import Report
from bmat.taskapp import shutdown

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The report was deleted or cancelled, or another worker has it: the result would be thrown
    away.
    """


class WorkerEnds(Exception):
    """This worker was asked to end: another one can go on with the report at once."""


class Heartbeat:
    """A thread that beats every BMAT_HEARTBEAT_SECONDS, from the block's start to its end."""

    def __init__(self, pid: UUID, lease_token: UUID) -> None:
        self.pid = pid
        self.lease_token = lease_token
        self._progress: Progress | None = None
        self._last_renewal = time.monotonic()
        self._lost = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"heartbeat-{pid}", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def tell(self, progress: Progress) -> None:
        """Takes the progress, for the next beat to write. Raises LeaseLost or WorkerEnds, which end
        the run.
        """
        self._progress = progress
        if self._lost.is_set():
            raise LeaseLost
        if shutdown.is_requested():
            raise WorkerEnds

    def _run(self) -> None:
        try:
            while not self._stopped.wait(settings.BMAT_HEARTBEAT_SECONDS):
                if not self._beat():
                    self._lost.set()
                    return
        finally:
            # The connection is this thread's own, and nobody else would close it.
            connection.close()

    def _beat(self) -> bool:
        """Whether the lease is still there. A database that is away is forgiven for as long as the
        lease lasts.
        """
        try:
            held = Report.objects.renew(self.pid, self.lease_token, self._progress)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("report %s: its lease could not be renewed: %s", self.pid, error)
            connection.close()
            return time.monotonic() - self._last_renewal < settings.BMAT_LEASE_SECONDS
        self._last_renewal = time.monotonic()
        return held
