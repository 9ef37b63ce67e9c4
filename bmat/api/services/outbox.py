"""Who is told when a report ends, and what: one event for each target, written in the transaction
that ends the report. So no end is without its events, and no event without its end; and an end that
is tried twice, because the answer of the first got lost, happens once and is told once.

Users make the webhooks, have an event sent again, and verify it by a secret.
"""

import base64
import json
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from bmat.api.errors import ApiError
from bmat.api.models import Callback, Delivery, Report, Status, Webhook
from bmat.api.models.webhooks import Event, State
from bmat.api.outgoing.urls import SECRET_PREFIX, without_login
from bmat.api.services import queue

MOST_WEBHOOKS = 20
SECRET_BYTES = 32
# The name that this module had when the first secrets were derived.
SALT = "bmat.api.services.targets"
EVENTS = {
    Status.DONE: Event.DONE,
    Status.FAILED: Event.FAILED,
    Status.CANCELLED: Event.CANCELLED,
}


def record_end(pid: UUID) -> None:
    """Writes the events of a report that has just ended; a worker is told after the commit. To be
    called in the transaction that ends it.
    """
    callback = Callback.objects.filter(report=pid, enabled=True).exists()
    webhooks: list[UUID | None] = [*webhooks_of(pid)]
    targets = [None, *webhooks] if callback else webhooks
    if not targets:
        return
    report = Report.objects.get(pid=pid)
    event = EVENTS[Status(report.status)]
    body = json.dumps(told(report, event), ensure_ascii=False)
    rows = [
        Delivery(
            report=report,
            webhook_id=target,
            event=event,
            body=body,
            created=Now(),
            next_attempt_at=queue.in_seconds(0),
            **queue.message_sent(),
        )
        for target in targets
    ]
    for row in Delivery.objects.bulk_create(rows):
        wake_on_commit(row.pk)


def wake_on_commit(delivery_id: UUID) -> None:
    """Sends the message for a delivery once it is committed. What goes wrong with it is logged."""
    transaction.on_commit(lambda: queue.enqueue_delivery(delivery_id), robust=True)


def webhooks_of(pid: UUID) -> list[UUID]:
    """The webhooks of the report's owner. Where nobody logs in, there are none."""
    if not settings.BMAT_REQUIRE_AUTH:
        return []
    wanted = Webhook.objects.filter(owner__reports=pid, owner__is_active=True, enabled=True)
    return list(wanted.values_list("pk", flat=True))


def told(report: Report, event: Event) -> dict[str, Any]:
    """The event. Its URLs are those of the API, below BMAT_PUBLIC_URL where that is set."""
    assert report.finished is not None, "it has ended"
    url = f"{settings.BMAT_PUBLIC_URL}/api/reports/{report.pid}"
    error = {"code": report.error_code, "message": report.error_message}
    return {
        "type": event.value,
        "timestamp": written(report.finished),
        "data": {
            "pid": str(report.pid),
            "status": report.status,
            "state": report.state,
            "url": url,
            "input_name": report.input_name,
            "output_file": f"{url}/output" if report.output_file else None,
            "rejects_file": f"{url}/rejects" if report.rejects_file else None,
            "rows_read": report.rows_read,
            "rows_rejected": report.rows_rejected,
            "rows_left_out": report.rows_left_out,
            "groups": report.groups,
            "plays_total": report.plays_total,
            "error": error if report.error_code else None,
            "created": written(report.created),
            "finished": written(report.finished),
        },
    }


def written(instant: datetime) -> str:
    """The instant as the API writes it."""
    return instant.isoformat().replace("+00:00", "Z")


def derived_secret(owner: int | None) -> str:
    """The secret of those callbacks of one user for which none was given; None: of nobody's.
    Whoever has one user's can tell nothing of another's.
    """
    key = settings.BMAT_WEBHOOK_KEY or settings.SECRET_KEY
    value = "nobody" if owner is None else f"user {owner}"
    return as_secret(salted_hmac(SALT, value, secret=key, algorithm="sha256").digest())


def new_secret() -> str:
    """A random secret."""
    return as_secret(secrets.token_bytes(SECRET_BYTES))


def as_secret(key: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(key).decode("ascii")


def create_webhook(owner: User, url: str) -> Webhook:
    """A new webhook of the user, with a secret. Raises ApiError too_many_webhooks."""
    with transaction.atomic():
        # Requests of the same moment cannot pass the limit together.
        User.objects.select_for_update(no_key=True).filter(pk=owner.pk).first()
        if Webhook.objects.filter(owner=owner).count() >= MOST_WEBHOOKS:
            raise ApiError("too_many_webhooks")
        return Webhook.objects.create(owner=owner, url=url, secret=new_secret())


def resend(delivery: Delivery) -> bool:
    """Lets a delivery begin anew, with all attempts ahead and the same `webhook-id`. One whose
    attempt is under way is left to it. False: its target is disabled, or gone.
    """
    target = delivery.find_target()
    if target is None or not target.enabled:
        return False
    is_idle = Q(lease_token=None) | Q(next_attempt_at__lte=Now())
    with transaction.atomic():
        begun = Delivery.objects.filter(is_idle, pk=delivery.pk).update(
            state=State.PENDING,
            tries=0,
            next_attempt_at=queue.in_seconds(0),
            **queue.message_sent(),
        )
        if begun:
            wake_on_commit(delivery.pk)
    return True


def shown_url(delivery: Delivery) -> str | None:
    """Where the delivery goes, without a login; None where that was removed."""
    target = delivery.find_target()
    return None if target is None else without_login(target.url)
