"""Delivering events: one attempt at a time for each delivery, again and again for three days.

A worker takes a delivery by a conditional UPDATE, as a lease. One that dies in the middle of an
attempt leaves the lease to run out, and another makes the attempt again: a receiver may get an
event twice, then with the same `webhook-id`. Times are the database's.
"""

import logging
import random
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.http import parse_http_date_safe
from standardwebhooks import Webhook as Signer

from bmat.api.models import Delivery, Report
from bmat.api.models.webhooks import State, Target
from bmat.api.outgoing.post import Answer, post
from bmat.api.services import database, queue
from bmat.api.services.database import retry_while_database_is_down
from bmat.api.services.outbox import derived_secret, written

logger = logging.getLogger(__name__)

# How long to wait after each attempt but the last. Up to a tenth is added, so that events which
# failed together do not come again together.
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
MINUTE, HOUR = 60, 3600
WAITS_SECONDS = [5, 5 * MINUTE, *(HOUR * hours for hours in (0.5, 2, 5, 10, 14, 20, 24))]
MOST_TRIES = len(WAITS_SECONDS) + 1
JITTER = 0.1
# No receiver puts the next attempt off for longer.
MOST_RETRY_AFTER_SECONDS = 24 * HOUR
# What an attempt may take beside the request, before its worker counts as dead.
SPARE_SECONDS = 10
GONE = 410
WORKER_LOST = "worker_lost"
KEPT_ATTEMPTS = 50


def deliver(delivery_id: UUID, lease_token: UUID) -> None:
    """Makes the attempt that is due. Nothing happens where none is, or where another worker makes
    it. A database that is away for long leaves the delivery to its lease, which runs out.
    """
    try:
        claimed = retry_while_database_is_down(lambda: claim(delivery_id, lease_token))
        if claimed is None:
            logger.info("delivery %s: nothing to do", delivery_id)
            return
        delivery, target = claimed
        headers = signed(delivery, secret_of(delivery, target))
        answer = post(target.url, delivery.body.encode(), headers)
        retry_while_database_is_down(lambda: settle(delivery, target, answer))
    except database.AWAY as error:
        message = "delivery %s: left to its lease, for the database is away: %s"
        logger.error(message, delivery_id, error)
        return
    logger.info(
        "report %s: %s, attempt %s to tell it: %s, %.2f s",
        delivery.report_id,
        delivery.event,
        delivery.tries,
        answer.status or answer.error,
        answer.seconds,
    )


def claim(delivery_id: UUID, lease_token: UUID) -> tuple[Delivery, Target] | None:
    """Takes the lease of a delivery that is due, which is returned with its target. None: there is
    none to take, or nobody who wants it.
    """
    found = Delivery.objects.queued().filter(pk=delivery_id, next_attempt_at__lte=Now()).first()
    if found is None:
        return None
    # Nobody has changed it meanwhile.
    same = Delivery.objects.queued().filter(
        pk=delivery_id, lease_token=found.lease_token, next_attempt_at=found.next_attempt_at
    )
    target, attempts = found.find_target(), found.attempts
    if found.lease_token is not None:
        attempts = with_attempt(found, Answer(error=WORKER_LOST))
    if target is None or not target.enabled:
        same.update(**done_with(State.DISABLED, attempts))
        return None
    if found.tries >= MOST_TRIES:
        same.update(**done_with(State.FAILED, attempts))
        return None
    lease = queue.in_seconds(settings.BMAT_WEBHOOK_SECONDS + SPARE_SECONDS)
    taken = {
        "lease_token": lease_token,
        "next_attempt_at": lease,
        "next_enqueue_at": lease,
        "enqueue_count": 0,
        "attempt_started": Now(),
        "attempts": attempts,
        "tries": F("tries") + 1,
    }
    if not same.update(**taken):
        return None
    delivery = Delivery.objects.leased(delivery_id, lease_token).first()
    return None if delivery is None else (delivery, target)


def settle(delivery: Delivery, target: Target, answer: Answer) -> None:
    """Writes down what came of the attempt. It changes nothing where the lease was lost, or the
    delivery is gone.
    """
    assert delivery.lease_token is not None, "it was claimed"
    held = Delivery.objects.leased(delivery.pk, delivery.lease_token)
    attempts = with_attempt(delivery, answer)
    if answer.is_success:
        held.update(**done_with(State.DELIVERED, attempts))
    elif answer.status == GONE:
        with transaction.atomic():
            if held.update(**done_with(State.DISABLED, attempts)):
                disable(target)
    elif delivery.tries >= MOST_TRIES:
        held.update(**done_with(State.FAILED, attempts))
    else:
        again = queue.in_seconds(seconds_until_next(delivery.tries, answer.retry_after))
        held.update(
            attempts=attempts,
            lease_token=None,
            next_attempt_at=again,
            next_enqueue_at=again,
            enqueue_count=0,
        )


def disable(target: Target) -> None:
    """Sends nothing more to a target that wants no more."""
    target.disable()
    Delivery.objects.queued().to(target).update(state=State.DISABLED, lease_token=None)
    logger.warning("%s is disabled: its receiver has answered %s", target, GONE)


def done_with(state: State, attempts: list[dict[str, Any]]) -> dict[str, Any]:
    """What every end of a delivery sets."""
    return {"state": state, "attempts": attempts, "lease_token": None}


def with_attempt(delivery: Delivery, answer: Answer) -> list[dict[str, Any]]:
    """The delivery's attempts, and the one that has just ended."""
    assert delivery.attempt_started is not None, "it was claimed"
    ended = {
        "started": written(delivery.attempt_started),
        "seconds": round(answer.seconds, 3),
        "status": answer.status,
        "error": answer.error or None,
    }
    return [*delivery.attempts, ended][-KEPT_ATTEMPTS:]


def seconds_until_next(tries: int, retry_after: str) -> float:
    """How long to wait after so many attempts: at least as long as the receiver asks for."""
    wait_seconds = WAITS_SECONDS[tries - 1] * random.uniform(1, 1 + JITTER)
    return max(wait_seconds, min(asked_seconds(retry_after), MOST_RETRY_AFTER_SECONDS))


def asked_seconds(retry_after: str) -> float:
    """The seconds that a Retry-After means, as a number or a date; 0 where it means nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    instant = parse_http_date_safe(retry_after)
    return 0.0 if instant is None else instant - time.time()


def signed(delivery: Delivery, secret: str) -> Mapping[str, str]:
    """The headers of the attempt that is under way."""
    started = delivery.attempt_started
    assert isinstance(started, datetime), "it was claimed"
    webhook_id = str(delivery.pk)
    return {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(started.timestamp())),
        "webhook-signature": Signer(secret).sign(webhook_id, started, delivery.body),
    }


def secret_of(delivery: Delivery, target: Target) -> str:
    """What the event is signed with."""
    if target.secret:
        return target.secret
    owner = Report.objects.filter(pid=delivery.report_id).values_list("owner", flat=True).first()
    return derived_secret(owner)
