"""Fixtures of the client's tests: they talk to a small server of their own, on the loopback."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmat.client.client import Client
from bmat.client.retries import RetryPolicy
from bmat.client.tests.service import Service, running

HERE = Path(__file__).parent
# As the product waits, but a thousand times as fast.
FAST = RetryPolicy(20.0, 0.001, 0.01)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.enable_socket)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the client keeps its own: a folder for each test, and no settings of who runs them."""
    home = tmp_path / "home"
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    for name in ("BMAT_URL", "BMAT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    # What the engine's command line says for a process of its own is not for all tests after it.
    monkeypatch.setenv("NUMBA_DISABLE_JIT", os.environ.get("NUMBA_DISABLE_JIT", "0"))
    monkeypatch.setattr("bmat.client.client.POLL_SECONDS", 0.001)
    return home


@pytest.fixture
def service() -> Iterator[Service]:
    with running() as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[Client]:
    with Client(service.url, policy=FAST) as client:
        yield client


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file that is sent in one request."""
    path = tmp_path / "plays.csv"
    path.write_bytes(b"Song,Date,Number of Plays\nUmbrella,2020-01-02,200\n")
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of 3 MB, which is sent in pieces."""
    path = tmp_path / "large.csv"
    path.write_bytes(b"".join(b"Song %7d,2020-01-02,1\n" % number for number in range(120_000)))
    return path
