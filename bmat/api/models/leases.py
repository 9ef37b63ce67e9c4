"""What a worker may do to a report: claim it, renew its lease, and end it or give it back. Each is
one conditional UPDATE, whose row count says whether it happened.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from bmat.aggregation import Progress, Summary
from bmat.api.models.attempts import Outcome, ReportAttempt
from bmat.api.models.sets import QUEUED, ReportSets, ended_now, queued_now, seconds_from_now
from bmat.api.models.status import Status

if TYPE_CHECKING:
    from bmat.api.models.reports import Report


@dataclass(frozen=True)
class Lease:
    """What its holder has to know: the report's options, and the tokens of the attempts before,
    whose files nobody needs, whatever becomes of this lease.
    """

    pid: UUID
    token: UUID
    options: dict[str, Any]
    earlier_attempts: list[UUID]


class LeaseQuerySet(ReportSets):
    """Changes by the holder of a lease, and by who finds one that has run out."""

    def claim(self, pid: UUID, lease_token: UUID, worker: str = "") -> Lease | None:
        """Takes the lease of a report that nobody works on. None: there is none to take."""
        # A claim that is repeated, for its answer got lost, finds its own lease: see `lease`.
        has_run_out = Q(lease_expires__lt=timezone.now()) & ~Q(lease_token=lease_token)
        free = Q(lease_token=None) | has_run_out
        waiting = self.filter(
            free, pid=pid, status=Status.PROCESSING, attempts__lt=settings.BMAT_MAX_ATTEMPTS
        )
        now = timezone.now()
        taken = {
            "stage": "reading",
            "lease_token": lease_token,
            "lease_expires": seconds_from_now(settings.BMAT_LEASE_SECONDS),
            "attempts": F("attempts") + 1,
        }
        with transaction.atomic():
            if not waiting.update(**{**QUEUED, **taken}, started=now, updated=now):
                return None
            lease = self.lease(pid, lease_token)
            assert lease is not None, "it was taken in this transaction"
            earlier = len(lease.earlier_attempts)
            ReportAttempt.objects.begin(pid, lease_token, worker, earlier)
        return lease

    def lease(self, pid: UUID, lease_token: UUID) -> Lease | None:
        """The lease that `lease_token` has already. None: it has none, or none any more."""
        held = self.leased(pid, lease_token)
        # One row for each attempt, and one without any where there is none yet.
        rows = list(held.values_list("options", "attempt_log__lease_token"))
        if not rows:
            return None
        earlier = [token for _, token in rows if token not in (None, lease_token)]
        return Lease(pid, lease_token, rows[0][0], earlier)

    def renew(self, pid: UUID, lease_token: UUID, progress: Progress | None) -> bool:
        """Renews the lease and writes the progress. False: the lease is lost, or the report is
        cancelled or gone.
        """
        seen: dict[str, Any] = {}
        if progress is not None:
            seen = {
                "stage": progress.stage,
                "progress": progress.fraction,
                "rows_read": progress.rows_read,
            }
        return 1 == self.leased(pid, lease_token).update(
            **seen,
            lease_expires=seconds_from_now(settings.BMAT_LEASE_SECONDS),
            updated=timezone.now(),
        )

    def finish(
        self,
        pid: UUID,
        lease_token: UUID,
        summary: Summary,
        output_file: str,
        rejects_file: str,
        result_bytes: int,
    ) -> bool:
        """Processing -> Done. The files carry their storage's names; `rejects_file` may be empty.
        All files of the result take `result_bytes`. False: the lease is lost.
        """
        results = {
            "progress": 1.0,
            "output_file": output_file,
            "rejects_file": rejects_file,
            "result_bytes": result_bytes,
            "rows_read": summary.rows_read,
            "rows_rejected": summary.rows_rejected,
            "groups": summary.groups,
            "plays_total": summary.plays_total,
            "rejects_by_reason": summary.rejects_by_reason,
        }
        held = self.leased(pid, lease_token)
        return held._let_go(lease_token, Outcome.DONE, ended_now(Status.DONE) | results)

    def fail(self, pid: UUID, lease_token: UUID, code: str, message: str) -> bool:
        """Processing -> Failed. False: the lease is lost."""
        error = {"error_code": code, "error_message": message}
        held = self.leased(pid, lease_token)
        return held._let_go(lease_token, Outcome.FAILED, ended_now(Status.FAILED) | error)

    def hand_back(self, pid: UUID, lease_token: UUID) -> bool:
        """Lets the report wait again, at its worker's own wish: such an attempt does not count.
        False: the lease is lost.
        """
        held = self.leased(pid, lease_token)
        uncounted = {"attempts": F("attempts") - 1}
        return held._let_go(lease_token, Outcome.HANDED_BACK, queued_now() | uncounted)

    def take_away(self, report: "Report", lease_token: UUID, code: str, message: str) -> bool:
        """Lets an abandoned report wait again; Processing -> Failed where it has been abandoned so
        often that one more attempt is pointless. False: its worker was quicker.
        """
        changes: dict[str, Any] = queued_now()
        if report.attempts >= settings.BMAT_MAX_ATTEMPTS:
            changes = ended_now(Status.FAILED) | {"error_code": code, "error_message": message}
        held = self.abandoned().filter(pid=report.pid, lease_token=lease_token)
        return held._let_go(lease_token, Outcome.LOST, changes)

    def _let_go(self, lease_token: UUID, outcome: Outcome, changes: dict[str, Any]) -> bool:
        with transaction.atomic():
            changed = 1 == self.update(**changes)
            if changed:
                ReportAttempt.objects.filter(lease_token=lease_token).end(outcome)
        return changed
