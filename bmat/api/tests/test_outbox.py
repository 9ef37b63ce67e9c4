"""Each end of a report is told once to each target, whatever happens around it."""

import json
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from bmat.aggregation import Summary
from bmat.api.models import Callback, Delivery, Report, Webhook
from bmat.api.services import leases
from bmat.api.services.outbox import create_webhook
from bmat.api.services.process import process_report
from bmat.api.services.reconcile import reconcile_reports
from bmat.api.services.reports import delete_report, retry_report
from bmat.api.services.sweep import sweep_files
from bmat.api.tests.fixtures import PLAYS, drain_queue
from bmat.api.tests.people import person
from bmat.taskapp.celery import WEBHOOKS, app

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://receiver.example/events"
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def report(submit):
    """A report of alice's with a callback."""
    report = submit(owner=person("alice"))
    Callback.objects.create(report=report, url=URL)
    return report


@pytest.fixture
def told():
    """The deliveries for which a worker was sent a message since last asked."""
    with app.connection_for_read() as connection:
        drain_queue(connection, WEBHOOKS)
        yield lambda: drain_queue(connection, WEBHOOKS)


def events():
    return list(Delivery.objects.order_by("created").values_list("event", flat=True))


def body():
    return json.loads(Delivery.objects.get().body)


def finish(report, token):
    return leases.finish(report.pid, token, Summary(rows_read=1), "out", "", 1)


def test_it_tells_of_a_report_that_is_done(report, told):
    process_report(report.pid, uuid4())

    delivery = Delivery.objects.get()
    assert told() == [str(delivery.pk)]
    report.refresh_from_db()
    data = body()["data"]
    assert (body()["type"], data["status"], data["state"]) == ("report.done", 1, "done")
    assert body()["timestamp"] == report.finished.isoformat().replace("+00:00", "Z")
    assert (data["rows_read"], data["plays_total"], data["error"]) == (3, 800, None)
    assert (data["input_name"], data["rejects_file"]) == ("plays.csv", None)


def test_its_addresses_are_those_of_the_api(submit, settings):
    settings.BMAT_PUBLIC_URL = "https://bmat.example"
    report = submit(PLAYS + b"bad,x,1\n")
    Callback.objects.create(report=report, url=URL)
    process_report(report.pid, uuid4())

    data = body()["data"]
    for name, view in [("url", "detail"), ("output_file", "output"), ("rejects_file", "rejects")]:
        path = reverse(f"report-{view}", kwargs={"pid": report.pid}).rstrip("/")
        assert data[name] == f"https://bmat.example{path}"


def test_it_tells_of_a_report_that_failed_and_why(submit):
    report = submit(b"no,header\n")
    Callback.objects.create(report=report, url=URL)
    process_report(report.pid, uuid4())

    assert body()["type"] == "report.failed"
    assert body()["data"]["error"]["code"] == "missing_column"
    assert body()["data"]["output_file"] is None


def test_it_tells_of_a_report_that_was_cancelled_once(report):
    assert leases.cancel(report.pid)
    assert not leases.cancel(report.pid)

    assert events() == ["report.cancelled"]


def test_it_tells_of_a_report_that_has_cost_every_worker_its_life(report, settings):
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO, attempts=settings.BMAT_MAX_ATTEMPTS)

    reconcile_reports()

    assert events() == ["report.failed"]
    assert body()["data"]["error"]["code"] == "worker_lost"


@pytest.mark.parametrize("let_go", [leases.hand_back, leases.hand_back_for_cluster])
def test_it_tells_nothing_of_a_report_that_goes_on(report, let_go):
    token = uuid4()
    leases.claim(report.pid, token)
    let_go(report.pid, token)
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO)
    reconcile_reports()

    assert events() == []


def test_a_flip_that_is_repeated_is_told_once(report, told):
    token = uuid4()
    leases.claim(report.pid, token)

    assert finish(report, token)
    assert not finish(report, token)

    assert events() == ["report.done"]
    assert len(told()) == 1


def test_a_flip_that_does_not_take_place_is_not_told(report, told):
    token = uuid4()
    leases.claim(report.pid, token)

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        finish(report, token)
        raise ZeroDivisionError

    assert (events(), told()) == ([], [])
    assert finish(report, token)
    assert events() == ["report.done"]


def test_each_end_of_a_report_that_is_retried_is_told(report):
    leases.cancel(report.pid)
    retry_report(report.pid, report.input_bytes)
    leases.cancel(report.pid)
    retry_report(report.pid, report.input_bytes)
    process_report(report.pid, uuid4())

    assert events() == ["report.cancelled", "report.cancelled", "report.done"]


def test_an_event_whose_message_could_not_be_sent_waits_for_the_reconciler(
    report, told, monkeypatch
):
    def refuse(*_, **__):
        raise ConnectionRefusedError("nobody listens")

    with monkeypatch.context() as broker_down:
        broker_down.setattr("kombu.transport.memory.Channel._put", refuse)
        leases.cancel(report.pid)
    assert told() == []

    assert reconcile_reports() == 1
    assert told() == [str(Delivery.objects.get().pk)]
    assert reconcile_reports() == 0


def test_it_tells_the_webhooks_of_the_owner_where_people_log_in(report, settings):
    mine = create_webhook(person("alice"), URL)
    create_webhook(person("bob"), URL)
    off = create_webhook(person("alice"), URL)
    Webhook.objects.filter(pk=off.pk).update(enabled=False)

    settings.BMAT_REQUIRE_AUTH = True
    leases.cancel(report.pid)

    assert {each.webhook_id for each in Delivery.objects.all()} == {None, mine.pk}
    assert len(set(Delivery.objects.values_list("body"))) == 1


def test_without_logins_nobody_has_webhooks(report):
    create_webhook(person("alice"), URL)
    leases.cancel(report.pid)

    assert Delivery.objects.get().webhook_id is None


def test_an_account_that_is_turned_off_is_told_nothing(report, settings):
    settings.BMAT_REQUIRE_AUTH = True
    create_webhook(person("alice"), URL)
    User.objects.filter(username="alice").update(is_active=False)
    Callback.objects.all().delete()

    leases.cancel(report.pid)

    assert events() == []


def test_a_callback_that_wants_no_more_is_told_nothing(report):
    Callback.objects.update(enabled=False)
    leases.cancel(report.pid)

    assert events() == []


def test_deleting_a_report_removes_what_is_not_delivered(report):
    leases.cancel(report.pid)
    delete_report(report.pid)

    assert (events(), Callback.objects.count()) == ([], 0)


def test_deleting_a_report_that_is_processed_tells_nobody(report):
    delete_report(report.pid)

    assert events() == []


@pytest.mark.parametrize("state, is_kept", [("delivered", 0), ("failed", 0), ("pending", 1)])
def test_a_sweep_removes_the_deliveries_of_reports_without_files(report, state, is_kept):
    leases.cancel(report.pid)
    Delivery.objects.update(state=state)

    sweep_files()
    assert Delivery.objects.count() == 1

    Report.objects.update(finished=LONG_AGO)
    sweep_files()
    assert (Delivery.objects.count(), Callback.objects.count()) == (is_kept, is_kept)
