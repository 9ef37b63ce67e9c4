"""`/api/webhooks/`, the callback of an upload, and `/api/reports/<pid>/deliveries`."""

from io import StringIO
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from bmat.api.models import Callback, Delivery, Report, Webhook
from bmat.api.outgoing.post import Answer
from bmat.api.services import leases, webhooks
from bmat.api.services.outbox import MOST_WEBHOOKS, create_webhook, derived_secret, new_secret
from bmat.api.services.webhooks import deliver
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.people import person, token_of

pytestmark = pytest.mark.django_db(transaction=True)

URL = "https://name:word@receiver.example/events"
SHOWN = "https://receiver.example/events"
SECRET = new_secret()
WEBHOOKS = "/api/webhooks/"


@pytest.fixture
def alice(settings):
    """Alice's header, where a login is asked for."""
    settings.BMAT_REQUIRE_AUTH = True
    return token_of(person("alice"))


def make(client, headers, url=URL):
    return client.post(WEBHOOKS, {"url": url}, content_type="application/json", headers=headers)


def upload(client, headers=None, **fields):
    data = {"input_file": SimpleUploadedFile("plays.csv", PLAYS), **fields}
    return client.post("/api/reports/", data, headers=headers)


def test_a_secret_is_shown_once(client, alice):
    made = make(client, alice)

    row = Webhook.objects.get()
    assert (made.status_code, row.url, row.owner) == (201, URL, person("alice"))
    assert made.json() == {
        "id": str(row.pk),
        "url": SHOWN,
        "enabled": True,
        "created": row.created.isoformat().replace("+00:00", "Z"),
        "secret": row.secret,
    }
    shown = {name: value for name, value in made.json().items() if name != "secret"}
    assert client.get(WEBHOOKS, headers=alice).json() == [shown]
    assert client.get(made["Location"], headers=alice).json() == shown


def test_it_takes_a_form_too(client, alice):
    body = "url=https%3A%2F%2Freceiver.example%2F"
    made = client.post(
        WEBHOOKS, body, content_type="application/x-www-form-urlencoded", headers=alice
    )

    assert made.status_code == 201


@pytest.mark.parametrize("url", ["", None, 5, "http://receiver.example/", "https://127.0.0.1/"])
def test_it_refuses_what_no_event_is_sent_to(client, alice, url):
    answer = make(client, alice, url)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["url"])
    assert not Webhook.objects.exists()


def test_it_refuses_a_body_that_is_too_large(client, alice):
    answer = make(client, alice, "x" * 2**17)

    assert (answer.status_code, answer.json()["code"]) == (413, "form_too_large")


def test_a_webhook_that_was_removed_is_gone(client, alice):
    address = make(client, alice)["Location"]

    assert client.delete(address, headers=alice).status_code == 204
    assert client.get(address, headers=alice).status_code == 404
    assert client.get(WEBHOOKS, headers=alice).json() == []


@pytest.mark.parametrize("name", ["bob", "root"])
def test_nobody_sees_the_webhooks_of_another(client, alice, name):
    address = make(client, alice)["Location"]
    other = token_of(person(name))

    assert client.get(WEBHOOKS, headers=other).json() == []
    assert client.delete(address, headers=other).status_code == 404
    assert Webhook.objects.exists()


def test_an_id_that_is_none_is_not_found(client, alice):
    assert client.get("/api/webhooks/none", headers=alice).status_code == 404


def test_there_is_a_limit(client, alice):
    for _ in range(MOST_WEBHOOKS):
        create_webhook(person("alice"), URL)

    answer = make(client, alice)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
    assert str(MOST_WEBHOOKS) in answer.json()["message"]


def test_where_nobody_logs_in_nobody_has_webhooks(client, db):
    alice = token_of(person("alice"))

    for answer in (client.get(WEBHOOKS), client.get(WEBHOOKS, headers=alice), make(client, alice)):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "callback_url" in answer.json()["message"]


def test_an_upload_names_who_is_told_of_it(client, db):
    pid = upload(client, callback_url=URL, callback_secret=SECRET).json()["pid"]

    callback = Callback.objects.get()
    assert (str(callback.report_id), callback.url, callback.secret) == (pid, URL, SECRET)


def test_a_blank_callback_is_none(client, db):
    assert upload(client, callback_url="", callback_secret="").status_code == 201
    assert not Callback.objects.exists()


@pytest.mark.parametrize(
    "fields, wrong",
    [
        ({"callback_url": "https://10.0.0.1/"}, "callback_url"),
        ({"callback_url": "receiver.example"}, "callback_url"),
        ({"callback_url": URL, "callback_secret": "secret"}, "callback_secret"),
        ({"callback_secret": SECRET}, "callback_secret"),
    ],
)
def test_a_callback_that_is_wrong_leaves_nothing_behind(client, db, left_over, fields, wrong):
    answer = upload(client, **fields)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [wrong])
    assert (Report.objects.count(), left_over()) == (0, [])


def test_a_preview_has_no_callback(client, db):
    data = {"input_file": SimpleUploadedFile("plays.csv", PLAYS), "callback_url": URL}

    answer = client.post("/api/inspect", data)

    assert list(answer.json()["fields"]) == ["callback_url"]


def test_an_idempotency_key_stands_for_the_callback_too(client, db):
    key = {"Idempotency-Key": "the first"}

    first = upload(client, key, callback_url=URL)
    again = upload(client, key, callback_url=URL)
    other = upload(client, key, callback_url="https://other.example/")

    assert first.json()["pid"] == again.json()["pid"]
    assert (again["Idempotent-Replayed"], other.status_code) == ("true", 409)
    assert Callback.objects.count() == 1


@pytest.fixture
def told(client, db):
    """A delivery that was tried once, in vain; and the address of its report's deliveries."""
    pid = upload(client, callback_url=URL).json()["pid"]
    leases.cancel(pid)
    return Delivery.objects.get(), f"/api/reports/{pid}/deliveries"


@pytest.fixture
def answers(monkeypatch):
    """What receivers answer."""
    each = [Answer(status=503, seconds=0.0123)]
    monkeypatch.setattr(webhooks, "post", lambda *_: each[0])
    return each


def test_each_attempt_is_shown(client, told, answers):
    delivery, address = told
    deliver(delivery.pk, uuid4())
    delivery.refresh_from_db()

    [shown] = client.get(address).json()

    assert shown["attempts"] == [
        {"started": delivery.attempts[0]["started"], "seconds": 0.012, "status": 503, "error": None}
    ]
    assert (shown["id"], shown["url"], shown["webhook"]) == (str(delivery.pk), SHOWN, None)
    assert (shown["event"], shown["state"]) == ("report.cancelled", "pending")
    assert shown["next_attempt"] == delivery.next_attempt_at.isoformat().replace("+00:00", "Z")
    assert {"body", "secret"} & shown.keys() == set()


def test_what_is_done_with_has_no_next_attempt(client, told, answers):
    delivery, address = told
    answers[0] = Answer(status=200)
    deliver(delivery.pk, uuid4())

    [shown] = client.get(address).json()

    assert (shown["state"], shown["next_attempt"]) == ("delivered", None)


def test_a_target_that_was_removed_has_no_url(client, told):
    Callback.objects.all().delete()

    assert client.get(told[1]).json()[0]["url"] is None


def test_an_event_can_be_sent_again(client, told, answers):
    delivery, address = told
    answers[0] = Answer(status=200)
    deliver(delivery.pk, uuid4())

    answer = client.post(f"{address}/{delivery.pk}/resend")
    deliver(delivery.pk, uuid4())

    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    assert len(client.get(address).json()[0]["attempts"]) == 2


@pytest.mark.parametrize("which", ["none", str(uuid4())])
def test_an_event_that_there_is_not_cannot(client, told, which):
    assert client.post(f"{told[1]}/{which}/resend").status_code == 404


def test_an_event_of_another_report_is_not_found(client, told, submit):
    delivery, _ = told

    assert (
        client.post(f"/api/reports/{submit().pid}/deliveries/{delivery.pk}/resend").status_code
        == 404
    )


def test_nothing_is_sent_again_to_who_wants_no_more(client, told, answers):
    delivery, address = told
    answers[0] = Answer(status=410)
    deliver(delivery.pk, uuid4())

    answer = client.post(f"{address}/{delivery.pk}/resend")

    assert (answer.status_code, answer.json()["code"]) == (409, "target_disabled")


def test_an_operator_can_tell_a_secret(db):
    out = StringIO()
    call_command("webhook_secret", stdout=out)
    call_command("webhook_secret", person("alice").username, stdout=out)

    assert out.getvalue().split() == [derived_secret(None), derived_secret(person("alice").pk)]
    with pytest.raises(CommandError, match="There is no user 'nobody'."):
        call_command("webhook_secret", "nobody")


def test_the_admin_makes_a_webhook_and_shows_its_secret_once(admin_client):
    alice = person("alice")
    add = "/admin/api/webhook/add/"
    shown = admin_client.post(add, {"url": URL, "owner": alice.pk, "enabled": "on"}, follow=True)

    webhook = Webhook.objects.get()
    assert webhook.secret in shown.content.decode()
    address = f"/admin/api/webhook/{webhook.pk}/change/"
    for page in ("/admin/api/webhook/", address):
        content = admin_client.get(page).content.decode()
        assert webhook.secret not in content
    assert SHOWN in admin_client.get("/admin/api/webhook/").content.decode()

    admin_client.post(address, {"url": URL, "owner": alice.pk})
    changed = Webhook.objects.get()
    assert (changed.enabled, changed.secret) == (False, webhook.secret)


def test_the_admin_refuses_a_url_that_is_none(admin_client):
    fields = {"url": "https://127.0.0.1/", "owner": person("alice").pk}
    page = admin_client.post("/admin/api/webhook/add/", fields)

    assert "public addresses alone" in page.content.decode()
    assert not Webhook.objects.exists()


def test_the_admin_shows_deliveries_and_offers_no_change(admin_client, told, answers):
    delivery, _ = told
    address = f"/admin/api/delivery/{delivery.pk}/change/"
    assert admin_client.get(address).status_code == 200
    deliver(delivery.pk, uuid4())

    for page in ("/admin/api/delivery/", address):
        content = admin_client.get(page).content.decode()
        assert SHOWN in content
        assert "503" in content
        assert "name:word" not in content
        assert 'name="_save"' not in content
