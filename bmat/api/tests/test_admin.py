"""Reports in the admin."""

import re
from uuid import uuid4

import pytest

from bmat.aggregation import Progress
from bmat.api.models import Report
from bmat.api.services import leases
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS, TOTALS
from bmat.api.tests.results import body
from bmat.api.tests.tus import UPLOADS, Sender


def test_it_lists_reports(admin_client, submit):
    report = submit()

    assert str(report.pid) in listed(admin_client)


def listed(client):
    return client.get("/admin/api/report/").content.decode()


def test_the_list_says_how_each_report_is_and_when_it_came(admin_client, submit):
    report, token = submit(), uuid4()
    leases.claim(report.pid, token)
    leases.renew(report.pid, token, Progress("merging", 0.42, 10))

    page = listed(admin_client)

    uploaded = f"{report.created:%Y-%m-%d %H:%M}"
    for cell in ("plays.csv", "processing: merging", "42%", "100\xa0bytes", uploaded):
        assert cell in page


def test_the_list_names_the_code_of_a_failed_report(admin_client, submit):
    process_report(submit(b"no,header\n").pid, uuid4())

    assert "failed: missing_column" in listed(admin_client)


def test_it_leads_to_the_files_of_a_report(admin_client, submit):
    report = submit(PLAYS + b"bad,x,1\n")
    process_report(report.pid, uuid4())

    for page in ("/admin/api/report/", f"/admin/api/report/{report.pid}/change/"):
        links = re.findall(r'href="(/api/reports/[^"]*)"', admin_client.get(page).content.decode())
        assert links == [f"/api/reports/{report.pid}/{name}" for name in ("output", "rejects")]

    assert body(admin_client.get(links[0])) == TOTALS


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


def test_it_lists_uploads_that_come_in_parts_and_how_far_they_are(admin_client, client):
    tus = Sender(client)
    coming = tus.created(200, filename="a.csv", report="no")
    tus.patch(coming, 0, b"x" * 84)
    whole = tus.whole(b"x", filename="b.csv", report="no")
    removed = tus.created(10, filename="c.csv")
    tus.send("DELETE", removed)
    unknown = tus.send("POST", UPLOADS, Upload_Defer_Length="1")

    page = admin_client.get("/admin/api/upload/").content.decode()

    assert unknown.status_code == 201
    for cell in ("a.csv", "42%", "200\xa0bytes", "whole", "removed", "coming"):
        assert cell in page
    upload_id = whole.rsplit("/", 1)[1]
    shown = admin_client.get(f"/admin/api/upload/{upload_id}/change/").content.decode()
    assert f"{upload_id} (1 of 1)" in shown
    assert 'name="_save"' not in shown


def test_it_asks_a_stranger_to_log_in(client, db):
    assert client.get("/admin/api/report/").status_code == 302


def test_it_leads_to_the_admin_without_the_last_slash(client):
    assert client.get("/admin")["Location"] == "/admin/"
