"""What users do about who is told: their webhooks, the secrets that events are signed with, and an
event that is to be sent again.
"""

import base64
import secrets
from functools import partial

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.crypto import salted_hmac

from bmat.api.models import Delivery, Webhook
from bmat.api.models.webhooks import State
from bmat.api.outgoing.urls import SECRET_PREFIX, without_login
from bmat.api.services import queue
from bmat.api.services.outbox import wake

MOST_WEBHOOKS = 20
SECRET_BYTES = 32
SALT = "bmat.api.services.targets"


class TooManyWebhooks(Exception):
    """A user has MOST_WEBHOOKS already."""


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
    """A new webhook of the user, with a secret. Raises TooManyWebhooks."""
    with transaction.atomic():
        # Requests of the same moment cannot pass the limit together.
        User.objects.select_for_update(no_key=True).filter(pk=owner.pk).first()
        if Webhook.objects.filter(owner=owner).count() >= MOST_WEBHOOKS:
            raise TooManyWebhooks
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
            transaction.on_commit(partial(wake, delivery.pk), robust=True)
    return True


def shown_url(delivery: Delivery) -> str | None:
    """Where the delivery goes, without a login; None where that was removed."""
    target = delivery.find_target()
    return None if target is None else without_login(target.url)
