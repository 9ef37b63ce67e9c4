"""Fixtures of the fault suite, its two forms, and the table that it prints.

`make faults` sets FAULT_ROUNDS: every scenario, that many times, with the settings that the service
has by default. Without it, as in `make test`, the scenarios marked `quick` run once, with a lease
that soon runs out.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmat.tests.faults.rounds import Round
from bmat.tests.faults.samples import LongSample
from bmat.tests.faults.service import FaultyService
from bmat.tests.faults.tally import Tally

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("FAULT_ROUNDS") or 0)
SHORT_FORM = {
    "BMAT_LEASE_SECONDS": "3",
    "BMAT_HEARTBEAT_SECONDS": "0.3",
    "BMAT_RECONCILE_SECONDS": "1",
    "BMAT_ENQUEUE_AGAIN_SECONDS": "1",
}
LONG_SECONDS = 6.0 if ROUNDS else 3.0
# The timing run, and what a long report may take of the disk however fast it is read.
PROBE_SECONDS, PROBE_COPIES, MOST_BYTES = 0.5, 5, 2 * 2**30
ROUND_TIMEOUT_SECONDS = 300
tally = Tally()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if ROUNDS and "a_round" in metafunc.fixturenames:
        metafunc.parametrize("round_number", range(1, ROUNDS + 1), ids="round{}".format)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    mine = [item for item in items if HERE in item.path.parents]
    for item in mine:
        item.add_marker(pytest.mark.live)
        item.add_marker(pytest.mark.enable_socket)
        item.add_marker(pytest.mark.timeout(ROUND_TIMEOUT_SECONDS))
    if not ROUNDS:
        long_form = [item for item in mine if item.get_closest_marker("quick") is None]
        config.hook.pytest_deselected(items=long_form)
        items[:] = [item for item in items if item not in long_form]


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyService]:
    """The service that the faults strike; one for all scenarios."""
    running = FaultyService(tmp_path_factory.mktemp("faults"), {} if ROUNDS else SHORT_FORM)
    tally.facts.append(f"disk: {running.disk.kind}")
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="package")
def long_sample(service: FaultyService) -> LongSample:
    """A file that a worker needs LONG_SECONDS for, measured on this machine and this engine."""
    sample, took = LongSample(PROBE_COPIES), 0.0
    while took < PROBE_SECONDS and sample.content_bytes < MOST_BYTES:
        sample = LongSample(sample.copies * 2)
        probe = Round(service, "timing", sample)
        took = service.client.done(probe.post_long())["duration_seconds"]
        probe.remove()
    most = sample.copies * MOST_BYTES // sample.content_bytes
    copies = min(int(sample.copies * LONG_SECONDS / took), most)
    rows = f"{copies * sample.rows_per_copy:,} rows"
    tally.facts.append(f"the long report: {rows}, {LONG_SECONDS:.0f} s for a worker left alone")
    return LongSample(copies)


@pytest.fixture
def round_number() -> int:
    """Which round of its scenario this is, from 1."""
    return 1


@pytest.fixture
def a_round(
    service: FaultyService,
    long_sample: LongSample,
    round_number: int,
    request: pytest.FixtureRequest,
) -> Iterator[Round]:
    """The reports of one round of the test's scenario."""
    name = request.function.__name__.removeprefix("test_it_").replace("_", " ")
    this_round = Round(service, name, long_sample)
    tally.outcomes.append(this_round.outcome)
    yield this_round
    service.heal()
    this_round.remove()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show what the processes of the service said, where a test of them fails."""
    report: pytest.TestReport = yield  # type: ignore[assignment]
    service = getattr(item, "funcargs", {}).get("service")
    if report.failed and isinstance(service, FaultyService):
        for process in service.processes:
            report.sections.append((f"end of the log of {process.name}", process.log_tail()))
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tally.outcomes:
        terminalreporter.section("faults")
        for line in [*tally.facts, *tally.table()]:
            terminalreporter.write_line(line)
