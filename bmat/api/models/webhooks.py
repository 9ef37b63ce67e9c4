"""Who is told that a report has ended, and the events that are on their way."""

import uuid
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from bmat.api.outgoing.urls import SECRET_LENGTH, URL_LENGTH, check_url


class Event(models.TextChoices):
    """What has happened to a report. The words are part of the HTTP contract."""

    DONE = "report.done"
    FAILED = "report.failed"
    CANCELLED = "report.cancelled"


class State(models.TextChoices):
    """What has become of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    # After the last attempt.
    FAILED = "failed"
    # Its receiver wants no more, or nobody wants it to be told any more.
    DISABLED = "disabled"


class Target(models.Model):
    """Where events go, and what they are signed with."""

    url = models.CharField(max_length=URL_LENGTH, validators=[check_url])
    secret = models.CharField(max_length=SECRET_LENGTH, blank=True, editable=False)
    enabled = models.BooleanField(default=True, help_text="Off after an answer of 410, too.")

    class Meta:
        abstract = True

    def disable(self) -> None:
        """Lets nothing more be sent there. Where it was removed, nothing is."""
        type(self)._default_manager.filter(pk=self.pk).update(enabled=False)


class Webhook(Target):
    """Is told of every report of its owner, where a login is asked for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks"
    )
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["created", "id"]

    def __str__(self) -> str:
        return f"webhook {self.id}"


class Callback(Target):
    """Is told of one report: its upload came with a `callback_url`. Where it came without a
    `callback_secret`, the secret is empty here, and the one of the report's owner is used.
    """

    report = models.OneToOneField(
        "Report", primary_key=True, on_delete=models.CASCADE, related_name="callback"
    )

    def __str__(self) -> str:
        return f"callback of {self.report_id}"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Which deliveries are in which state, by the database's clock."""

    def queued(self) -> Self:
        """Those that are not done with."""
        return self.filter(state=State.PENDING)

    def due(self, seconds: float = 0) -> Self:
        """Those whose `next_enqueue_at` was `seconds` ago or earlier; oldest first."""
        since = Now() - timedelta(seconds=seconds)
        return self.queued().filter(next_enqueue_at__lte=since).order_by("next_enqueue_at")

    def leased(self, delivery_id: UUID, lease_token: UUID) -> Self:
        """The delivery, as long as the attempt with this token is under way; else nothing."""
        return self.queued().filter(pk=delivery_id, lease_token=lease_token)

    def to(self, target: Target) -> Self:
        """All of those to one target."""
        if isinstance(target, Webhook):
            return self.filter(webhook=target)
        return self.filter(report=target.pk, webhook=None)


class Delivery(models.Model):
    """One event on its way to one target. Its id is the `webhook-id` of every attempt.

    ```
              claim                          settle
    PENDING ---------> PENDING, one attempt ---------> DELIVERED  (2xx)
     due       ^        under way             \\------> DISABLED   (410, or the target is off)
               |                               \\-----> FAILED     (after the last attempt)
               +------- later, or when the worker has died
    DELIVERED, FAILED -- resend --> PENDING, all attempts ahead
    ```

    The row is the truth, and a message only wakes a worker. It is written in the transaction that
    ends the report, and nowhere else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    report = models.ForeignKey("Report", on_delete=models.CASCADE, related_name="deliveries")
    webhook = models.ForeignKey(
        Webhook,
        null=True,
        on_delete=models.CASCADE,
        related_name="deliveries",
        # A webhook that is removed at this moment must not keep a report from ending.
        db_constraint=False,
        help_text="None: the callback of the report.",
    )
    event = models.CharField(max_length=40, choices=Event)
    body = models.TextField(help_text="JSON, the same for each attempt.")
    state = models.CharField(max_length=16, choices=State, default=State.PENDING)
    created = models.DateTimeField(default=timezone.now)

    tries = models.PositiveSmallIntegerField(
        default=0, help_text="Attempts since it was written or sent again."
    )
    attempts = models.JSONField(default=list, help_text="The last ones, and how each ended.")
    attempt_started = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True, help_text="Of the attempt that is under way.")
    next_attempt_at = models.DateTimeField(
        help_text="Of one that is under way: when its worker counts as dead."
    )
    next_enqueue_at = models.DateTimeField()
    enqueue_count = models.PositiveIntegerField(default=1)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "id"]
        verbose_name_plural = "deliveries"
        indexes = [
            # The reconciler's: those that are done with are many, and the others few.
            models.Index(
                fields=["next_enqueue_at"],
                name="delivery_due",
                condition=models.Q(state=State.PENDING),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} of {self.report_id}"

    def find_target(self) -> Target | None:
        """Where it goes; None where that was removed."""
        found: models.QuerySet[Any]
        if self.webhook_id is None:
            found = Callback.objects.filter(report=self.report_id)
        else:
            found = Webhook.objects.filter(pk=self.webhook_id)
        return found.first()
