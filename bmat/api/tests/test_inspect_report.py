"""`GET /api/reports/<pid>/inspect`."""

from threading import BoundedSemaphore
from uuid import uuid4

import pytest

from bmat.api.models import Report
from bmat.api.services import files, results
from bmat.api.services.process import process_report

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = b"Track;Date;Number of Plays\nUmbrella;2020-01-01;5\n"


@pytest.fixture
def inspect(client, submit):
    """How the file of a new report would be read, with options in the address."""

    def asked(content=OTHER, of_report=None, **options):
        report = submit(content, **(of_report or {}))
        return client.get(f"/api/reports/{report.pid}/inspect", options)

    return asked


def test_it_reads_the_file_with_the_options_of_the_report(inspect):
    shown = inspect(of_report={"song_column": "Track"}).json()

    assert (shown["error"], shown["delimiter"]) == (None, ";")
    assert shown["records"][0]["key"] == {"song": "Umbrella"}


def test_options_of_the_address_replace_all_of_the_report(inspect):
    shown = inspect(of_report={"song_column": "Track"}, delimiter=";").json()

    assert shown["error"]["code"] == "missing_column"
    assert inspect(song_column="Track").json()["records"][0]["plays"] == 5


def test_a_blank_option_stands_for_none_at_all(inspect):
    assert inspect(of_report={"song_column": "Track"}, delimiter="").json()["error"]


@pytest.mark.parametrize("name, value", [("header_line", "0"), ("preset", "x"), ("colour", "red")])
def test_it_names_an_option_that_cannot_be_followed(inspect, name, value):
    response = inspect(**{name: value})

    assert (response.status_code, list(response.json()["fields"])) == (400, [name])


def test_it_can_be_asked_of_a_report_that_has_failed(client, submit):
    report = submit(OTHER)
    process_report(report.pid, uuid4())

    response = client.get(f"/api/reports/{report.pid}/inspect/", {"song_column": "Track"})

    assert Report.objects.get().status == Report.Status.FAILED
    assert response.json()["records"][0]["date"] == "2020-01-01"


def test_it_says_that_the_file_is_gone(client, submit):
    report = submit(OTHER)
    files.path(report.input_file.name).unlink()

    response = client.get(f"/api/reports/{report.pid}/inspect")

    assert (response.status_code, response.json()["code"]) == (409, "no_file")


def test_it_ends_when_it_has_had_its_time(inspect, monkeypatch):
    monkeypatch.setattr(results, "ANSWER_SECONDS", 0)

    response = inspect()

    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert response.json()["code"] == "question_too_slow"
    assert response.json()["message"].startswith("It takes too long to see how this file")


def test_it_is_one_of_a_few_questions_at_a_time(inspect, monkeypatch):
    monkeypatch.setattr(results, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(results, "questions", BoundedSemaphore(1))

    with results.a_turn():
        assert inspect().json()["code"] == "too_many_questions"


def test_it_refuses_another_method(client, submit):
    assert client.post(f"/api/reports/{submit().pid}/inspect").status_code == 405
