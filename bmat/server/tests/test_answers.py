"""What a WSGI application answers, as it reaches a client."""

import pytest

from bmat.server.answers import WHOLE_BYTES
from bmat.server.tests.clients import BEGINNING_BYTES, Client, ask

PIECE = b"x" * 10_000


class Body:
    """An answer in pieces, which knows whether it was closed."""

    def __init__(self, pieces, **more):
        self._pieces = iter(pieces)
        self.is_closed = False
        self.__dict__ |= more

    def __iter__(self):
        return self._pieces

    def close(self):
        self.is_closed = True


def answering(body):
    def application(_, start_response):
        start_response("200 OK", [("X-A", "b")])
        return body

    return application


def get(body, client=None, method="GET"):
    return ask(answering(body), client or Client(), method)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 100])
def test_it_sends_a_body_of_any_size(count):
    body = Body([PIECE] * count)

    client = get(body)

    assert (client.status, client.headers, client.content) == (200, {"X-A": "b"}, PIECE * count)
    assert body.is_closed


def test_it_sends_what_is_in_memory_at_once():
    client = get(Body([b"x" * WHOLE_BYTES, b"y" * WHOLE_BYTES], streaming=False))

    assert client.content == b"x" * WHOLE_BYTES + b"y" * WHOLE_BYTES


def test_it_makes_no_more_than_the_client_takes():
    made = []

    def pieces():
        for number in range(1000):
            made.append(number)
            yield PIECE

    body = Body(pieces())
    client = get(body, Client(reads=False))

    assert len(client.content) == BEGINNING_BYTES
    assert len(made) < 30
    assert body.is_closed


def test_it_leaves_a_file_to_the_server(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    body = Body([], file_to_send=(str(file), 2, 5))

    client = get(body)

    assert (client.status, client.content) == (200, b"234")
    assert body.is_closed


def test_it_closes_a_body_that_fails():
    def fails():
        yield PIECE
        raise RuntimeError("in the middle")

    body = Body(fails())

    assert get(body).status == 500
    assert body.is_closed


def test_it_closes_a_body_that_fails_late():
    def fails():
        yield from [PIECE] * 20
        raise RuntimeError("in the middle")

    body = Body(fails())

    with pytest.raises(RuntimeError, match="in the middle"):
        get(body)
    assert body.is_closed


def test_it_answers_head_without_a_body():
    client = get(Body([]), method="HEAD")

    assert (client.status, client.content) == (200, b"")
