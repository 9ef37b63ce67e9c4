"""The resumable upload: a file that comes in parts, until it is whole and becomes a report."""

from datetime import timedelta
from typing import Any, Self
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import models
from django.db.models.functions import Coalesce, Greatest, Now
from django.utils import timezone

from bmat.api.models.owners import visible_to
from bmat.api.models.reports import INPUT_NAME_LENGTH, Report

FINAL = "final;"
PARTIAL = "partial"


class UploadQuerySet(models.QuerySet["Upload"]):
    """Which uploads are in which state. Times are compared with the database's clock."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Those that a request of `user` may see and change."""
        return self.filter(visible_to(user))

    def kept(self) -> Self:
        """Those whose files are here: neither removed nor expired, and no report's yet."""
        return self.filter(removed=None, report=None, expires__gt=Now())

    def whole(self) -> Self:
        """Those that have all their bytes, and whose report is not made."""
        return self.filter(removed=None, report=None).exclude(completed=None)

    def without_report(self) -> Self:
        """Those of them that are to have one by themselves."""
        return self.whole().filter(makes_report=True)

    def expired(self) -> Self:
        """Those that have had their time."""
        over = self.filter(removed=None, report=None, expires__lte=Now())
        return over.exclude(makes_report=True, completed__isnull=False)

    def held_bytes(self) -> int:
        """What they take when they are whole; of those without a length, what they have so far."""
        whole = Greatest(Coalesce("length", 0), "offset")
        found: int | None = self.aggregate(sum=models.Sum(whole))["sum"]
        return found or 0


# Room is reserved for all of an upload: one that brings nothing has it no longer than this.
FIRST_BYTE_SECONDS = 3600


def first_expiry() -> Any:
    """The database's time at which an upload expires that begins now, and gets no byte."""
    seconds = min(FIRST_BYTE_SECONDS, settings.BMAT_UPLOAD_EXPIRY_SECONDS)
    return Now() + timedelta(seconds=seconds)


def expiry() -> Any:
    """The database's time at which an upload expires to which bytes were added now."""
    return Now() + timedelta(seconds=settings.BMAT_UPLOAD_EXPIRY_SECONDS)


class Upload(models.Model):
    """One upload of the protocol tus, and what has arrived of it.

    ```
               bytes, each synced first             the last byte
    RECEIVING ------------------------> RECEIVING ---------------> WHOLE ------> its report's
        |                                                            |    used
        +--- terminated by its owner, or expired -> removed <--------+
    ```

    The row is the truth: `offset` never exceeds what is synced, and `report` is set once, in the
    transaction that creates the report. Only `bmat.api.services.uploads` changes a row. Its file is
    `bmat.api.services.uploads.appending.path_of(id)` until it is a report's.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        # As of reports.
        on_delete=models.SET_NULL,
        related_name="uploads",
        help_text="Who sends it; nobody where no login is asked for.",
    )
    length = models.BigIntegerField(
        null=True, help_text="In bytes, as it was announced; null as long as it was not."
    )
    offset = models.BigIntegerField(default=0, help_text="How many bytes are safe on disk.")
    metadata = models.TextField(blank=True, help_text="Upload-Metadata, as it was sent.")
    concat = models.TextField(blank=True, help_text="Upload-Concat, as it was sent.")
    input_name = models.CharField(
        max_length=INPUT_NAME_LENGTH,
        blank=True,
        help_text="How its owner calls the file. Never part of a path.",
    )
    options = models.JSONField(default=dict, help_text="Those of bmat.aggregation.Options.")
    callback = models.JSONField(
        null=True, help_text="Whom the report is to tell when it ends: url, secret."
    )
    makes_report = models.BooleanField(
        default=True, help_text="Whether it becomes a report once it is whole."
    )
    report = models.ForeignKey(
        Report,
        null=True,
        editable=False,
        on_delete=models.CASCADE,
        related_name="uploads",
        help_text="What it has become.",
    )

    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(default=timezone.now, editable=False)
    expires = models.DateTimeField(help_text="When it is removed, unless more bytes come.")
    completed = models.DateTimeField(null=True, editable=False, help_text="When it was whole.")
    removed = models.DateTimeField(null=True, editable=False, help_text="When its file went.")

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "pk"]
        indexes = [
            # Of those that count for quotas, the disk, the reconciler and the sweep: few, however
            # many have become reports.
            models.Index(
                fields=["expires"],
                name="upload_kept",
                condition=models.Q(removed=None, report=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} ({self.offset} of {self.length})"

    @property
    def is_final(self) -> bool:
        """Whether it was joined from others."""
        return self.concat.startswith(FINAL)

    @property
    def is_partial(self) -> bool:
        """Whether it is there to be joined with others."""
        return self.concat == PARTIAL

    @property
    def waits_for_report(self) -> bool:
        """Whether it has all its bytes, and its report is still to be made."""
        return self.completed is not None and self.makes_report and self.report_id is None

    @property
    def is_gone(self) -> bool:
        """Whether it was removed, or may be at any moment."""
        has_expired = self.report_id is None and self.expires <= timezone.now()
        return self.removed is not None or (has_expired and not self.waits_for_report)
