"""`GET /api/reports/`."""

import pytest

from bmat.api.errors import invalid, told_as
from bmat.api.models import Report
from bmat.api.serializers.reports import LONG_COLUMNS

pytestmark = pytest.mark.django_db


def pids(response):
    return [report["pid"] for report in response.json()["results"]]


def test_it_lists_the_newest_first(client, submit):
    older, newer = submit(), submit()

    assert pids(client.get("/api/reports/")) == [str(newer.pid), str(older.pid)]


def test_it_answers_without_the_last_slash(client, submit):
    submit()

    assert client.get("/api/reports").json() == client.get("/api/reports/").json()


def test_it_shows_each_report_as_its_own_page_does_without_what_may_be_long(client, submit):
    own = client.get(f"/api/reports/{submit().pid}").json()

    listed = client.get("/api/reports/").json()["results"]

    assert own.pop("inputs") and own.pop("rejects_sample") == {}
    assert listed == [own]


def test_it_does_not_even_fetch_what_may_be_long(client, submit, django_assert_max_num_queries):
    submit()

    with django_assert_max_num_queries(5) as asked:
        client.get("/api/reports/")

    listed = [each["sql"] for each in asked.captured_queries if "warnings" in each["sql"]]
    assert len(listed) == 1 and not any(name in listed[0] for name in LONG_COLUMNS)


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
    assert response.json() == invalid({"status": [f'"{status}" is not a valid choice.']})


def test_it_can_be_narrowed_to_several_statuses(client, submit):
    for each in range(4):
        Report.objects.filter(pid=submit().pid).update(status=each)

    response = client.get("/api/reports/?status=2&status=3")

    assert {report["status"] for report in response.json()["results"]} == {2, 3}


@pytest.mark.parametrize(
    "parameters, expected",
    [
        ({"created_after": "2020-01-02T00:00:00Z"}, [3, 2]),
        ({"created_before": "2020-01-02T00:00:00Z"}, [1]),
        ({"created_after": "2020-01-02", "created_before": "2020-01-03"}, [2]),
        ({"created_after": "2020-01-02T01:00:00+01:00"}, [3, 2]),
        ({"created_after": "2020-01-04"}, []),
    ],
)
def test_it_can_be_narrowed_to_a_time(client, submit, parameters, expected):
    made = {day: submit().pid for day in (1, 2, 3)}
    for day, pid in made.items():
        Report.objects.filter(pid=pid).update(created=f"2020-01-0{day}T00:00:00Z")

    response = client.get("/api/reports/", parameters)

    assert pids(response) == [str(made[day]) for day in expected]


def test_it_can_be_narrowed_to_a_part_of_the_file_name(client, submit):
    wanted, other, literal = submit(), submit(), submit()
    Report.objects.filter(pid=wanted.pid).update(input_name="Plays of May.csv")
    Report.objects.filter(pid=other.pid).update(input_name="plays of june.csv")
    Report.objects.filter(pid=literal.pid).update(input_name="100%.csv")

    assert pids(client.get("/api/reports/?input_name=OF+may")) == [str(wanted.pid)]
    assert pids(client.get("/api/reports/?input_name=%25")) == [str(literal.pid)]


def test_it_can_be_narrowed_to_an_error(client, submit):
    wanted, _ = submit(), submit()
    Report.objects.filter(pid=wanted.pid).update(status=2, error_code="empty_file")

    assert pids(client.get("/api/reports/?error_code=empty_file")) == [str(wanted.pid)]
    assert pids(client.get("/api/reports/?error_code=empty")) == []


def test_it_counts_blank_parameters_as_not_given(client, submit):
    submit()

    response = client.get("/api/reports/?input_name=&error_code=&status=&created_after=")

    assert len(pids(response)) == 1


def test_it_keeps_the_filters_from_page_to_page(client, submit):
    made = [submit() for _ in range(4)]
    Report.objects.filter(pid__in=[made[0].pid, made[3].pid]).update(status=1)

    first = client.get("/api/reports/?status=1&page_size=1")
    second = client.get(first.json()["next"])

    assert pids(first) + pids(second) == [str(made[3].pid), str(made[0].pid)]
    assert second.json()["next"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"created_after": "yesterday"},
        {"created_after": "0001-01-01T00:00:00+10:00"},
        {"created_before": "9999-12-31T23:59:59-10:00"},
        {"created_before": "2020-02-30"},
        {"input_name": "x" * 256},
        {"input_name": "a\0b"},
        {"error_code": "a\0b"},
    ],
)
def test_it_refuses_a_filter_that_it_cannot_follow(client, db, parameters):
    response = client.get("/api/reports/", parameters)

    assert response.status_code == 400
    assert list(response.json()["fields"]) == list(parameters)


def test_it_comes_in_pages_that_lose_and_double_nothing_while_others_come_in(client, submit):
    made = [str(submit().pid) for _ in range(4)]
    first = client.get("/api/reports/?page_size=2")
    submit()

    second = client.get(first.json()["next"])

    assert pids(first) + pids(second) == made[::-1]


def test_it_needs_one_query(client, submit, django_assert_num_queries):
    submit()
    submit()

    with django_assert_num_queries(1):
        client.get("/api/reports/?status=0&input_name=plays")


def test_it_refuses_another_method(client):
    response = client.delete("/api/reports/")

    assert response.status_code == 405
    message = 'Method "DELETE" not allowed.'
    assert response.json() == told_as("method_not_allowed", message)


@pytest.mark.parametrize("size", ["0", "-1", "501", "null", "1.5", "%00", "9" * 5000])
def test_it_refuses_a_page_size_that_cannot_be_had(client, size):
    response = client.get(f"/api/reports/?page_size={size}")

    assert response.status_code == 400
    assert list(response.json()["fields"]) == ["page_size"]
