"""The other half of "the row is the truth": finds the reports and the deliveries of events that
nobody works on, and sends another message for them; and uploads that are whole, whose report was
never made.
"""

import logging
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import F, QuerySet

from bmat.api.models import Delivery, Report
from bmat.api.services import files, leases, queue
from bmat.api.services.uploads import ending
from bmat.taskapp.celery import LARGE, SMALL, WEBHOOKS

logger = logging.getLogger(__name__)

MESSAGES_AT_ONCE = 500

# What waits for a worker: both have the columns of that, and the same words for it.
Waiting = Report | Delivery


def reconcile_where_possible() -> None:
    """Reconciles, on connections of its own, which it closes. A database that is down, or not
    migrated yet, is worth a line in the log: the next time is near.
    """
    try:
        reconcile_reports()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the reports could not be reconciled: %s", error)
    finally:
        queue.broker.close()
        connection.close()


def reconcile_reports() -> int:
    """Takes abandoned reports away from their dead workers, makes the reports of uploads that are
    whole without one, and sends a message for each report, and each delivery that is due, that
    waits without one. How many messages.
    """
    for report in Report.objects.abandoned():
        requeue(report, cast(UUID, report.lease_token))
    ending.finish_all()
    try:
        return sum(enqueue_due(name) for name in (SMALL, LARGE, WEBHOOKS))
    except queue.BROKER_AWAY as error:
        logger.warning("no message was sent, for the broker cannot be reached: %s", error)
        return 0


def requeue(report: Report, lease_token: UUID) -> None:
    """Lets an abandoned report wait again, or fail after its last attempt; removes what its worker
    left.
    """
    if leases.requeue_abandoned(report, lease_token):
        logger.warning("report %s: its worker was lost, attempt %s", report.pid, report.attempts)
        # A worker that is not dead but frozen may still write there: it removes the rest itself,
        # once it notices that its lease is gone.
        files.remove(files.attempt_folder(report.pid, lease_token))


def enqueue_due(name: str) -> int:
    """Sends the messages that are due for one queue. How many. Raises one of queue.BROKER_AWAY."""
    sent = 0
    for waiting in missing_a_message(name)[:MESSAGES_AT_ONCE]:
        if postpone(waiting):
            if not enqueue(waiting):
                # The broker is down: the others would find the same.
                break
            sent += 1
    return sent


def missing_a_message(name: str) -> "QuerySet[Any]":
    """What waits for one queue and is due, and whose messages are lost, as it seems. Where messages
    wait in the queue, theirs may be among them: then those alone that had none, and those that have
    been due for so long that it is worth a second message.
    """
    due = due_in(name)
    if not due.exists() or queue.is_empty(name):
        return due
    long_due = due_in(name, settings.BMAT_ENQUEUE_BEHIND_OTHERS_SECONDS)
    return due.filter(enqueue_count=0) | long_due


def due_in(name: str, seconds: float = 0) -> "QuerySet[Any]":
    """What goes through the queue, and has been due for so long."""
    if name == WEBHOOKS:
        return Delivery.objects.due(seconds)
    reports, limit_bytes = Report.objects.due(seconds), settings.BMAT_LARGE_REPORT_BYTES
    if name == LARGE:
        return reports.filter(input_bytes__gte=limit_bytes)
    return reports.filter(input_bytes__lt=limit_bytes)


def enqueue(waiting: Waiting) -> bool:
    """Sends its message. False: the broker cannot be reached."""
    if isinstance(waiting, Delivery):
        return queue.enqueue_delivery(waiting.pk)
    return queue.enqueue(waiting.pid, waiting.input_bytes)


def postpone(waiting: Waiting) -> bool:
    """Sets the time of the message after this one: each wait is twice the last. False: somebody
    else sends this one right now, or a worker has it.
    """
    wait_seconds = min(
        settings.BMAT_ENQUEUE_AGAIN_SECONDS * 2.0 ** min(waiting.enqueue_count, 30),
        settings.BMAT_ENQUEUE_AGAIN_MAX_SECONDS,
    )
    rows: QuerySet[Any] = type(waiting).objects.queued()
    unsent = rows.filter(pk=waiting.pk, next_enqueue_at=waiting.next_enqueue_at)
    changed = unsent.update(
        next_enqueue_at=queue.in_seconds(wait_seconds), enqueue_count=F("enqueue_count") + 1
    )
    return changed == 1
