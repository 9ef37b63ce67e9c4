"""One round: reports that are under way when the fault strikes, and what has become of them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bmat.tests.faults.database import Row
from bmat.tests.faults.inspection import doubled, left_over, lost
from bmat.tests.faults.samples import LongSample
from bmat.tests.faults.service import FaultyService
from bmat.tests.faults.tally import Outcome
from bmat.tests.faults.uploads import UPLOAD_SECONDS, Uploads
from bmat.tests.live.processes import ServerProcess, wait_until

CLAIM_SECONDS = 60.0
RECOVERY_SECONDS = 90.0
END_SECONDS = 120.0
CLEANING_SECONDS = 20.0
SMALL_UNDER_WAY = 5


class Round:
    """The reports of one round. `may_fail_with` are the error codes with which a report may end
    that would have ended well without the fault.
    """

    def __init__(self, service: FaultyService, scenario: str, long_sample: LongSample) -> None:
        self.service = service
        self.outcome = Outcome(scenario)
        self.uploads = Uploads(service.client)
        self.may_fail_with: set[str] = set()
        self._long_sample = long_sample
        self._dead_leases: set[str | None] = {None}

    def post_long(self, sample: LongSample | None = None) -> str:
        """Upload a long report; its pid."""
        answer = self.uploads.post_long(sample or self._long_sample)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["pid"])

    def long_under_way(self, sample: LongSample | None = None) -> str:
        """Upload a long report, and wait until a worker is at it; its pid."""
        pid = self.post_long(sample)
        wait_until(lambda: self.row(pid).lease_token is not None, CLAIM_SECONDS, "a claim")
        return pid

    @contextmanager
    def fault(self, kills: Sequence[str] = ()) -> Iterator[None]:
        """The block is the fault. Small reports come in before, during and after it. Recovery is
        timed from its end. `kills` are the reports whose attempt it ends.
        """
        self._dead_leases |= {self.row(pid).lease_token for pid in kills}
        with self.uploads.keep_coming():
            wait_until(self._small_under_way, UPLOAD_SECONDS, "small reports")
            yield
            ended = time.monotonic()
        self.uploads.post_small()
        wait_until(lambda: not self._waiting(), RECOVERY_SECONDS, "recovery", self._waiting)
        self.outcome.recovery_seconds = time.monotonic() - ended

    @contextmanager
    def timed_recovery(self) -> Iterator[None]:
        """Where the fault was another than `fault`, the block is the recovery."""
        ended = time.monotonic()
        yield
        self.outcome.recovery_seconds = time.monotonic() - ended

    def ends_well(self) -> Outcome:
        """Wait for the end of every report; fails unless each ended once and as it must, with
        nothing left over.
        """
        self.all_end()
        self.service.heal()
        for worker in self.service.workers:
            self._takes_reports(worker)
        self.outcome.accepted = len(self.uploads.accepted)
        deadline = time.monotonic() + CLEANING_SECONDS
        while left_over(self.service) and time.monotonic() < deadline:
            time.sleep(0.2)
        self.outcome.left_over = left_over(self.service)
        self.outcome.lost = lost(self.service, self.uploads, self.may_fail_with)
        self.outcome.doubled = doubled(self.service)
        assert self.outcome.all_well, self.outcome
        return self.outcome

    def all_end(self) -> None:
        """Wait for the end of every report."""
        wait_until(self._all_ended, END_SECONDS, "all reports to end", self._waiting)

    def row(self, pid: str) -> Row:
        return next(row for row in self.service.database.rows() if row.pid == pid)

    def attempts(self, pid: str) -> list[str]:
        """How each attempt at the report ended."""
        return self.service.database.attempts()[pid]

    def remove(self) -> None:
        """Delete every report of the round, and for the next one what it should not have left."""
        for row in self.service.database.rows():
            self.service.client.delete(row.pid)
        self.service.remove_files()

    def _takes_reports(self, worker: ServerProcess) -> None:
        """Fails unless this worker, left alone, works on a report: others may have covered up that
        it no longer listens.
        """
        with self.service.nobody_listening(but=worker):
            self.uploads.post_small()
            wait_until(
                self._all_ended, CLAIM_SECONDS, f"{worker.name} to take a report", worker.log_tail
            )

    def _small_under_way(self) -> bool:
        return len(self.uploads.accepted) >= SMALL_UNDER_WAY

    def _waiting(self) -> str:
        """The reports that have neither ended nor a worker, as text; empty where there is none."""
        rows = self.service.database.rows()
        waiting = [row for row in rows if not row.ended and row.lease_token in self._dead_leases]
        return "\n".join(map(str, waiting))

    def _all_ended(self) -> bool:
        return all(row.ended for row in self.service.database.rows())
