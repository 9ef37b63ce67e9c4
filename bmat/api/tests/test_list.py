"""`GET /api/reports/`."""

import pytest

from bmat.api.models import Report

pytestmark = pytest.mark.django_db


def pids(response):
    return [report["pid"] for report in response.json()["results"]]


def test_it_lists_the_newest_first(client, submit):
    older, newer = submit(), submit()

    assert pids(client.get("/api/reports/")) == [str(newer.pid), str(older.pid)]


def test_it_answers_without_the_last_slash(client, submit):
    submit()

    assert client.get("/api/reports").json() == client.get("/api/reports/").json()


def test_it_shows_each_report_as_its_own_page_does(client, submit):
    report = submit()

    listed = client.get("/api/reports/").json()["results"]

    assert listed == [client.get(f"/api/reports/{report.pid}").json()]


def test_it_comes_in_pages_that_lose_nothing(client, submit):
    made = {str(submit().pid) for _ in range(5)}
    url, seen = "/api/reports/?page_size=2", []

    while url:
        response = client.get(url)
        seen += pids(response)
        url = response.json()["next"]

    assert set(seen) == made
    assert len(seen) == 5


def test_it_comes_in_pages_though_all_are_of_the_same_instant(client, submit):
    made = {str(submit().pid) for _ in range(5)}
    Report.objects.update(created="2020-01-01T00:00:00Z")

    first = client.get("/api/reports/?page_size=3")
    second = client.get(first.json()["next"])

    assert set(pids(first) + pids(second)) == made


@pytest.mark.parametrize("status", [0, 1, 2, 3])
def test_it_can_be_narrowed_to_a_status(client, submit, status):
    for each in range(4):
        Report.objects.filter(pid=submit().pid).update(status=each)

    response = client.get(f"/api/reports/?status={status}")

    assert [report["status"] for report in response.json()["results"]] == [status]


@pytest.mark.parametrize("status", ["4", "-1", "done", " "])
def test_it_refuses_a_status_that_there_is_not(client, status):
    response = client.get(f"/api/reports/?status={status}")

    assert response.status_code == 400
    assert response.json() == {"status": [f'"{status}" is not a valid choice.']}


def test_it_refuses_another_method(client):
    response = client.delete("/api/reports/")

    assert response.status_code == 405
    message = 'Method "DELETE" not allowed.'
    assert response.json() == {"detail": message, "code": "method_not_allowed"}
