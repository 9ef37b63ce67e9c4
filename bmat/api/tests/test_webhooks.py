"""Delivering events: signed, again and again, once at a time. The receiver is a list of answers."""

import json
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now
from django.utils.http import http_date
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from bmat.api.errors import ApiError
from bmat.api.models import Callback, Delivery, Webhook
from bmat.api.outgoing.post import Answer
from bmat.api.services import leases, webhooks
from bmat.api.services.outbox import (
    MOST_WEBHOOKS,
    create_webhook,
    derived_secret,
    new_secret,
    resend,
)
from bmat.api.services.queue import in_seconds
from bmat.api.services.reconcile import reconcile_reports
from bmat.api.services.reports import delete_report
from bmat.api.services.webhooks import (
    MOST_TRIES,
    WAITS_SECONDS,
    deliver,
)
from bmat.api.tests.people import person
from bmat.taskapp.tasks import deliver_event

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://receiver.example/events"
SECRET = new_secret()
DOWN, OK = Answer(error="connect_failed"), Answer(status=200)


@pytest.fixture
def receiver(monkeypatch):
    """What was sent, and what is answered: the last answer goes on."""
    sent, answers = [], [OK]

    def post(url, content, headers):
        sent.append((url, content.decode(), headers))
        return answers.pop(0) if len(answers) > 1 else answers[0]

    monkeypatch.setattr(webhooks, "post", post)
    return sent, answers


@pytest.fixture
def delivery(submit):
    """A delivery that is due, to the callback of a report that was cancelled."""
    report = submit(owner=person("alice"))
    Callback.objects.create(report=report, url=URL, secret=SECRET)
    leases.cancel(report.pid)
    return Delivery.objects.get()


def attempt(delivery):
    """What a worker does that is woken; the delivery as it is then."""
    deliver_event(str(delivery.pk))
    delivery.refresh_from_db()
    return delivery


def claimed(delivery):
    """An attempt that has just begun."""
    found = webhooks.claim(delivery.pk, uuid4())
    assert found is not None
    return found


def come_due():
    """Moves the clock to the next attempt."""
    Delivery.objects.update(next_attempt_at=in_seconds(-1), next_enqueue_at=in_seconds(-1))


def wait_of(delivery):
    """How many seconds it waits from now on, by the database's clock."""
    now = Delivery.objects.values_list(ExpressionWrapper(Now(), DateTimeField()), flat=True)[0]
    return (delivery.next_attempt_at - now).total_seconds()


def test_a_receiver_can_verify_an_event(delivery, receiver):
    sent, _ = receiver

    assert attempt(delivery).state == "delivered"

    [(url, content, headers)] = sent
    assert (url, headers["webhook-id"]) == (URL, str(delivery.pk))
    assert Verifier(SECRET).verify(content, dict(headers)) == json.loads(delivery.body)
    for wrong in (new_secret(), derived_secret(None)):
        with pytest.raises(WebhookVerificationError):
            Verifier(wrong).verify(content, dict(headers))
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(content.replace("cancelled", "done"), dict(headers))


def test_a_callback_without_a_secret_is_signed_with_the_one_of_its_owner(delivery, receiver):
    sent, _ = receiver
    Callback.objects.update(secret="")

    attempt(delivery)

    [(_, content, headers)] = sent
    alice = derived_secret(person("alice").pk)
    Verifier(alice).verify(content, dict(headers))
    assert len({alice, derived_secret(person("bob").pk), derived_secret(None)}) == 3


def test_the_secrets_of_owners_change_with_the_key(settings):
    by_secret_key = derived_secret(None)
    settings.BMAT_WEBHOOK_KEY = "k" * 32

    assert derived_secret(None) != by_secret_key


def test_a_second_message_sends_nothing(delivery, receiver):
    sent, _ = receiver

    attempt(delivery)
    attempt(delivery)

    assert len(sent) == 1
    assert [each["status"] for each in delivery.attempts] == [200]


def test_a_receiver_that_was_down_for_an_hour_is_told_once(delivery, receiver, enqueued):
    sent, answers = receiver
    answers[:] = [DOWN] * 4 + [OK]

    # At once, and after 5 s, 5 min, 30 min and 2 h.
    for _ in range(4):
        assert attempt(delivery).state == "pending"
        assert attempt(delivery).tries == len(sent)
        come_due()
    for _ in range(3):
        attempt(delivery)
        come_due()

    assert delivery.state == "delivered"
    assert len(sent) == 5
    assert len({headers["webhook-id"] for _, _, headers in sent}) == 1
    assert [each["error"] for each in delivery.attempts] == ["connect_failed"] * 4 + [None]


def test_it_gives_up_after_ten_attempts_in_three_days(delivery, receiver):
    sent, answers = receiver
    answers[:] = [Answer(status=500)]

    waits = []
    for _ in range(MOST_TRIES):
        if attempt(delivery).state == "pending":
            waits.append(wait_of(delivery))
        come_due()
    attempt(delivery)

    assert (delivery.state, len(sent), len(waits)) == ("failed", MOST_TRIES, len(WAITS_SECONDS))
    assert all(
        planned - 1 < wait <= 1.1 * planned + 1
        for planned, wait in zip(WAITS_SECONDS, waits, strict=True)
    )
    assert timedelta(days=3) < timedelta(seconds=sum(WAITS_SECONDS)) < timedelta(days=3.2)


def test_events_that_failed_together_do_not_come_again_together():
    waits = {webhooks.seconds_until_next(2, "") for _ in range(100)}

    assert len(waits) > 90
    assert 300 <= min(waits) < 305 < 325 < max(waits) <= 330


@pytest.mark.parametrize(
    "retry_after, seconds",
    [("3600", 3600), ("1", 5), ("", 5), ("soon", 5), ("-1", 5), ("9" * 30, 86400), ("²", 5)],
)
def test_it_waits_as_long_as_a_receiver_asks_for_within_bounds(
    delivery, receiver, retry_after, seconds
):
    receiver[1][:] = [Answer(status=503, retry_after=retry_after)]

    wait = wait_of(attempt(delivery))

    assert seconds - 1 < wait <= 1.1 * seconds + 1


def test_a_receiver_may_ask_with_a_date():
    next_hour = http_date(time.time() + 3600)

    assert 3590 < webhooks.asked_seconds(next_hour) <= 3600


def test_410_turns_a_callback_off(delivery, receiver):
    receiver[1][:] = [Answer(status=410)]

    assert attempt(delivery).state == "disabled"
    assert not Callback.objects.get().enabled
    assert not resend(delivery)


def test_410_turns_a_webhook_off_with_all_that_is_on_its_way_to_it(submit, receiver, settings):
    settings.BMAT_REQUIRE_AUTH = True
    create_webhook(person("alice"), URL)
    for _ in range(2):
        leases.cancel(submit(owner=person("alice")).pid)
    receiver[1][:] = [Answer(status=410)]

    attempt(Delivery.objects.last())
    leases.cancel(submit(owner=person("alice")).pid)

    assert not Webhook.objects.get().enabled
    assert list(Delivery.objects.values_list("state", flat=True)) == ["disabled"] * 2


@pytest.mark.parametrize("end", ["disabled", "removed"])
def test_nothing_is_sent_to_a_target_that_is_off_or_gone(delivery, receiver, end):
    if end == "disabled":
        Callback.objects.update(enabled=False)
    else:
        Callback.objects.all().delete()

    assert attempt(delivery).state == "disabled"
    assert receiver[0] == []
    assert not resend(delivery)


def test_a_webhook_that_is_removed_takes_its_deliveries_along(submit, receiver, settings):
    settings.BMAT_REQUIRE_AUTH = True
    webhook = create_webhook(person("alice"), URL)
    leases.cancel(submit(owner=person("alice")).pid)

    webhook.delete()

    assert not Delivery.objects.exists()


def test_an_event_of_a_webhook_that_vanished_in_the_same_moment_goes_nowhere(delivery, receiver):
    Delivery.objects.update(webhook=uuid4())

    assert attempt(delivery).state == "disabled"


def test_one_attempt_is_made_at_a_time(delivery, receiver):
    assert webhooks.claim(delivery.pk, uuid4())

    attempt(delivery)

    assert receiver[0] == []


def test_of_two_workers_that_look_at_the_same_moment_one_makes_the_attempt(
    delivery, receiver, monkeypatch
):
    real = Delivery.find_target

    def meanwhile(self):
        monkeypatch.undo()
        assert webhooks.claim(delivery.pk, uuid4())
        return real(self)

    monkeypatch.setattr(Delivery, "find_target", meanwhile)

    assert webhooks.claim(delivery.pk, uuid4()) is None
    assert Delivery.objects.get().tries == 1


def test_what_a_worker_was_killed_at_is_sent_again_under_the_same_id(delivery, receiver, enqueued):
    sent, _ = receiver
    dead, target = claimed(delivery)
    assert reconcile_reports() == 0

    come_due()
    assert reconcile_reports() == 1
    assert attempt(delivery).state == "delivered"

    assert [each["error"] for each in delivery.attempts] == ["worker_lost", None]
    assert sent[0][2]["webhook-id"] == str(delivery.pk)
    # It was not dead, but slow.
    for late in (DOWN, Answer(status=410)):
        webhooks.settle(dead, target, late)
    delivery.refresh_from_db()
    assert (delivery.state, Callback.objects.get().enabled) == ("delivered", True)


def test_an_event_that_costs_every_worker_its_life_is_given_up(delivery, receiver):
    for _ in range(MOST_TRIES):
        assert webhooks.claim(delivery.pk, uuid4())
        come_due()

    assert attempt(delivery).state == "failed"
    assert {each["error"] for each in delivery.attempts} == {"worker_lost"}


def test_a_report_that_is_deleted_in_the_middle_of_an_attempt_stays_deleted(delivery, receiver):
    under_way, target = claimed(delivery)
    delete_report(delivery.report_id)

    webhooks.settle(under_way, target, OK)

    assert not Delivery.objects.exists()


def test_a_database_that_is_away_for_a_moment_costs_no_event(delivery, receiver, monkeypatch):
    real, calls = webhooks.settle, []

    def away_once(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the server closed the connection")
        real(*arguments)

    monkeypatch.setattr(webhooks, "settle", away_once)

    assert attempt(delivery).state == "delivered"
    assert len(receiver[0]) == 1


def test_a_database_that_stays_away_leaves_an_event_to_its_lease(
    delivery, receiver, monkeypatch, settings, caplog
):
    def away(*_):
        raise OperationalError("the server closed the connection")

    settings.BMAT_LEASE_SECONDS = 0.1
    monkeypatch.setattr(webhooks, "settle", away)

    assert attempt(delivery).state == "pending"
    assert f"delivery {delivery.pk}: left to its lease" in caplog.text


def test_it_keeps_the_last_fifty_attempts(delivery, receiver):
    receiver[1][:] = [DOWN]
    for _ in range(60):
        attempt(delivery)
        resend(delivery)

    assert len(attempt(delivery).attempts) == 50


def test_an_event_that_was_given_up_can_be_sent_again(delivery, receiver):
    attempt(delivery)

    assert resend(delivery)
    assert attempt(delivery).state == "delivered"

    assert len({headers["webhook-id"] for _, _, headers in receiver[0]}) == 1
    assert (len(receiver[0]), delivery.tries) == (2, 1)


def test_an_attempt_that_is_under_way_is_not_made_twice_by_a_resend(delivery, receiver):
    webhooks.claim(delivery.pk, uuid4())

    assert resend(delivery)

    attempt(delivery)
    assert receiver[0] == []


def test_a_user_has_twenty_webhooks_at_most(db):
    for _ in range(MOST_WEBHOOKS):
        create_webhook(person("alice"), URL)

    with pytest.raises(ApiError, match="You have 20 webhooks"):
        create_webhook(person("alice"), URL)
    create_webhook(person("bob"), URL)
    assert len(set(Webhook.objects.values_list("secret"))) == MOST_WEBHOOKS + 1


def test_it_logs_no_url_and_no_secret(delivery, receiver, caplog):
    caplog.set_level("INFO")
    attempt(delivery)

    assert (
        f"report {delivery.report_id}: report.cancelled, attempt 1 to tell it: 200" in caplog.text
    )
    assert "receiver.example" not in caplog.text
    assert SECRET not in caplog.text


def test_it_names_itself(delivery):
    assert str(delivery) == f"report.cancelled of {delivery.report_id}"
    assert str(Callback.objects.get()) == f"callback of {delivery.report_id}"
    webhook = create_webhook(person("alice"), URL)
    assert str(webhook) == f"webhook {webhook.pk}"


def test_nothing_happens_for_a_delivery_that_is_gone(db, receiver):
    deliver(uuid4(), uuid4())

    assert receiver[0] == []
