"""Requests: what is tried again, for how long, and what is not."""

import subprocess
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from errno import ECONNREFUSED
from pathlib import Path

import httpx
import pytest

from bmat.client import ApiError, Client, ClientError, NoService, RetryPolicy, Unreachable, Wait
from bmat.client.connection import Connection, retry_after
from bmat.client.errors import Temporary
from bmat.client.retries import Retries
from bmat.client.settings import Settings
from bmat.client.tests.conftest import FAST
from bmat.client.tests.service import TOKEN, Service, running

HASTY = RetryPolicy(0.05, 0.01, 0.01)


def test_it_waits_for_a_service_that_is_not_there_yet() -> None:
    with Service() as service:
        port = service.server_port
    waits: list[Wait] = []
    with ExitStack() as end:

        def start(wait: Wait) -> None:
            waits.append(wait)
            if len(waits) == 3:
                end.enter_context(running(port))

        with Client(f"http://127.0.0.1:{port}", policy=FAST, on_wait=start) as client:
            assert list(client.reports()) == []
    expected = f"127.0.0.1:{port} cannot be reached: [Errno {ECONNREFUSED}] Connection refused"
    assert [wait.reason for wait in waits] == [expected] * 3


def test_it_gives_up_where_no_name_is_known() -> None:
    with (
        Client("http://service.invalid", policy=HASTY) as client,
        pytest.raises(Unreachable, match="service.invalid cannot be reached"),
    ):
        client.report("any")


def test_it_tells_why_it_waits_and_how_long(service: Service) -> None:
    waits: list[Wait] = []
    service.fail("GET", status=503, body={"code": "unavailable", "message": "Soon."}, times=3)
    with Client(service.url, policy=FAST, on_wait=waits.append) as client:
        list(client.reports())
    assert [wait.reason for wait in waits] == ["unavailable: Soon."] * 3
    assert all(0 < wait.seconds <= 0.01 for wait in waits)
    assert waits[0].gives_up_in_seconds <= 20


def test_it_waits_as_long_as_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    retries = Retries(RetryPolicy(100.0, 1.0, 4.0))
    for _ in range(4):
        retries.wait(Temporary("away"))
    retries.wait(Temporary("away", 30.0))
    retries.wait(Temporary("away", 3000.0))
    assert all(least / 2 <= pause <= least for least, pause in zip([1, 2, 4, 4], slept))
    assert slept[4] == 30.0
    assert 0 < slept[5] <= 100.0


def test_time_begins_anew_with_each_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    retries = Retries(RetryPolicy(0.05))
    for _ in range(3):
        retries.wait(Temporary("away"))
        monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic() + 0.04: now)
        retries.progressed()
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic() + 1: now)
    with pytest.raises(Unreachable, match="away"):
        retries.wait(Temporary("away"))


def test_it_knows_both_ways_to_ask_for_a_pause() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    seconds = {
        text: retry_after(httpx.Response(503, headers={"Retry-After": text}))
        for text in ("7", soon, "Sun, 01 Nov 2026 10:00:00 -0000", "later", "")
    }
    assert seconds["7"] == 7
    assert 50 < seconds[soon] <= 60
    assert list(seconds.values())[2:] == [0, 0, 0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 500])
def test_it_does_not_repeat_what_would_be_the_same_again(
    service: Service, client: Client, status: int
) -> None:
    service.fail("GET", status=status, body=b"<html>No.</html>")
    with pytest.raises(ApiError, match=f"http_{status}: <html>No.</html>") as refused:
        client.report("any")
    assert refused.value.status == status
    assert len(service.requests) == 1


def test_an_error_without_a_text_has_that_of_its_status(service: Service, client: Client) -> None:
    service.fail("GET", status=400)
    with pytest.raises(ApiError, match="http_400: Bad Request"):
        client.report("any")


def test_it_goes_where_it_was_told_to_and_nowhere_else(service: Service, client: Client) -> None:
    headers = {"Location": "https://elsewhere.example/api/reports/any"}
    service.fail("GET", status=301, headers=headers)
    with pytest.raises(NoService, match="elsewhere.example.*set BMAT_URL"):
        client.report("any")


def test_it_tells_apart_what_is_no_service(service: Service, client: Client) -> None:
    service.fail("GET", status=200, body=b"<html>Welcome to the hotel</html>")
    with pytest.raises(NoService, match="answers, but not as bmat does"):
        client.report("any")


def test_it_sends_the_token_with_each_request(service: Service) -> None:
    service.asks_for_token = True
    with Client(service.url, TOKEN, policy=FAST) as client:
        list(client.reports())
    assert [asked["Authorization"] for asked in service.asked("GET")] == [f"Token {TOKEN}"]


def test_a_pid_leads_to_no_other_path(service: Service, client: Client) -> None:
    with pytest.raises(ApiError, match="not_found"):
        client.report("../auth/logout?x=#")
    assert service.requests[0][1] == "/api/reports/..%2Fauth%2Flogout%3Fx%3D%23"


def test_a_service_may_lie_behind_a_path() -> None:
    connection = Connection(Settings("https://bmat.example/plays/"))
    assert connection.url("reports/") == "https://bmat.example/plays/api/reports/"
    assert connection.url("/plays/api/uploads/1") == "https://bmat.example/plays/api/uploads/1"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody trusts, with its key."""
    path = tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=bmat", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(path), "-out", str(tmp_path / "only.pem")]
    subprocess.run(command, check=True, capture_output=True)
    with path.open("ab") as file:
        file.write((tmp_path / "only.pem").read_bytes())
    return path


def test_it_talks_to_nobody_whose_certificate_is_not_trusted(certificate: Path) -> None:
    with running(certificate=certificate) as service, Client(service.url) as client:
        with pytest.raises(NoService, match="not trusted .self-signed certificate.*SSL_CERT_FILE"):
            list(client.reports())
    assert service.requests == []


def test_it_trusts_the_authorities_that_it_is_told(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with running(certificate=certificate) as service, Client(service.url) as client:
        assert list(client.reports()) == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ReadTimeout(""), "the connection to 127.0.0.1:8000 broke: ReadTimeout"),
        (httpx.ConnectTimeout("too late"), "127.0.0.1:8000 cannot be reached: too late"),
        (httpx.RemoteProtocolError("gone"), "the connection to 127.0.0.1:8000 broke: gone"),
    ],
)
def test_it_tries_again_after_what_the_network_does(
    error: httpx.TransportError, expected: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    waits: list[Wait] = []
    transport = httpx.MockTransport(answer)
    with (
        Client(policy=HASTY, on_wait=waits.append, transport=transport) as client,
        pytest.raises(Unreachable),
    ):
        client.report("any")
    assert {wait.reason for wait in waits} == {expected}


def test_it_does_not_try_again_what_it_cannot_send() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.LocalProtocolError("Illegal header value")

    with (
        Client(transport=httpx.MockTransport(answer)) as client,
        pytest.raises(ClientError, match="Illegal header value"),
    ):
        client.report("any")
