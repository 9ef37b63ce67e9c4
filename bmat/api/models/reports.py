"""The report: uploaded files and what became of them. And the attempts at it: who worked on it,
when, and how that ended.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from bmat.api.models.owners import visible_to

INPUT_NAME_LENGTH = 255
# What grows with the inputs and reasons of a report: no list needs it.
LONG_COLUMNS = ("inputs", "inputs_read", "rejects_sample")


class Status(models.IntegerChoices):
    """The column `status`. The numbers are part of the HTTP contract. 0 covers both a report that
    waits for a worker and one that is worked on.
    """

    PROCESSING = 0
    DONE = 1
    FAILED = 2
    CANCELLED = 3


class ExactIntegerField(models.Field):  # type: ignore[type-arg]  # generic in the stubs alone
    """An integer kept as its decimal digits: the sum of plays may pass the 64 bits of a database's
    own integers.

    Its values cannot be compared or added up by the database.
    """

    DIGITS = 40

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_length"] = self.DIGITS
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("max_length")
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        return "CharField"

    def from_db_value(self, value: str, *_: Any) -> int:
        return int(value)

    def to_python(self, value: Any) -> int:
        return int(value)

    def get_prep_value(self, value: Any) -> str:
        return str(int(value))


def by_song() -> list[str]:
    """What totals are by, where no option says otherwise."""
    return ["song"]


class ReportQuerySet(models.QuerySet["Report"]):
    """Which reports are in which state. Times are compared with the database's clock: those of the
    machines differ.
    """

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those that a request of `user` may see, change and download."""
        return self.filter(visible_to(user))

    def queued(self) -> Self:
        """Those that wait for a worker."""
        return self.filter(status=Status.PROCESSING, lease_token=None)

    def leased(self, pid: UUID, lease_token: UUID) -> Self:
        """The report `pid`, as long as `lease_token` has its lease; else nothing."""
        return self.filter(pid=pid, status=Status.PROCESSING, lease_token=lease_token)

    def abandoned(self) -> Self:
        """Those whose worker has not renewed its lease in time."""
        return self.filter(status=Status.PROCESSING, lease_expires__lt=Now())

    def due(self, seconds: float = 0) -> Self:
        """Those that wait for a worker, and whose `next_enqueue_at` was `seconds` ago or earlier;
        oldest first.
        """
        since = Now() - timedelta(seconds=seconds)
        return self.queued().filter(next_enqueue_at__lte=since).order_by("created")

    def expirable(self) -> Self:
        """Those that have ended so long ago that their files have had their time."""
        since = Now() - timedelta(days=settings.BMAT_RETENTION_DAYS)
        ended = self.exclude(status=Status.PROCESSING).filter(expired=None)
        return ended.filter(finished__lt=since)


class Report(models.Model):
    """Uploaded files and their totals.

    ```
             claim (lease)                 finish
    PROCESSING ---------> PROCESSING ---------------> DONE
     0 queued  ^   |       0 running  \\------------> FAILED (code and message for a person)
               |   | lease runs out    \\-----------> CANCELLED (asked by its owner)
               +---+ (worker died): queued again, at most 5 attempts, then FAILED worker_lost
               |   | handed back (worker asked to end, Dask cluster away): queued again, and the
               |   | attempt not counted

    FAILED, CANCELLED -- retry --> PROCESSING, all attempts ahead
    DONE, FAILED, CANCELLED -- BMAT_RETENTION_DAYS later --> the same, without files
    ```

    The row is the truth, and a message only wakes a worker. `lease_token` is null while the report
    waits, and a worker's own random token while it works; every write of that worker is conditional
    on it. Only `bmat.api.services.leases` changes the status.
    """

    Status = Status

    pid = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        # Its own index, below, serves the lookups by owner.
        db_index=False,
        # What a user has uploaded outlives the account: then superusers alone see it.
        on_delete=models.SET_NULL,
        related_name="reports",
        help_text="Who uploaded it; nobody where no login is asked for.",
    )
    input_file = models.FileField(max_length=200, help_text="The first of the inputs.")
    input_name = models.CharField(
        max_length=INPUT_NAME_LENGTH,
        help_text="How its owner calls the first file. Never part of a path.",
    )
    input_bytes = models.BigIntegerField(
        default=0, help_text="Of all inputs: decides which workers take it."
    )
    inputs = models.JSONField(
        default=list, help_text="In order, each with its name, bytes, and options of its own."
    )
    inputs_read = models.JSONField(
        default=list, blank=True, help_text="How each of them was read, and what was found in it."
    )
    base = models.UUIDField(
        null=True,
        blank=True,
        editable=False,
        help_text="The report whose totals are the last input. It may be gone.",
    )
    options = models.JSONField(
        default=dict, blank=True, help_text="Those of bmat.aggregation.Options."
    )
    output_file = models.FileField(max_length=200, blank=True)
    rejects_file = models.FileField(max_length=200, blank=True)
    result_bytes = models.BigIntegerField(
        default=0, help_text="What the result takes, in all of its files."
    )

    status = models.PositiveSmallIntegerField(choices=Status, default=Status.PROCESSING)
    stage = models.CharField(
        max_length=16,
        default="queued",
        blank=True,
        help_text="queued, reading, merging, writing; empty at the end.",
    )
    progress = models.FloatField(default=0.0, help_text="The share of the work done, 0 to 1.")
    rows_read = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    rows_left_out = models.BigIntegerField(
        default=0, help_text="Records that the preset leaves out, for they are no plays."
    )
    groups = models.BigIntegerField(default=0, help_text="The number of totals.")
    plays_total = ExactIntegerField(default=0)
    rejects_by_reason = models.JSONField(default=dict, blank=True)
    rejects_sample = models.JSONField(
        default=dict, blank=True, help_text="The first records that were rejected, by reason."
    )
    warnings = models.JSONField(default=list, blank=True, help_text="Each a code and a message.")
    preset = models.CharField(max_length=40, blank=True, help_text="The one that was used.")
    group_by = models.JSONField(
        default=by_song, help_text="The fields of the totals' key, in order."
    )
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)

    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(default=timezone.now, editable=False)
    started = models.DateTimeField(null=True, editable=False, help_text="Of the last attempt.")
    finished = models.DateTimeField(null=True, editable=False)

    expired = models.DateTimeField(null=True, editable=False, help_text="When its files went.")

    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_enqueue_at = models.DateTimeField(
        help_text="When a message is sent again, if no worker has claimed the report."
    )
    enqueue_count = models.PositiveIntegerField(
        default=1, help_text="Messages sent since it began to wait; 0: none is under way."
    )
    cluster_waits = models.PositiveIntegerField(
        default=0, help_text="How often its Dask cluster was away."
    )

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "pid"]
        indexes = [
            models.Index(fields=["-created"], name="report_created"),
            models.Index(fields=["owner", "-created"], name="report_owner_created"),
            # The reconciler's too: the reports of status 0 are few, however many have ended.
            models.Index(fields=["status", "-created"], name="report_status_created"),
            # Those whose files have had their time: of the others, `expired` is set or `finished`
            # is not.
            models.Index(
                fields=["finished"], name="report_expirable", condition=models.Q(expired=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pid} ({self.get_status_display()})"

    @property
    def state(self) -> str:
        """The status as a word."""
        return self.Status(self.status).name.lower()

    @property
    def expires(self) -> datetime | None:
        """When its files are removed; None while it is processed."""
        if self.finished is None:
            return None
        return self.finished + timedelta(days=settings.BMAT_RETENTION_DAYS)

    @property
    def duration_seconds(self) -> float | None:
        """How long the attempt that ended the report took; None before that."""
        if self.started is None or self.finished is None:
            return None
        return (self.finished - self.started).total_seconds()


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

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="attempt_log")
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
