"""How many uploads and downloads one user has under way at a time."""

from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from bmat.api.access import begin_transfer, transfers
from bmat.api.errors import BROKEN_OFF, ApiError, told_as
from bmat.api.tests.people import person, token_of
from bmat.api.tests.results import body

pytestmark = pytest.mark.django_db(transaction=True)

LARGE = {"CONTENT_LENGTH": "100000", "CONTENT_TYPE": "multipart/form-data; boundary=x"}


@pytest.fixture(autouse=True)
def most(settings):
    settings.BMAT_MAX_TRANSFERS = 2


def request_of(user=None, address="192.0.2.7"):
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    request.user = user or AnonymousUser()
    return request


class Broken(BytesIO):
    """A body that breaks off, after `meanwhile`."""

    def __init__(self, meanwhile):
        super().__init__()
        self._meanwhile = meanwhile

    def read(self, size: int | None = -1) -> bytes:
        self._meanwhile()
        return b""


def upload(client, meanwhile=lambda: None, **headers):
    """Sends an upload that breaks off."""
    body = {"wsgi.input": Broken(meanwhile)}
    return client.generic("POST", "/api/reports/", **LARGE, **body, **headers)


def test_it_counts_each_user_and_each_address():
    alice, bob = person("alice"), person("bob")
    for request in (request_of(alice), request_of(bob), request_of(), request_of(None, "::1")):
        for what in ("uploads", "downloads"):
            ends = [begin_transfer(request, what) for _ in range(2)]
            with pytest.raises(ApiError, match=f"You have 2 {what} under way"):
                begin_transfer(request, what)
            for end in ends:
                end()

    assert not transfers


def test_it_counts_an_end_once():
    first, second = (begin_transfer(request_of(), "uploads") for _ in range(2))

    first()
    first()

    assert list(transfers.values()) == [1]
    second()


def test_it_lets_everybody_do_without_a_limit(settings):
    settings.BMAT_MAX_TRANSFERS = None

    for end in [begin_transfer(request_of(), "uploads") for _ in range(100)]:
        end()


def test_it_refuses_a_users_third_upload_beside_two():
    alice, bob = (token_of(person(name))["Authorization"] for name in ("alice", "bob"))
    answers: list[Any] = []

    def another():
        """The next one is sent while this one's bytes are awaited."""
        if not answers:
            answers.append(upload(Client(), another, HTTP_AUTHORIZATION=alice))

    first = upload(Client(), another, HTTP_AUTHORIZATION=alice)

    refused, second = answers[0], answers[-1]
    assert (refused.json()["code"], refused["Retry-After"]) == ("too_many_transfers", "5")
    assert first.json() == second.json() == told_as("parse_error", BROKEN_OFF)
    assert upload(Client(), HTTP_AUTHORIZATION=bob).status_code == 400
    assert not transfers


@pytest.mark.parametrize(
    "tail, headers", [("output?excel_safe=1", {}), ("output", {"accept-encoding": "gzip"})]
)
def test_it_refuses_a_third_download_that_is_made_beside_two(download, tail, headers):
    under_way = [download(tail, **headers) for _ in range(2)]

    refused = download(tail, **headers)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_transfers")
    assert body(download()) and download(tail, "head", **headers).status_code == 200
    for response in under_way:
        response.close()
    assert body(download(tail, **headers))
