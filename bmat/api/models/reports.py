"""The report: one uploaded file and what became of it."""

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from bmat.api.models.fields import ExactIntegerField
from bmat.api.models.queries import ReportQuerySet
from bmat.api.models.status import Status

INPUT_NAME_LENGTH = 255


class Report(models.Model):
    """One uploaded file and its totals.

    ```
             claim (lease)                 finish
    PROCESSING ---------> PROCESSING ---------------> DONE
     0 queued  ^   |       0 running  \\------------> FAILED (code and message for a person)
               |   | lease runs out    \\-----------> CANCELLED (asked by its owner)
               +---+ (worker died): queued again, at most 5 attempts, then FAILED worker_lost
               |   | handed back (worker asked to end): queued again, and the attempt not counted

    FAILED, CANCELLED -- retry --> PROCESSING, all attempts ahead
    DONE, FAILED, CANCELLED -- BMAT_RETENTION_DAYS later --> the same, without files
    ```

    The row is the truth and the broker only a bell. `lease_token` is null while the report waits,
    and a worker's own random token while it works; every write of that worker is conditional on it.
    Only `ReportQuerySet` changes the status.
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
    input_file = models.FileField(max_length=200)
    input_name = models.CharField(
        max_length=INPUT_NAME_LENGTH,
        help_text="How its owner calls the file. Never part of a path.",
    )
    input_bytes = models.BigIntegerField(default=0, help_text="Decides which workers take it.")
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
    groups = models.BigIntegerField(default=0, help_text="The number of (song, date) pairs.")
    plays_total = ExactIntegerField(default=0)
    rejects_by_reason = models.JSONField(default=dict, blank=True)
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
    ring_at = models.DateTimeField(
        help_text="When the broker is told again, if nobody has claimed the report."
    )
    rings = models.PositiveIntegerField(default=0)

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
