"""Fixtures of the live ring: tests of this folder, and no others, may open sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bmat.api.views.accounts import LOGIN
from bmat.tests.live import people
from bmat.tests.live.client import Client
from bmat.tests.live.stack import Stack

HERE = Path(__file__).parent
START_TIMEOUT_SECONDS = 240
versions: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.live)
            item.add_marker(pytest.mark.enable_socket)
            if not item.get_closest_marker("timeout"):
                # The first test that asks for a service waits for its start, too.
                item.add_marker(pytest.mark.timeout(START_TIMEOUT_SECONDS))


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole service, running; one for all live tests."""
    running = Stack(tmp_path_factory.mktemp("stack"))
    versions.extend([running.postgres.version, running.redis.version])
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole service once more, as it asks everybody who they are; `client` is alice's."""
    running = Stack(tmp_path_factory.mktemp("locked"), settings=people.LOCKED)
    try:
        running.start()
        token = running.add_users(LOGIN, people.LEAVER, people.MAKER)
        running.client = Client(running.client.base_url, token)
        yield running
    finally:
        running.stop()


@pytest.fixture
def client(stack: Stack) -> Client:
    """A client of the running service's API."""
    return stack.client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the processes of the service said, where a test of them fails."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(stack, Stack):
        for process in stack.processes:
            report.sections.append((f"end of the log of {process.name}", process.log_tail()))
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if versions:
        terminalreporter.section("servers of the live tests")
        for version in versions:
            terminalreporter.write_line(version)
