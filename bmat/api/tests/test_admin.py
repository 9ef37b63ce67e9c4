"""Reports in the admin."""

from uuid import uuid4

import pytest

from bmat.api.models import Report
from bmat.api.services import leases


def test_it_lists_reports(admin_client, submit):
    report = submit()

    assert str(report.pid) in admin_client.get("/admin/api/report/").content.decode()


def test_it_shows_a_report_and_offers_no_change(admin_client, submit):
    page = admin_client.get(f"/admin/api/report/{submit().pid}/change/").content.decode()

    assert "plays.csv" in page
    assert 'name="_save"' not in page


def test_it_shows_who_worked_on_a_report_and_how_that_ended(admin_client, submit):
    report = submit()
    token = uuid4()
    leases.claim(report.pid, token, "small@machine")
    leases.hand_back(report.pid, token)

    page = admin_client.get(f"/admin/api/report/{report.pid}/change/").content.decode()

    assert "small@machine" in page
    assert "handed back: the worker was asked to end" in page
    assert str(report.attempt_log.get()) in page


def test_it_names_an_attempt_that_runs(submit):
    report = submit()
    leases.claim(report.pid, uuid4())

    assert str(report.attempt_log.get()) == "attempt 1, running"


@pytest.mark.parametrize("action", ["add", "{pid}/delete"])
def test_it_refuses_to_add_and_to_delete(admin_client, submit, action):
    pid = submit().pid

    response = admin_client.post(f"/admin/api/report/{action.format(pid=pid)}/", {"post": "yes"})

    assert response.status_code == 403
    assert Report.objects.filter(pid=pid).exists()


def test_it_asks_a_stranger_to_log_in(client, db):
    assert client.get("/admin/api/report/").status_code == 302


def test_it_leads_to_the_admin_without_the_last_slash(client):
    assert client.get("/admin")["Location"] == "/admin/"
