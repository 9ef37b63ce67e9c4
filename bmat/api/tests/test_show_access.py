"""`manage.py show_access`: what a start says about who may come."""

import sys
from io import StringIO

import pytest
from django.core.management import call_command

from bmat.api.tests.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def project(settings, monkeypatch):
    """The service as `make run` starts it."""
    settings.BMAT_HOME = settings.BASE_DIR / "var"
    monkeypatch.setattr(sys, "executable", str(settings.BASE_DIR / ".venv" / "bin" / "python"))
    monkeypatch.delenv("DATABASE_URL", raising=False)


def shown():
    out = StringIO()
    call_command("show_access", stdout=out)
    return out.getvalue()


def test_it_says_nothing_at_home():
    assert shown() == ""


def test_it_says_how_to_make_a_first_user(settings):
    settings.BMAT_REQUIRE_AUTH = True

    assert shown().splitlines() == [
        "Requests need a token, and there is no user yet. This makes one, and prints a token:",
        "  .venv/bin/python manage.py create_token NAME --create-user",
        "And this makes one who may open /admin/ and sees every report:",
        "  .venv/bin/python manage.py createsuperuser",
    ]


def test_it_says_so_until_there_is_a_user(settings):
    settings.BMAT_REQUIRE_AUTH = True
    person("alice")

    assert shown() == ""


def test_its_commands_are_those_of_this_service(settings, monkeypatch, tmp_path):
    settings.BMAT_REQUIRE_AUTH, settings.BMAT_HOME = True, tmp_path / "a home"
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.setenv("DATABASE_URL", "postgres://bmat:secret@host/bmat")

    home = f"BMAT_HOME='{tmp_path}/a home'"
    assert f"  DATABASE_URL=... {home} /usr/bin/python3 manage.py createsuperuser\n" in shown()


@pytest.mark.parametrize("host, says", [("0.0.0.0", True), ("192.0.2.1", False)])
def test_it_says_what_is_answered_where_that_is_not_plain(settings, host, says):
    settings.HOST, settings.ALLOWED_HOSTS = host, ["localhost", "mybox"]

    lines = [
        "Answers to these hosts: localhost, mybox",
        "Start with DJANGO_ALLOWED_HOSTS=NAME,NAME to add others.",
    ]
    assert shown().splitlines() == (lines if says else [])
