"""One POST to a receiver: real receivers on the loopback, good, slow, hostile and gone."""

import socket
import ssl
import subprocess
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from bmat.api.outgoing.post import Answer, post, tls_context
from bmat.tests.live.processes import free_port
from bmat.tests.live.receiver import Receiver, receiving, status

BODY = b'{"type":"report.done"}'
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
# What is sent before a client that has stopped reading can make itself felt.
IN_BUFFERS_BYTES = 64 * 2**20


@pytest.fixture(autouse=True)
def loopback(settings: Settings) -> None:
    """Receivers on this machine may be reached."""
    settings.BMAT_WEBHOOK_NETWORKS = LOOPBACK
    settings.BMAT_WEBHOOK_SECONDS = 5


def answer_of(receiver: Receiver) -> Answer:
    return post(receiver.url, BODY, {})


def test_it_sends_the_body_and_the_headers_and_takes_the_status() -> None:
    with receiving(status(204)) as receiver:
        answer = post(receiver.url + "?of=bmat", BODY, {"webhook-id": "1"})

    assert (answer.status, answer.error, answer.is_success) == (204, "", True)
    [request] = receiver.requests
    assert (request.path, request.body) == ("/events?of=bmat", BODY)
    assert request.headers["webhook-id"] == "1"
    assert request.headers["host"] == receiver.url.split("/")[2]
    assert request.headers["user-agent"].startswith("bmat/")


def test_it_sends_the_login_of_the_url_and_logs_it_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    with receiving(status(200)) as receiver:
        post(receiver.url.replace("://", "://name:word@"), BODY, {})

    assert caplog.text == ""
    assert receiver.requests[0].headers["authorization"] == "Basic bmFtZTp3b3Jk"


def test_it_follows_no_redirect() -> None:
    with receiving(status(200)) as other, receiving(status(307, Location=other.url)) as receiver:
        answer = answer_of(receiver)

    assert (answer.status, answer.is_success) == (307, False)
    assert other.requests == []


def test_it_says_when_the_receiver_wants_to_be_asked_again() -> None:
    with receiving(status(503, Retry_After="120")) as receiver:
        assert answer_of(receiver).retry_after == "120"


def test_it_cuts_off_a_receiver_that_drips(settings: Settings) -> None:
    settings.BMAT_WEBHOOK_SECONDS = 0.5
    cut_off: list[bool] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        try:
            while not receiver.ends.wait(0.05):
                handler.wfile.write(b"x")
        except OSError:
            cut_off.append(True)

    with receiving(drip) as receiver:
        answer = answer_of(receiver)
        # The receiver notices while it still drips.
        while not cut_off:
            assert not receiver.ends.wait(0.01)

    assert (answer.status, answer.error) == (None, "timeout")
    assert 0.5 <= answer.seconds < 1.5


def test_a_status_counts_however_slowly_the_answer_goes_on(settings: Settings) -> None:
    settings.BMAT_WEBHOOK_SECONDS = 0.5

    def drip_body(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not receiver.ends.wait(0.05):
            handler.wfile.write(b"x")

    with receiving(drip_body) as receiver:
        answer = answer_of(receiver)

    assert (answer.status, answer.error) == (200, "")
    assert answer.seconds < 1.5


def test_it_reads_64_kib_of_an_answer_of_a_gigabyte() -> None:
    sent = []

    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2**30))
        handler.end_headers()
        for _ in range(2**10):
            handler.wfile.write(bytes(2**20))
            sent.append(2**20)

    with receiving(pour) as receiver:
        answer = answer_of(receiver)

    assert (answer.status, answer.error) == (200, "")
    assert sum(sent) < IN_BUFFERS_BYTES


def test_it_refuses_headers_without_end() -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not receiver.ends.is_set():
            handler.wfile.write(b"X: " + b"x" * 1000 + b"\r\n")

    with receiving(pour) as receiver:
        assert answer_of(receiver).error == "connection_lost"


def test_it_says_that_nobody_answers() -> None:
    answer = post(f"http://127.0.0.1:{free_port()}/", BODY, {})

    assert (answer.status, answer.error) == (None, "connect_failed")


def test_it_says_that_a_receiver_has_hung_up() -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)

    with receiving(hang_up) as receiver:
        assert answer_of(receiver).error == "connection_lost"


def test_it_goes_through_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(status(200)) as proxy, receiving(status(200)) as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        answer_of(receiver)

    assert (len(receiver.requests), proxy.requests) == (1, [])


def test_it_leaves_addresses_to_the_proxy_of_a_setting(settings: Settings) -> None:
    with receiving(status(200)) as proxy:
        settings.BMAT_WEBHOOK_PROXY = proxy.url.removesuffix("/events")
        answer = post("http://receiver.example/events", BODY, {})

    assert answer.is_success
    assert proxy.requests[0].path == "http://receiver.example/events"
    assert proxy.requests[0].headers["host"] == "receiver.example"


# All of them mean 127.0.0.1 to the system's resolver.
@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "017700000001", "localhost"])
def test_another_spelling_of_the_loopback_is_the_loopback(settings: Settings, host: str) -> None:
    settings.BMAT_WEBHOOK_NETWORKS = []
    with receiving(status(200)) as receiver:
        answer = post(receiver.url.replace("127.0.0.1", host), BODY, {})

    assert (answer.status, answer.error) == (None, "address_forbidden")
    assert receiver.requests == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"])
def test_it_does_not_connect_to_a_forbidden_address(settings: Settings, host: str) -> None:
    settings.BMAT_WEBHOOK_NETWORKS = []

    assert post(f"http://{host}/", BODY, {}).error == "address_forbidden"


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Lets names lead to the addresses of this table, each question to the next ones."""
    table: dict[str, list[list[str]]] = {}
    system = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *args: Any, **more: Any) -> Any:
        if host not in table:
            return system(host, port, *args, **more)
        return [found for each in table[host].pop(0) for found in system(each, port, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


def test_a_name_that_leads_here_after_it_was_checked_leads_nowhere(
    settings: Settings, names: dict[str, list[list[str]]]
) -> None:
    settings.BMAT_WEBHOOK_NETWORKS = [ip_network("127.0.0.2/32")]
    with receiving(status(200)) as private, receiving(status(200), host="127.0.0.2") as public:
        names["rebinds.example"] = [["127.0.0.2"], ["127.0.0.1"]]
        port = public.url.split(":")[2].split("/")[0]
        first = post(f"http://rebinds.example:{port}/", BODY, {})
        second = post(private.url.replace("127.0.0.1", "rebinds.example"), BODY, {})

    assert (first.status, second.error) == (200, "address_forbidden")
    assert names["rebinds.example"] == []
    assert (len(public.requests), private.requests) == (1, [])


def test_it_tries_the_next_address_where_one_does_not_answer(
    names: dict[str, list[list[str]]],
) -> None:
    with receiving(status(200), host="127.0.0.2") as receiver:
        names["two.example"] = [["127.0.0.3", "127.0.0.2"]]
        answer = post(receiver.url.replace("127.0.0.2", "two.example"), BODY, {})

    assert answer.status == 200
    assert receiver.requests[0].headers["host"].startswith("two.example:")


def test_a_host_that_cannot_be_one_gets_a_word() -> None:
    assert post("http://999.1.1.1/", BODY, {}).error == "invalid_url"
    assert post(f"http://{'x' * 64}.example/", BODY, {}).error == "name_unknown"


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    """Of a server called receiver.example, by an authority of the tests that is trusted."""
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    request += ["-nodes", "-keyout", str(key), "-out", str(file), "-days", "1"]
    request += ["-subj", "/CN=tests", "-addext", "subjectAltName=DNS:receiver.example"]
    subprocess.run(request, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    return context


@pytest.fixture
def trusted(certificate: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the authority of the tests be one that the service trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


def named(receiver: Receiver, name: str) -> str:
    return receiver.url.replace("127.0.0.1", name)


@pytest.mark.usefixtures("trusted")
def test_it_checks_the_certificate_of_the_name_though_it_connects_to_an_address(
    certificate: ssl.SSLContext, names: dict[str, list[list[str]]]
) -> None:
    names.update({"receiver.example": [["127.0.0.1"]], "other.example": [["127.0.0.1"]]})
    with receiving(status(200), tls=certificate) as receiver:
        good = post(named(receiver, "receiver.example"), BODY, {})
        wrong = post(named(receiver, "other.example"), BODY, {})

    assert (good.status, wrong.status, wrong.error) == (200, None, "tls_failed")
    assert [request.body for request in receiver.requests] == [BODY]


def test_it_trusts_no_certificate_of_a_stranger(
    certificate: ssl.SSLContext, names: dict[str, list[list[str]]]
) -> None:
    names["receiver.example"] = [["127.0.0.1"]]
    with receiving(status(200), tls=certificate) as receiver:
        assert post(named(receiver, "receiver.example"), BODY, {}).error == "tls_failed"

    assert receiver.requests == []


def test_it_cuts_off_a_receiver_that_does_not_shake_hands(settings: Settings) -> None:
    settings.BMAT_WEBHOOK_SECONDS = 0.3
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = post(f"https://127.0.0.1:{silent.getsockname()[1]}/", BODY, {})

    assert answer.error == "timeout"
    assert answer.seconds < 1.5
