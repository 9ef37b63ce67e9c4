"""From files to one report, whatever breaks on the way."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bmat.client import ApiError, FileBusy, FileChanged, Unreachable, UsageError
from bmat.client.client import Client
from bmat.client.files import only_here
from bmat.client.retries import RetryPolicy
from bmat.client.submissions import FORGOTTEN_AFTER_SECONDS
from bmat.client.tests.service import Service


def contents(service: Service) -> list[list[bytes]]:
    return list(service.contents.values())


def kept_files(home: Path) -> list[Path]:
    return list((home / "state" / "bmat" / "submissions").iterdir())


def test_a_small_file_is_one_request(service: Service, client: Client, small: Path) -> None:
    report = client.submit(small, options={"group_by": ["artist", "song"], "strict": True})
    assert report["input_name"] == "plays.csv"
    assert contents(service) == [[small.read_bytes()]]
    assert service.forms == [{"group_by": ["artist,song"], "strict": ["true"]}]
    assert [path for _, path, _ in service.requests] == ["/api/reports/"]


def test_a_small_file_whose_answer_is_lost_becomes_one_report(
    service: Service, client: Client, small: Path
) -> None:
    service.fail("POST", loses_answer=True, times=3)
    client.submit(small)
    assert len(service.asked("POST")) == 4
    assert contents(service) == [[small.read_bytes()]]


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504, 507])
def test_it_tries_again_what_may_succeed_later(
    service: Service, client: Client, small: Path, status: int
) -> None:
    service.fail("POST", status=status, times=2)
    client.submit(small)
    assert len(contents(service)) == 1


def test_it_does_not_try_again_what_the_service_refuses(
    service: Service, client: Client, small: Path
) -> None:
    with pytest.raises(ApiError) as refused:
        client.submit(small, options={"delimiter": "no"})
    assert refused.value.fields == {"delimiter": ["It is no delimiter."]}
    assert len(service.requests) == 1


def test_the_second_submission_of_a_file_is_a_second_report(
    service: Service, client: Client, small: Path, home: Path
) -> None:
    client.submit(small)
    client.submit(small)
    assert len(contents(service)) == 2
    assert kept_files(home) == []


def test_the_same_key_is_the_same_report(service: Service, client: Client, small: Path) -> None:
    pids = {client.submit(small, key="mine")["pid"] for _ in range(2)}
    assert pids == set(service.reports)


def test_what_an_earlier_run_has_sent_is_not_sent_again(
    service: Service, client: Client, small: Path
) -> None:
    service.fail("POST", loses_answer=True, times=1000)
    with Client(service.url, policy=RetryPolicy(0.0)) as hasty, pytest.raises(Unreachable):
        hasty.submit(small)
    service.faults.clear()
    client.submit(small)
    assert contents(service) == [[small.read_bytes()]]


@pytest.mark.parametrize("code", ["idempotency_key_reused", "idempotency_key_outlived"])
def test_a_key_that_is_spent_is_not_used_again(
    service: Service, client: Client, small: Path, code: str
) -> None:
    service.fail("POST", loses_answer=True)
    with Client(service.url, policy=RetryPolicy(0.0)) as hasty, pytest.raises(Unreachable):
        hasty.submit(small)
    service.fail("POST", status=409, body={"code": code, "message": "It is spent."})
    client.submit(small)
    keys = [headers["Idempotency-Key"] for headers in service.asked("POST")]
    assert keys[0] == keys[1] != keys[2]


def test_a_new_key_that_is_spent_is_an_error(service: Service, client: Client, small: Path) -> None:
    body = {"code": "idempotency_key_reused", "message": "It is spent."}
    service.fail("POST", status=409, body=body)
    with pytest.raises(ApiError, match="It is spent"):
        client.submit(small)


def test_several_files_are_one_report_in_their_order(
    service: Service, client: Client, small: Path, large: Path
) -> None:
    arrived = []
    client.submit(small, large, on_sent=lambda path, count: arrived.append((path, count)))
    assert contents(service) == [[small.read_bytes(), large.read_bytes()]]
    assert arrived[-1] == (large, large.stat().st_size)
    assert (small, small.stat().st_size) in arrived


def test_several_small_files_are_one_request(
    service: Service, client: Client, small: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(b"other")
    client.submit(small, other)
    assert contents(service) == [[small.read_bytes(), b"other"]]
    assert service.uploads == {}


def break_off_after_the_report(service: Service, large: Path) -> None:
    """A run that makes the report, and ends before it learns of it."""
    service.fail("POST", "reports", loses_answer=True)
    with Client(service.url, policy=RetryPolicy(0.0)) as hasty, pytest.raises(Unreachable):
        hasty.submit(large)


def test_it_finds_the_report_that_an_earlier_run_has_made(
    service: Service, client: Client, large: Path
) -> None:
    break_off_after_the_report(service, large)
    # As after a day.
    service.pids_by_key.clear()
    assert client.submit(large)["pid"] in service.reports
    assert contents(service) == [[large.read_bytes()]]


def test_a_report_that_was_deleted_is_made_anew(
    service: Service, client: Client, large: Path
) -> None:
    break_off_after_the_report(service, large)
    service.reports.clear()
    service.fail("GET", status=401)
    with pytest.raises(ApiError, match="http_401"):
        client.submit(large)
    assert client.submit(large)["pid"] in service.reports
    assert len(service.uploads) == 2


def test_several_files_are_refused_where_the_service_takes_one(
    service: Service, client: Client, small: Path, large: Path
) -> None:
    service.offers_tus = False
    with pytest.raises(UsageError, match="--separately"):
        client.submit(small, large)


def test_a_large_file_goes_in_one_request_where_there_is_no_other_way(
    service: Service, client: Client, large: Path
) -> None:
    service.offers_tus = False
    service.fail("POST", "reports", cut_after_bytes=500_000)
    client.submit(large)
    client.submit(large)
    assert contents(service) == [[large.read_bytes()]] * 2
    assert len(service.asked("OPTIONS")) == 1


def test_it_goes_on_where_an_earlier_run_was(
    service: Service, client: Client, large: Path, home: Path
) -> None:
    service.fail("PATCH", times=0)
    with Client(service.url, policy=RetryPolicy(0.0)) as killed, pytest.raises(Unreachable):
        killed.submit(large, on_sent=lambda path, count: stop_after(service, count))
    service.faults.clear()
    assert len(kept_files(home)) == 1
    before = service.patched_bytes
    assert before >= 1_000_000
    client.submit(large)
    assert service.patched_bytes == large.stat().st_size
    assert contents(service) == [[large.read_bytes()]]


def stop_after(service: Service, count: int) -> None:
    if count >= 1_000_000:
        service.faults[0].times = 1000


def test_other_options_are_another_submission(
    service: Service, client: Client, large: Path
) -> None:
    service.fail("PATCH", status=500)
    with pytest.raises(ApiError):
        client.submit(large)
    client.submit(large, options={"plays": "one"})
    assert len(service.uploads) == 2


def test_it_makes_the_report_once_where_the_answer_to_the_upload_is_lost(
    service: Service, client: Client, large: Path
) -> None:
    service.fail("POST", "uploads", loses_answer=True)
    service.fail("POST", "reports", loses_answer=True)
    client.submit(large)
    assert len(service.uploads) == 1
    assert contents(service) == [[large.read_bytes()]]


def test_it_sends_anew_what_the_service_has_lost(
    service: Service, client: Client, large: Path
) -> None:
    service.fail("PATCH", status=404)
    service.fail("HEAD", status=410)
    client.submit(large)
    assert contents(service) == [[large.read_bytes()]]
    assert len(service.asked("POST", "uploads")) == 3


def test_a_file_that_changes_while_it_is_sent_is_no_report(
    service: Service, client: Client, large: Path, home: Path
) -> None:
    with pytest.raises(FileChanged, match="large.csv has changed while it was sent"):
        client.submit(large, on_sent=lambda path, count: os.utime(path, ns=(1, count)))
    assert (service.reports, service.uploads) == ({}, {})
    assert kept_files(home) == []


def test_nothing_is_left_of_the_files_beside_it(
    service: Service, client: Client, small: Path, large: Path
) -> None:
    def touch(path: Path, count: int) -> None:
        if path == large:
            os.utime(path, ns=(1, 1))

    with pytest.raises(FileChanged):
        client.submit(small, large, on_sent=touch)
    assert service.uploads == {}


def test_a_small_file_that_changes_while_it_is_sent_is_no_report(
    service: Service, client: Client, small: Path
) -> None:
    with pytest.raises(FileChanged):
        client.submit(small, on_sent=lambda path, count: os.utime(path, ns=(1, 1)))
    assert service.reports == {}


def test_a_file_is_submitted_by_one_process_at_a_time(
    service: Service, client: Client, large: Path
) -> None:
    def submit_again(path: Path, count: int) -> None:
        with pytest.raises(FileBusy, match="large.csv: another process is at it"):
            client.submit(large)

    client.submit(large, on_sent=submit_again)
    assert len(service.reports) == 1


def test_it_forgets_what_nobody_goes_on_with(client: Client, small: Path, home: Path) -> None:
    folder = home / "state" / "bmat" / "submissions"
    folder.mkdir(parents=True)
    for name, age in {"old": FORGOTTEN_AFTER_SECONDS + 60, "new": 60.0}.items():
        path = folder / f"{name}.json"
        path.write_text("{}")
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    client.submit(small)
    assert [path.name for path in kept_files(home)] == ["new.json"]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda path: path.mkdir(), UsageError),
        (lambda path: os.mkfifo(path), UsageError),
        (lambda path: None, FileNotFoundError),
    ],
    ids=["a folder", "a pipe", "nothing"],
)
def test_it_submits_files_only(
    client: Client, tmp_path: Path, make: Callable[[Path], None], error: type[Exception]
) -> None:
    path = tmp_path / "something"
    make(path)
    with pytest.raises(error):
        client.submit(path)


def test_it_refuses_options_that_there_are_not(client: Client, small: Path) -> None:
    with pytest.raises(UsageError, match="There is no option 'colour'"):
        client.submit(small, options={"colour": "red"})
    with pytest.raises(UsageError, match="Name a file"):
        client.submit()


def test_a_lock_that_goes_away_while_it_is_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.lock"
    flock = fcntl.flock

    def take_what_is_gone(descriptor: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", take_what_is_gone)
    with only_here(path, "a"):
        assert path.exists()
    assert not path.exists()
