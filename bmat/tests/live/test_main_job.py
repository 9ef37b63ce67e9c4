"""Upload, poll, download: on PostgreSQL, Redis, two workers and a web server, over real sockets."""

import subprocess
import uuid

import pytest
import requests

from bmat.tests import samples
from bmat.tests.live.client import Client, within
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.processes import PROJECT_FOLDER, free_port, wait_until
from bmat.tests.live.stack import Stack


def test_it_gives_the_totals_of_the_sample_within_two_seconds(client: Client) -> None:
    with within(2):
        body = client.done(client.upload(samples.PLAYS))
    assert client.download(body) == samples.PLAYS_TOTALS
    assert (body["rows_read"], body["rows_rejected"], body["groups"]) == (7, 0, 4)
    assert body["plays_total"] == 2400


def test_it_lists_every_row_that_it_could_not_count(client: Client) -> None:
    body = client.done(client.upload(samples.BAD_ROWS))
    assert client.download(body) == samples.BAD_ROWS_TOTALS
    assert client.download(body, "rejects_file") == samples.BAD_ROWS_REJECTS
    assert (body["rows_read"], body["rows_rejected"]) == (12, 7)


def test_it_answers_the_upload_with_the_place_to_poll(client: Client) -> None:
    answer = client.post(samples.PLAYS)
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"].rstrip("/") == f"{client.reports_url}{body['pid']}"
    assert (body["status"], body["output_file"]) == (0, None)
    client.done(body["pid"])


def test_it_counts_two_million_records_like_a_plain_dictionary(client: Client) -> None:
    content, expected = as_csv(plays(2_000_000))
    body = client.done(client.upload(content), seconds=100)
    assert body["rows_read"] == 2_000_000
    assert client.download(body) == expected


def test_it_shows_the_report_in_flower_under_its_pid(stack: Stack, client: Client) -> None:
    pid = client.upload(samples.PLAYS)
    client.done(pid)
    wait_until(lambda: stack.flower_get(f"/api/task/info/{pid}").ok, 10, "Flower to list the task")
    task = stack.flower_get(f"/api/task/info/{pid}").json()
    assert (task["uuid"], task["name"]) == (pid, "bmat.taskapp.tasks.process_report")


def test_flower_shows_a_failed_report_as_a_failure_with_its_code(
    stack: Stack, client: Client
) -> None:
    pid = client.upload(b"no,header\n")
    client.finished(pid)
    path = f"/api/task/info/{pid}"
    wait_until(lambda: state_of(stack.flower_get(path)) == "FAILURE", 10, "Flower to show it")
    assert stack.flower_get(path).json()["exception"] == "ReportFailed('missing_column')"
    assert stack.times_in_worker_logs(f"process_report[{pid}]") == 0


def state_of(answer: requests.Response) -> str:
    return str(answer.json()["state"]) if answer.ok else ""


def test_it_does_not_open_flower_without_a_password(stack: Stack) -> None:
    answer = requests.get(f"http://127.0.0.1:{stack.flower_port}/tasks", timeout=10)
    assert answer.status_code == 401


def test_it_lists_the_newest_report_first(client: Client) -> None:
    older, newer = client.upload(samples.PLAYS), client.upload(samples.BAD_ROWS)
    listed = requests.get(client.reports_url, timeout=10).json()["results"]
    assert [report["pid"] for report in listed[:2]] == [newer, older]
    client.done(older)
    client.done(newer)


def test_it_removes_a_deleted_report_and_its_files(stack: Stack, client: Client) -> None:
    pid = client.upload(samples.PLAYS)
    client.done(pid)
    assert stack.files_of(pid)
    assert client.delete(pid).status_code == 204
    assert client.get(pid).status_code == 404
    assert stack.files_of(pid) == []


def test_it_takes_a_delete_while_the_report_runs(stack: Stack, client: Client) -> None:
    pid = client.upload(as_csv(plays(300_000))[0])
    wait_until(lambda: client.body(pid)["stage"] == "reading", 20, "a worker to read it")
    assert client.delete(pid).status_code == 204
    wait_until(lambda: stack.files_of(pid) == [], 20, "its files to be gone")
    assert client.totals(samples.PLAYS) == samples.PLAYS_TOTALS


@pytest.mark.parametrize(
    "pid", [str(uuid.UUID(int=7)), "not-a-pid", "%00", "..%2f..%2fetc%2fpasswd"]
)
def test_it_knows_no_report_under_another_pid(client: Client, pid: str) -> None:
    assert client.get(pid).status_code == 404


def test_it_tells_the_container_engine_that_the_web_server_is_well(stack: Stack) -> None:
    script = str(PROJECT_FOLDER / "compose" / "production" / "django" / "healthcheck")
    assert subprocess.run([script], env=stack.environment, check=False).returncode == 0
    elsewhere = {**stack.environment, "PORT": str(free_port())}
    unwell = subprocess.run([script], env=elsewhere, check=False, stderr=subprocess.DEVNULL)
    assert unwell.returncode == 1
