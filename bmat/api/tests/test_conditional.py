"""`ETag` and `If-None-Match` on reports and their list."""

from uuid import uuid4

import pytest
from django.utils import timezone

from bmat.aggregation import Progress
from bmat.api.models import Report
from bmat.api.services import leases

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(submit):
    return submit()


@pytest.fixture
def url(report):
    return f"/api/reports/{report.pid}"


def asked_again(client, url, known):
    return client.get(url, headers={"If-None-Match": known})


def test_it_answers_in_a_few_bytes_who_has_the_report_already(client, url):
    first = client.get(url)

    again = asked_again(client, url, first["ETag"])

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert again["Cache-Control"] == first["Cache-Control"] == "private, no-store"


def test_it_says_when_to_ask_again_with_304_too(client, url):
    again = asked_again(client, url, client.get(url)["ETag"])

    assert again["Retry-After"] == "1"


def test_it_does_not_say_so_about_a_report_that_has_ended(client, url):
    Report.objects.update(status=Report.Status.CANCELLED)

    again = asked_again(client, url, client.get(url)["ETag"])

    assert again.status_code == 304
    assert "Retry-After" not in again


@pytest.mark.parametrize("known", ['"x", {}', "*", '{}, W/"x"'])
def test_it_looks_at_every_etag_that_the_client_knows(client, url, known):
    etag = client.get(url)["ETag"]

    assert asked_again(client, url, known.format(etag)).status_code == 304


def test_it_compares_weakly(client, url):
    """A proxy that compresses makes a strong ETag a weak one."""
    etag = client.get(url)["ETag"]

    assert asked_again(client, url, f"W/{etag}").status_code == 304


@pytest.mark.parametrize("known", ['"x"', "", "not quoted", 'W/"', "W/*"])
def test_it_sends_the_report_to_who_knows_another_etag(client, url, known):
    assert asked_again(client, url, known).status_code == 200


def test_its_etag_changes_with_every_change_of_the_body(client, report, url):
    token = uuid4()
    changes = [
        lambda: leases.claim(report.pid, token),
        lambda: leases.renew(report.pid, token, Progress("merging", 0.5, 10)),
        lambda: leases.renew(report.pid, token, Progress("merging", 0.6, 10)),
        lambda: leases.hand_back(report.pid, token),
        lambda: leases.cancel(report.pid),
        lambda: leases.retry(report.pid),
        # Even where a clock stands still or goes back.
        lambda: Report.objects.update(rows_read=11),
        lambda: Report.objects.update(updated=timezone.now()),
    ]
    seen = [client.get(url)["ETag"]]
    for change in changes:
        assert change()
        seen.append(client.get(url)["ETag"])

    assert len(set(seen)) == len(seen)


def test_its_etag_is_another_under_another_address(client, url, settings):
    settings.ALLOWED_HOSTS = ["testserver", "bmat.example"]
    Report.objects.update(output_file="x")

    assert client.get(url)["ETag"] != client.get(url, headers={"Host": "bmat.example"})["ETag"]


@pytest.mark.parametrize("known", ["*", ""])
def test_it_costs_one_query(client, url, known, django_assert_num_queries):
    with django_assert_num_queries(1):
        asked_again(client, url, known)


def test_it_knows_no_unknown_report_by_any_etag(client):
    assert asked_again(client, f"/api/reports/{uuid4()}", "*").status_code == 404


def test_the_list_has_an_etag_too(client, submit):
    submit()
    etag = client.get("/api/reports/")["ETag"]
    assert asked_again(client, "/api/reports/", etag).status_code == 304

    submit()

    assert asked_again(client, "/api/reports/", etag).status_code == 200
