"""The heartbeat of a running report: renews its lease, writes its progress, notices that it is no
longer wanted, or not here.
"""

import logging
import threading
import time
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from bmat.aggregation import Progress
from bmat.api.services import leases
from bmat.taskapp import shutdown

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """The report was deleted or cancelled, or another worker has it: the result would be thrown
    away.
    """


class WorkerEnds(Exception):
    """This worker was asked to end: another one can go on with the report at once."""


class Heartbeat:
    """Renews a lease every BMAT_HEARTBEAT_SECONDS, from the block's start to its end."""

    def __init__(self, pid: UUID, lease_token: UUID) -> None:
        self.pid = pid
        self.lease_token = lease_token
        self._progress: Progress | None = None
        self._last_renewal = time.monotonic()
        self._lost = threading.Event()

    def __enter__(self) -> "Heartbeat":
        renewals.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        renewals.remove(self)

    def report_progress(self, progress: Progress) -> None:
        """Takes the progress, for the next renewal to write. Raises LeaseLost or WorkerEnds, which
        end the run.
        """
        self._progress = progress
        if self._lost.is_set():
            raise LeaseLost
        if shutdown.is_requested():
            raise WorkerEnds

    def renew(self) -> None:
        """Renews the lease, unless it was lost before."""
        if not self._lost.is_set() and not self._is_renewed():
            self._lost.set()

    def _is_renewed(self) -> bool:
        """Whether the lease is still there. A database that is away is forgiven for as long as the
        lease lasts.
        """
        asked = time.monotonic()
        try:
            held = leases.renew(self.pid, self.lease_token, self._progress)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("report %s: its lease could not be renewed: %s", self.pid, error)
            connection.close()
            return time.monotonic() - self._last_renewal < settings.BMAT_LEASE_SECONDS
        # Not when the answer came: the lease counts from some moment between the two.
        self._last_renewal = asked
        return held


class RenewalThread:
    """The thread in which the heartbeats of this process renew their leases. It outlives a report
    by BMAT_HEARTBEAT_SECONDS, so that small reports which follow one another need not start one
    each.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heartbeats: list[Heartbeat] = []
        self._thread: threading.Thread | None = None

    def add(self, heartbeat: Heartbeat) -> None:
        """Renews its lease from now on."""
        with self._lock:
            self._heartbeats.append(heartbeat)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
                self._thread.start()

    def remove(self, heartbeat: Heartbeat) -> None:
        """Renews its lease no more. A renewal that is under way finds the lease gone, and does
        nothing.
        """
        with self._lock:
            self._heartbeats.remove(heartbeat)

    def _run(self) -> None:
        try:
            while heartbeats := self._next():
                for heartbeat in heartbeats:
                    heartbeat.renew()
        finally:
            # The connection is this thread's own, and nobody else would close it.
            connection.close()

    def _next(self) -> list[Heartbeat]:
        """Those whose leases are to be renewed now; none, and the thread ends, where there was
        nothing to do for BMAT_HEARTBEAT_SECONDS.
        """
        time.sleep(settings.BMAT_HEARTBEAT_SECONDS)
        with self._lock:
            if not self._heartbeats:
                self._thread = None
            return list(self._heartbeats)


renewals = RenewalThread()
