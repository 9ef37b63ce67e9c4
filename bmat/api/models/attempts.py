"""The attempts at a report: who worked on it, when, and how that ended."""

from uuid import UUID

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class Outcome(models.TextChoices):
    """How an attempt ended. Empty while it runs."""

    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost", "lost: the worker was silent for too long"
    HANDED_BACK = "handed_back", "handed back: the worker was asked to end"


class ReportAttemptQuerySet(models.QuerySet["ReportAttempt"]):
    """What may happen to attempts."""

    def begin(self, pid: UUID, lease_token: UUID, worker: str, earlier: int) -> None:
        """Opens the attempt after `earlier` others. One that is still open has lost its lease to
        this one.

        To be called in the transaction that claims the report: its lock on the report's row keeps
        the numbers apart.
        """
        if earlier:
            self.filter(report=pid).end(Outcome.LOST)
        number = earlier + 1
        self.create(
            report_id=pid, number=number, worker=worker, lease_token=lease_token, started=Now()
        )

    def end(self, outcome: Outcome) -> None:
        """Closes those of this set that are open."""
        self.filter(ended=None).update(ended=Now(), outcome=outcome)


class ReportAttempt(models.Model):
    """One worker's attempt at a report. Its token is the lease's, and names its folder."""

    report = models.ForeignKey("Report", on_delete=models.CASCADE, related_name="attempt_log")
    number = models.PositiveIntegerField(help_text="From 1, those before a retry among them.")
    worker = models.CharField(max_length=255, blank=True, help_text="Celery's name of the worker.")
    lease_token = models.UUIDField(unique=True)
    started = models.DateTimeField(default=timezone.now)
    ended = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome, blank=True)

    objects = ReportAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["report", "number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="attempt_number"),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number}, {self.get_outcome_display() or 'running'}"
