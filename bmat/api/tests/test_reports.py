"""`/api/reports/<pid>`, and the main story: upload, poll, download."""

from uuid import UUID, uuid4

import pytest

from bmat.aggregation.errors import REASON_ADVICE
from bmat.api.errors import told_as
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS, TOTALS

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plays(tmp_path):
    file = tmp_path / "plays.csv"
    file.write_bytes(PLAYS)
    with file.open("rb") as opened:
        yield opened


def test_it_turns_an_upload_into_totals(client, plays):
    posted = client.post("/api/reports/", {"input_file": plays})
    process_report(UUID(posted.json()["pid"]), uuid4())

    report = client.get(posted["Location"]).json()

    assert report["status"] == 1
    assert b"".join(client.get(report["output_file"]).streaming_content) == TOTALS


def test_it_shows_a_finished_report(client, submit):
    report = submit(PLAYS + b"Umbrella,2020-01-32,1\n")
    process_report(report.pid, uuid4())
    report.refresh_from_db()

    response = client.get(f"/api/reports/{report.pid}")

    url = f"http://testserver/api/reports/{report.pid}"
    assert response.json() == {
        "pid": str(report.pid),
        "status": 1,
        "state": "done",
        "stage": None,
        "progress": 1.0,
        "input_name": "plays.csv",
        "input_bytes": report.input_bytes,
        "inputs": [
            {
                "name": "plays.csv",
                "bytes": len(PLAYS) + 22,
                "rows_read": 4,
                "rows_rejected": 1,
                "rows_left_out": 0,
                "preset": "default",
                "encoding": "utf-8",
                "delimiter": ",",
                "header_line": 1,
            }
        ],
        "base": None,
        "output_file": f"{url}/output",
        "rejects_file": f"{url}/rejects",
        "rows_read": 4,
        "rows_rejected": 1,
        "rows_left_out": 0,
        "rejects_sample": {
            "invalid_date": {
                "advice": REASON_ADVICE["invalid_date"],
                "examples": [{"line": 5, "record": "Umbrella,2020-01-32,1"}],
            }
        },
        "warnings": [{"code": "many_rejects", "message": report.warnings[0]["message"]}],
        "options": {},
        "preset": "default",
        "group_by": ["song"],
        "groups": 3,
        "plays_total": 800,
        "error": None,
        "created": report.created.isoformat().replace("+00:00", "Z"),
        "updated": report.updated.isoformat().replace("+00:00", "Z"),
        "duration_seconds": report.duration_seconds,
        "expires": report.expires.isoformat().replace("+00:00", "Z"),
    }
    assert "Retry-After" not in response


def test_it_tells_when_to_ask_again_while_a_report_waits(client, submit):
    response = client.get(f"/api/reports/{submit().pid}")

    assert response["Retry-After"] == "1"
    assert response.json()["state"] == "processing"
    assert response.json()["stage"] == "queued"
    assert response.json()["output_file"] is None
    assert response.json()["duration_seconds"] is None
    assert response.json()["expires"] is None
    assert response.json()["preset"] is None


def test_it_shows_what_the_totals_of_a_report_that_waits_will_be_by(client, submit):
    report = submit(group_by="artist, song")

    assert client.get(f"/api/reports/{report.pid}").json()["group_by"] == ["artist", "song"]


def test_it_shows_why_a_report_failed(client, submit):
    report = submit(b"")
    process_report(report.pid, uuid4())

    shown = client.get(f"/api/reports/{report.pid}").json()

    message = "The file is empty: it needs a header and at least one record."
    assert shown["error"] == {"code": "empty_file", "message": message}
    assert (shown["status"], shown["state"], shown["output_file"]) == (2, "failed", None)


def test_it_shows_totals_past_64_bits_exactly(client, submit):
    report = submit()
    report.plays_total = 2**70 + 1
    report.save(update_fields=["plays_total"])

    assert client.get(f"/api/reports/{report.pid}").json()["plays_total"] == 2**70 + 1


def test_it_answers_with_and_without_the_last_slash(client, submit):
    url = f"/api/reports/{submit().pid}"

    assert client.get(url).json() == client.get(f"{url}/").json()


@pytest.mark.parametrize("pid", [uuid4(), "no-uuid", "1.5", "0", "%00", "a b", "é", "x" * 500])
@pytest.mark.parametrize("tail", ["", "/", "/output", "/rejects/"])
def test_it_does_not_know_a_missing_or_malformed_pid(client, pid, tail):
    response = client.get(f"/api/reports/{pid}{tail}")

    assert response.status_code == 404
    assert response.json() == told_as("not_found", "Not found.")


def test_it_refuses_another_method_in_json(client, submit):
    response = client.put(f"/api/reports/{submit().pid}")

    assert response.status_code == 405
    message = 'Method "PUT" not allowed.'
    assert response.json() == told_as("method_not_allowed", message)


def test_it_answers_another_unknown_path_with_a_page(client):
    response = client.get("/songs/")

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_it_answers_a_browser_in_json(client, submit):
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = client.get(f"/api/reports/{submit().pid}", headers={"accept": accept})

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
