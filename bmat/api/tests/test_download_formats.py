"""CSV, Parquet and JSON lines: by `?format=` or `Accept`. The last two are written when wanted."""

import io
import json
import threading
import time
from datetime import date

import pyarrow.parquet
import pytest
from django.db import connection
from rest_framework.request import Request

from bmat.api.downloads.formats import CSV, JSON_LINES, PARQUET, accepted
from bmat.api.services import conversion, files
from bmat.api.services.conversion import convert
from bmat.api.tests.fixtures import TOTALS
from bmat.api.tests.results import beside, body
from bmat.taskapp.celery import app

pytestmark = pytest.mark.django_db(transaction=True)

LINES = (
    b'{"song":"In The End","date":"2020-01-01","plays":500}\n'
    b'{"song":"Umbrella","date":"2020-01-01","plays":100}\n'
    b'{"song":"Umbrella","date":"2020-01-02","plays":200}\n'
)
ROWS = [
    {"Song": "In The End", "Date": date(2020, 1, 1), "Plays": 500},
    {"Song": "Umbrella", "Date": date(2020, 1, 1), "Plays": 100},
    {"Song": "Umbrella", "Date": date(2020, 1, 2), "Plays": 200},
]


@pytest.fixture
def impatient(settings):
    """Requests that wait for no worker."""
    settings.BMAT_FORMAT_WAIT_SECONDS = 0.01


@pytest.fixture
def all_written(done):
    convert(done.pid, files.JSON_LINES)
    convert(done.pid, files.PARQUET)
    return done


@pytest.mark.parametrize(
    "query", ["output?format=csv", "output?format=", "output?format=csv&other=1"]
)
def test_it_sends_csv(download, query):
    assert body(download(query)) == TOTALS


@pytest.mark.parametrize(
    "query, headers",
    [
        ("output?format=jsonl", {}),
        ("output?format=jsonl", {"accept": "text/csv"}),
        ("output", {"accept": "application/x-ndjson"}),
        ("output", {"accept": "text/csv;q=0.5, application/jsonl"}),
    ],
)
def test_it_sends_json_lines(download, all_written, query, headers):
    response = download(query, **headers)

    assert body(response) == LINES
    assert response["Content-Type"] == "application/x-ndjson"
    assert response["Content-Disposition"] == 'attachment; filename="plays-totals.jsonl"'


@pytest.mark.parametrize(
    "query, headers",
    [("output?format=parquet", {}), ("output", {"accept": "application/vnd.apache.parquet"})],
)
def test_it_sends_parquet_as_it_is(download, all_written, query, headers):
    response = download(query, **headers, **{"accept-encoding": "gzip"})

    assert pyarrow.parquet.read_table(io.BytesIO(body(response))).to_pylist() == ROWS
    assert response["Content-Type"] == "application/vnd.apache.parquet"
    assert response["Content-Disposition"] == 'attachment; filename="plays-totals.parquet"'
    assert "Content-Encoding" not in response


def test_it_sends_ranges_of_every_format(download, all_written):
    response = download("output?format=jsonl", range="bytes=3-")

    assert (response.status_code, body(response)) == (206, LINES[3:])


def test_each_format_has_an_etag_of_its_own(download, all_written):
    names = ["csv", "jsonl", "parquet"]

    assert len({download(f"output?format={name}", "head")["ETag"] for name in names}) == 3


@pytest.mark.parametrize("query", ["output?format=xlsx", "rejects?format=jsonl"])
def test_it_refuses_a_format_that_is_unknown(download, query):
    response = download(query)

    assert response.status_code == 400
    assert "is not a valid choice" in response.json()["format"][0]


@pytest.mark.parametrize("tail", ["output", "rejects"])
def test_it_says_what_it_has_where_nothing_of_it_is_accepted(download, tail):
    response = download(tail, accept="image/png, text/csv;q=0")

    assert response.status_code == 406
    assert "text/csv" in response.json()["detail"]
    assert ("parquet" in response.json()["detail"]) == (tail == "output")


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept, expected",
    [
        ("", CSV),
        ("*/*", CSV),
        (BROWSER, CSV),
        ("text/*", CSV),
        ("text/csv; charset=utf-8", CSV),
        ("application/*", PARQUET),
        ("application/jsonl, */*;q=0.1", JSON_LINES),
    ],
)
def test_it_takes_what_the_client_likes_best(rf, accept, expected):
    request = Request(rf.get("/", headers={"accept": accept}))

    assert accepted(request, (CSV, PARQUET, JSON_LINES)) == expected


def test_it_asks_a_worker_and_tells_the_client_to_come_again(download, done, enqueued, impatient):
    enqueued()

    response = download("output?format=jsonl")

    assert (response.status_code, response["Retry-After"]) == (202, "1")
    assert response.json()["code"] == "being_written"
    assert enqueued() == [f"{done.pid}-totals.jsonl"]
    convert(done.pid, files.JSON_LINES)
    assert download("output?format=jsonl", "head").status_code == 200


def test_it_says_so_where_somebody_has_removed_the_file(download, done, enqueued):
    beside(done, files.OUTPUT).unlink()
    enqueued()

    response = download("output?format=parquet")

    assert (response.status_code, response.json()["code"]) == (409, "no_file")
    assert enqueued() == []


def test_it_asks_again_for_what_did_not_come(download, done, enqueued, impatient, settings):
    settings.BMAT_ENQUEUE_AGAIN_SECONDS = 0.001
    enqueued()

    download("output?format=jsonl")
    time.sleep(0.01)
    download("output?format=jsonl")

    assert enqueued() == [f"{done.pid}-totals.jsonl"] * 2


def test_it_does_not_fill_the_broker_for_those_who_ask_every_moment(
    download, done, enqueued, impatient
):
    enqueued()

    for _ in range(3):
        assert download("output?format=jsonl").status_code == 202

    assert enqueued() == [f"{done.pid}-totals.jsonl"]


def test_it_asks_again_at_once_where_the_broker_was_away(
    download, done, enqueued, impatient, monkeypatch
):
    def refuse(*_, **__):
        raise OSError("connection refused")

    enqueued()
    with monkeypatch.context() as patch:
        patch.setattr(app, "send_task", refuse)
        assert download("output?format=jsonl").status_code == 202

    download("output?format=jsonl")

    assert enqueued() == [f"{done.pid}-totals.jsonl"]


def test_it_lets_only_some_requests_wait(download, done):
    taken = [conversion.waiting.acquire(blocking=False) for _ in range(conversion.MOST_WAITING)]
    try:
        started = time.monotonic()
        response = download("output?format=jsonl")
        waited_seconds = time.monotonic() - started
    finally:
        conversion.waiting.release(len(taken))

    assert all(taken)
    assert (response.status_code, waited_seconds < 2) == (202, True)


def test_it_asks_nobody_for_what_is_there_or_being_written(download, done, enqueued, impatient):
    enqueued()
    part = files.part_of(beside(done, files.JSON_LINES))
    part.touch()

    assert download("output?format=jsonl").status_code == 202
    assert enqueued() == []


def test_it_sends_at_once_what_a_worker_writes_within_the_wait(download, done):
    def work():
        time.sleep(0.2)
        convert(done.pid, files.JSON_LINES)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    response = download("output?format=jsonl")
    worker.join()

    assert [json.loads(line)["plays"] for line in body(response).splitlines()] == [500, 100, 200]


def test_it_asks_nobody_where_there_is_no_room(download, done, enqueued, monkeypatch):
    enqueued()
    monkeypatch.setattr("bmat.api.services.disk.has_room_for", lambda size: size < done.groups * 64)

    response = download("output?format=jsonl")

    assert response.status_code == 507
    assert "no room" in response.json()["detail"]
    assert enqueued() == []
