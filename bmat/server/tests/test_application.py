"""Requests on their way to a WSGI application and back, for clients of any manners."""

import asyncio
import json
import logging

import pytest

from bmat.server.application import Application, Threads, environ_of
from bmat.server.bodies import DRAINED_BYTES, FORM_BYTES
from bmat.server.tests.clients import CHUNKED, SILENCE, Client, ask, length, scope

MIB = 2**20


def echo(environ, start_response):
    """Answers with what it was sent."""
    start_response("200 OK", [("X-Length", environ.get("CONTENT_LENGTH", "none"))])
    return [environ["wsgi.input"].read()]


def shows_head(environ, start_response):
    start_response("200 OK", [])
    shown = {name: value for name, value in environ.items() if isinstance(value, str)}
    return [json.dumps(shown).encode()]


def refuses(environ, start_response):
    """Answers without a look at the body."""
    start_response("401 Unauthorized", [])
    return [b"who are you?"]


def reads_then_refuses(environ, start_response):
    environ["wsgi.input"].read(1)
    return refuses(environ, start_response)


def never(environ, start_response):
    raise AssertionError("the application was asked")


def test_it_passes_on_what_a_request_says():
    told = json.loads(ask(shows_head, Client(), "GET", "/ä", {"x-a": "b", "host": "h"}).content)

    assert (told["REQUEST_METHOD"], told["QUERY_STRING"]) == ("GET", "a=1")
    assert told["PATH_INFO"].encode("latin-1") == "/ä".encode()
    assert (told["HTTP_X_A"], told["HTTP_HOST"]) == ("b", "h")
    assert (told["SERVER_NAME"], told["REMOTE_ADDR"]) == ("::1", "192.0.2.7")


class NotAscii(dict[str, str]):
    """Headers of which granian knows the names alone."""

    def items(self):
        return []


@pytest.mark.parametrize("name", ["authorization", "idempotency-key"])
def test_it_passes_over_no_header_that_it_cannot_read(name):
    answer = ask(never, Client(), "POST", "/", NotAscii({name: "", "user-agent": ""}))

    assert (answer.status, json.loads(answer.content)["code"]) == (400, "bad_request")
    assert name in json.loads(answer.content)["message"]


def test_it_takes_a_request_whose_sender_has_a_name_beyond_ascii():
    assert ask(refuses, Client(), "GET", "/", NotAscii({"user-agent": ""})).status == 401


def test_a_request_may_name_its_host_in_its_target():
    head = scope("GET", "/", {})
    head.authority = "bmat.example"

    assert environ_of(head)["HTTP_HOST"] == "bmat.example"


def test_a_header_that_comes_twice_is_one():
    head = scope("GET", "/", SentTwice())

    told = environ_of(head)

    assert (told["HTTP_COOKIE"], told["HTTP_X_A"]) == ("a=1; b=2", "1,2")


class SentTwice(dict[str, str]):
    def items(self):
        return [("cookie", "a=1"), ("x-a", "1"), ("cookie", "b=2"), ("x-a", "2")]


def test_a_header_cannot_pass_for_another():
    told = json.loads(ask(shows_head, Client(), headers={"x_forwarded_for": "forged"}).content)

    assert "HTTP_X_FORWARDED_FOR" not in told


@pytest.mark.parametrize("path", ["/form", "/upload"])
@pytest.mark.parametrize("headers", [length(6), CHUNKED])
def test_it_passes_a_body_on(path, headers):
    client = ask(echo, Client(b"abc", b"", b"def"), path=path, headers=headers)

    assert (client.status, client.content) == (200, b"abcdef")


def test_a_form_has_a_length_that_came_without_one():
    client = ask(echo, Client(b"abc"), headers=CHUNKED)

    assert client.headers["X-Length"] == "3"


def test_an_upload_passes_through_in_chunks_of_any_size():
    chunks = [bytes([number]) * (number * 20_000) for number in range(1, 40)]

    client = ask(echo, Client(*chunks), path="/upload", headers=CHUNKED)

    assert client.content == b"".join(chunks)


def test_it_refuses_a_large_form_unread():
    headers = length(FORM_BYTES + 1) | {"expect": "100-continue"}
    client = ask(never, Client(SILENCE), headers=headers)

    assert (client.status, json.loads(client.content)["code"]) == (413, "form_too_large")
    assert client.headers["Connection"] == "close"


def test_it_refuses_a_form_that_turns_out_large():
    client = ask(never, Client(b"x" * FORM_BYTES, b"x"), headers=CHUNKED)

    assert client.status == 413


def test_it_refuses_a_form_that_stalls():
    headers = length(60_000)

    client = ask(never, Client(b"abc", SILENCE), headers=headers, read_seconds=0.05)

    assert (client.status, json.loads(client.content)["code"]) == (408, "request_timeout")


@pytest.mark.parametrize("size", [60_000, MIB])
@pytest.mark.parametrize(("rest", "error"), [([SILENCE], TimeoutError), ([], OSError)])
def test_of_an_upload_that_breaks_off_it_passes_on_what_has_come(size, rest, error):
    def upload(environ, start_response):
        come = environ["wsgi.input"].read(MIB)
        with pytest.raises(error):
            environ["wsgi.input"].read(MIB)
        start_response("400 Bad Request", [])
        return [come]

    client = Client(b"abc", *rest)
    ask(upload, client, path="/upload", headers=length(size), read_seconds=0.05)

    assert (client.status, client.content) == (400, b"abc")


def test_it_gives_more_time_for_what_has_come():
    client = ask(echo, Client(b"x" * 30_000), headers=length(30_000), read_seconds=0.5)

    assert client.status == 200


def test_it_refuses_a_body_that_breaks_off():
    client = ask(never, Client(b"abc"), headers=length(10))

    assert (client.status, json.loads(client.content)["code"]) == (400, "incomplete_body")


def test_it_leaves_a_client_that_stalls_after_its_answer(monkeypatch):
    monkeypatch.setattr("bmat.server.bodies.DRAIN_SECONDS", 0.05)

    client = ask(refuses, Client(b"x" * MIB, SILENCE), path="/upload", headers=CHUNKED)

    assert (client.status, client.sent_bytes) == (401, MIB)


def test_it_reads_lines_of_an_upload():
    def lines(environ, start_response):
        start_response("200 OK", [])
        return list(environ["wsgi.input"])

    client = ask(lines, Client(b"a\nb", b"c\nd"), path="/upload", headers=CHUNKED)

    assert client.content == b"a\nbc\nd"


def test_it_reads_on_after_an_early_answer():
    client = ask(refuses, Client(*[b"x" * MIB] * 10), path="/upload", headers=length(10 * MIB))

    assert (client.status, client.sent_bytes) == (401, 10 * MIB)
    assert client.headers["Connection"] == "close"


def test_it_reads_on_for_a_while_alone():
    chunks = [b"x" * MIB] * (2 * DRAINED_BYTES // MIB)

    client = ask(reads_then_refuses, Client(*chunks), path="/upload", headers=CHUNKED)

    assert DRAINED_BYTES <= client.sent_bytes < DRAINED_BYTES + 4 * MIB


def test_it_reads_nothing_of_a_client_that_waits_to_be_told():
    headers = length(10 * MIB) | {"expect": "100-continue"}

    client = ask(refuses, Client(b"x" * MIB), path="/upload", headers=headers)

    assert (client.status, client.sent_bytes) == (401, 0)


def test_it_refuses_an_upload_where_all_threads_have_one():
    first, second = Client(b"x" * 10, SILENCE), Client()
    head = scope("POST", "/upload", CHUNKED)

    async def one_after_the_other():
        application = Application(echo, lambda *_: True, Threads(1, 1), 0.2)
        under_way = asyncio.create_task(application.__rsgi__(head, first))
        while not first.sent_bytes:
            await asyncio.sleep(0.001)
        await application.__rsgi__(head, second)
        await under_way

    asyncio.run(one_after_the_other())

    assert (second.status, json.loads(second.content)["code"]) == (503, "too_many_uploads")
    assert second.headers["Retry-After"] == "5"


def test_it_says_no_more_than_that_the_application_failed(caplog):
    with caplog.at_level(logging.ERROR):
        client = ask(never, Client())

    assert (client.status, json.loads(client.content)["code"]) == (500, "server_error")
    assert "the application was asked" in caplog.text
    assert b"asked" not in client.content


def test_a_thread_that_waits_for_bytes_may_give_up(monkeypatch):
    monkeypatch.setattr("bmat.server.bodies.IDLE_SECONDS", 0.01)
    looked: list[int] = []

    def gives_up(environ, start_response):
        def look():
            looked.append(len(looked))
            if len(looked) == 3:
                raise InterruptedError

        environ["wsgi.input"].while_waiting = look
        with pytest.raises(InterruptedError):
            while environ["wsgi.input"].read(MIB):
                pass
        start_response("423 Locked", [])
        return [b"later"]

    answer = ask(gives_up, Client(b"some", SILENCE), path="/upload", headers=length(2 * FORM_BYTES))

    assert (answer.status, answer.content, looked) == (423, b"later", [0, 1, 2])


def test_a_thread_that_waits_for_bytes_waits_on(monkeypatch):
    monkeypatch.setattr("bmat.server.bodies.IDLE_SECONDS", 0.01)

    def reads(environ, start_response):
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(MIB)]

    async def late():
        await asyncio.sleep(0.1)
        return b"x" * 2 * FORM_BYTES

    class Late(Client):
        async def __anext__(self):
            return await late()

    assert ask(reads, Late(), path="/upload", headers=length(2 * FORM_BYTES)).status == 200
