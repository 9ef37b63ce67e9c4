"""`manage.py create_token`, and tokens in the admin."""

import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from knox.models import AuthToken

from bmat.api.tests.people import person

pytestmark = pytest.mark.django_db


def create(*arguments):
    """What the command prints, and what it says beside it."""
    out, err = StringIO(), StringIO()
    call_command("create_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def days_left():
    return (AuthToken.objects.get().expiry - timezone.now()).total_seconds() / 86400


def test_it_prints_a_token_that_opens_the_api_and_nothing_else(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    person("alice")

    printed, said = create("alice")

    assert re.fullmatch("[0-9a-f]{64}\n", printed)
    assert re.match("The token of alice, valid until 20[-0-9]+ [:0-9]+ UTC. ", said)
    sent = {"Authorization": f"Token {printed.strip()}"}
    assert client.get("/api/reports/", headers=sent).status_code == 200


def test_it_is_valid_as_long_as_the_settings_say(settings):
    person("alice")

    create("alice")

    assert days_left() == pytest.approx(settings.BMAT_TOKEN_DAYS, abs=0.01)


def test_it_is_valid_as_long_as_it_was_told():
    person("alice")

    create("alice", "--days", "0.5")

    assert days_left() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "1e9"])
def test_it_refuses_days_that_are_none(days):
    person("alice")

    with pytest.raises(CommandError, match=r"--days must be above 0 and at most 36500, not "):
        create("alice", "--days", days)


def test_it_makes_no_user_by_itself():
    with pytest.raises(CommandError, match="There is no user 'alice'. Add --create-user"):
        create("alice")
    assert User.objects.count() == 0


def test_it_makes_an_ordinary_user_without_a_password_where_it_is_told_to():
    create("alice", "--create-user")

    alice = AuthToken.objects.get().user
    assert (alice.username, alice.has_usable_password()) == ("alice", False)
    assert (alice.is_staff, alice.is_superuser) == (False, False)


def test_it_does_not_make_a_user_who_is_there():
    person("alice")

    with pytest.raises(CommandError, match="There is a user 'alice' already."):
        create("alice", "--create-user")


def test_it_refuses_a_name_that_is_none():
    with pytest.raises(CommandError, match="'a b' cannot be a name: Enter a valid username"):
        create("a b", "--create-user")


def test_it_refuses_a_user_who_is_not_active():
    alice = person("alice")
    alice.is_active = False
    alice.save()

    with pytest.raises(CommandError, match="The user 'alice' is not active"):
        create("alice")


def test_the_admin_makes_a_token_shows_it_once_and_lets_it_expire(admin_client):
    url, alice = "/admin/knox/authtoken/", person("alice")
    offered = admin_client.get(f"{url}add/").context["adminform"].form.initial["expiry"]

    days = {"expiry_0": f"{offered:%Y-%m-%d}", "expiry_1": f"{offered:%H:%M:%S}"}
    made = admin_client.post(f"{url}add/", {"user": alice.pk, **days}, follow=True)

    assert re.search("TOKEN [0-9a-f]{64}", made.content.decode())
    assert not re.search("TOKEN [0-9a-f]{64}", admin_client.get(url).content.decode())
    assert days_left() > 1


def test_the_admin_makes_no_token_that_never_ends(admin_client):
    admin_client.post("/admin/knox/authtoken/add/", {"user": person("alice").pk})

    assert AuthToken.objects.count() == 0


def test_the_admin_revokes_a_token_and_changes_none(admin_client):
    row, _ = AuthToken.objects.create(person("alice"))
    url = f"/admin/knox/authtoken/{row.pk}/"

    assert "alice" in admin_client.get(f"{url}change/").content.decode()
    assert admin_client.post(f"{url}change/", {"user": row.user.pk}).status_code == 403
    admin_client.post(f"{url}delete/", {"post": "yes"})

    assert AuthToken.objects.count() == 0


def test_the_admin_shows_whose_a_report_is(admin_client, submit):
    submit(owner=person("alice"))

    assert "alice" in admin_client.get("/admin/api/report/").content.decode()
