"""The service, as a Python program uses it."""

from pathlib import Path

import pytest

import bmat.client
from bmat.client import ApiError, Client, ReportCancelled, ReportFailed
from bmat.client.tests.service import SUMMARY, Service


@pytest.fixture
def pid(service: Service) -> str:
    return str(service.add_report("plays.csv", [])["pid"])


def test_it_offers_what_it_names_and_nothing_else() -> None:
    assert all(hasattr(bmat.client, name) for name in bmat.client.__all__)
    assert not hasattr(bmat.client, "nonsense")


def test_it_waits_until_the_report_is_done(service: Service, client: Client, pid: str) -> None:
    service.looks_until_done = 4
    seen = []
    report = client.wait(pid, lambda report: seen.append(report["state"]))
    assert report["rows_read"] == 8
    # What has not changed is not told again.
    assert seen == ["processing", "done"]
    tags = [asked.get("If-None-Match") for asked in service.asked("GET")]
    assert tags == [None, '"processing"', '"processing"', '"processing"']


def test_it_waits_over_a_service_that_is_away(service: Service, client: Client, pid: str) -> None:
    service.fail("GET", times=2)
    service.fail("GET", status=502, times=2)
    assert client.wait(pid)["state"] == "done"


def test_it_waits_as_long_as_it_is_asked_to_between_two_looks(
    service: Service, client: Client, pid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    body = service.reports[pid]
    service.fail("GET", status=200, body=dict(body), headers={"Retry-After": "7"})
    service.fail("GET", status=200, body=dict(body), headers={"Retry-After": "7000"})
    client.wait(pid)
    assert slept == [7.0, 60.0, 0.001]


def test_a_report_that_fails_says_why(service: Service, client: Client, pid: str) -> None:
    error = {"code": "missing_column", "message": "There is no column Song."}
    service.outcome = {"state": "failed", "status": 2, "error": error}
    with pytest.raises(ReportFailed, match="plays.csv: missing_column: There is no") as failed:
        client.wait(pid)
    assert failed.value.report["pid"] == pid


def test_a_report_that_fails_without_a_reason_has_none(
    service: Service, client: Client, pid: str
) -> None:
    service.outcome = {"state": "failed", "status": 2}
    with pytest.raises(ReportFailed, match="It does not say why"):
        client.wait(pid)


def test_a_report_that_is_cancelled_can_be_started_again(client: Client, pid: str) -> None:
    assert client.cancel(pid)["state"] == "cancelled"
    with pytest.raises(ReportCancelled, match=f"bmat retry {pid}"):
        client.wait(pid)
    assert client.retry(pid)["state"] == "processing"
    assert client.wait(pid)["state"] == "done"


def test_a_retry_whose_answer_is_lost_is_none_too_many(
    service: Service, client: Client, pid: str
) -> None:
    client.cancel(pid)
    service.fail("POST", "retry", loses_answer=True)
    assert client.retry(pid)["state"] == "processing"
    with pytest.raises(ApiError, match="not_retryable"):
        service.looks_until_done = 100
        client.retry(pid)


def test_a_delete_whose_answer_is_lost_is_one(service: Service, client: Client, pid: str) -> None:
    service.fail("DELETE", loses_answer=True)
    client.delete(pid)
    assert service.reports == {}
    with pytest.raises(ApiError, match="not_found"):
        client.delete(pid)


def test_it_follows_the_pages_of_reports(service: Service, client: Client) -> None:
    pids = [service.add_report(f"{number}.csv", [])["pid"] for number in range(5)]
    assert [report["pid"] for report in client.reports(page_size=2)] == pids[::-1]
    assert len(service.requests) == 3
    # Never where the service says that it is.
    assert {path.partition("?")[0] for _, path, _ in service.requests} == {"/api/reports/"}


def test_it_narrows_the_list(service: Service, client: Client, pid: str) -> None:
    client.cancel(pid)
    list(client.reports(states=["done", "cancelled"], input_name="ä b"))
    assert "input_name=%C3%A4+b&page_size=500&status=1&status=3" in service.requests[-1][1]


def test_it_follows_the_pages_of_rows(service: Service, client: Client, pid: str) -> None:
    rows = list(client.rows(pid, limit=2, song_prefix="So", from_="2020-01-01"))
    assert [row["plays"] for row in rows] == [0, 1, 2, 3, 4]
    assert "limit=2&song_prefix=So&from=2020-01-01" in service.requests[0][1]


def test_it_waits_for_a_result_that_is_prepared(service: Service, client: Client, pid: str) -> None:
    body = {"code": "being_written", "message": "Ask again."}
    service.fail("GET", "rows", status=202, body=body, times=2)
    assert len(list(client.rows(pid))) == 5


def test_it_sums_up_and_compares(service: Service, client: Client, pid: str) -> None:
    assert client.summary(pid) == SUMMARY
    assert client.compare(pid, "other", grain="day")["new"]["count"] == 1
    assert "with=other&grain=day" in service.requests[-1][1]


def test_it_previews_the_beginning_of_a_file(service: Service, client: Client, large: Path) -> None:
    assert client.inspect(str(large), {"delimiter": ","})["preset"] == "Song"
    assert int(service.requests[-1][2]["Content-Length"]) < 2**16 + 2**10


def test_it_logs_in_and_out(service: Service, client: Client) -> None:
    assert client.login("alice", "right")["expiry"] == "2027-01-01T00:00:00Z"
    client.logout()
    with pytest.raises(ApiError, match="wrong_login"):
        client.login("alice", "wrong")
