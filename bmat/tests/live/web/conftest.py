"""Fixtures of the tests of the page: each of their files has a user and a browser of its own."""

from collections.abc import Iterator

import pytest

from bmat.tests.live.analyst import Analyst, analyst_at
from bmat.tests.live.client import Client
from bmat.tests.live.people import PASSWORD
from bmat.tests.live.stack import Stack


@pytest.fixture(scope="module")
def user(request: pytest.FixtureRequest) -> str:
    """The user's name."""
    return str(request.module.__name__).rpartition("test_")[2]


@pytest.fixture(scope="module")
def client(locked: Stack, user: str) -> Client:
    """A client of the user's, beside the browser."""
    token = locked.add_users({"username": user, "password": PASSWORD})
    return Client(locked.client.base_url, token)


@pytest.fixture(scope="module")
def browser(
    client: Client, user: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Analyst]:
    """A browser in which the user is logged in."""
    folder = tmp_path_factory.mktemp("browser")
    with analyst_at(folder, client.base_url, user, PASSWORD) as somebody:
        yield somebody


@pytest.fixture
def analyst(browser: Analyst) -> Iterator[Analyst]:
    """The same browser for each test, which ends without a complaint of it."""
    browser.complaints()
    yield browser
    assert browser.complaints() == []
