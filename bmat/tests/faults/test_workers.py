"""Workers that die, are told to stop, or fall asleep in the middle of a report."""

import os
import signal

import pytest

from bmat.tests.faults.rounds import Round
from bmat.tests.faults.service import FaultyService
from bmat.tests.live.processes import wait_until

RECOVERY_SECONDS = 20.0
# What container engines give a process that they ask to end.
SHUTDOWN_SECONDS = 10.0
TAKEOVER_SECONDS = 60.0


@pytest.mark.quick
def test_it_survives_the_kill_of_a_pool_child(service: FaultyService, a_round: Round) -> None:
    pid = a_round.long_under_way()
    _, child = service.at_work_on(pid)
    with a_round.fault(kills=[pid]):
        os.kill(child, signal.SIGKILL)
    assert (a_round.ends_well().recovery_seconds or 0) < RECOVERY_SECONDS
    assert a_round.attempts(pid) == ["lost", "done"]


def test_it_survives_the_kill_of_a_whole_worker(service: FaultyService, a_round: Round) -> None:
    pid = a_round.long_under_way()
    worker, _ = service.at_work_on(pid)
    with a_round.fault(kills=[pid]):
        worker.kill()
        worker.start(service.environment)
    assert (a_round.ends_well().recovery_seconds or 0) < RECOVERY_SECONDS
    assert a_round.attempts(pid) == ["lost", "done"]


def test_it_survives_the_kill_of_a_worker_that_can_stop_none_of_its_children(
    service: FaultyService, a_round: Round
) -> None:
    pid = a_round.long_under_way()
    worker, _ = service.at_work_on(pid)
    with a_round.fault(kills=[pid]):
        os.kill(worker.pid, signal.SIGKILL)
        wait_until(lambda: not worker.runs(), SHUTDOWN_SECONDS, "the worker to be gone")
    assert (a_round.ends_well().recovery_seconds or 0) < RECOVERY_SECONDS
    assert a_round.attempts(pid) == ["lost", "done"]


@pytest.mark.quick
def test_it_hands_back_a_report_on_sigterm(service: FaultyService, a_round: Round) -> None:
    pid = a_round.long_under_way()
    worker, _ = service.at_work_on(pid)
    with a_round.fault(kills=[pid]):
        os.kill(worker.pid, signal.SIGTERM)
        wait_until(lambda: worker.exit_code() is not None, SHUTDOWN_SECONDS, "the worker to end")
        worker.start(service.environment)
    a_round.ends_well()
    assert a_round.attempts(pid) == ["handed_back", "done"]


def test_it_fences_off_a_worker_that_slept_past_its_lease(
    service: FaultyService, a_round: Round
) -> None:
    pid = a_round.long_under_way()
    worker, _ = service.at_work_on(pid)
    token = a_round.row(pid).lease_token
    with a_round.fault(kills=[pid]):
        worker.signal_all(signal.SIGSTOP)
        others = (None, token)
        wait_until(
            lambda: a_round.row(pid).ended or a_round.row(pid).lease_token not in others,
            TAKEOVER_SECONDS,
            "another worker to take over",
        )
        worker.signal_all(signal.SIGCONT)
    a_round.ends_well()
    assert a_round.attempts(pid) == ["lost", "done"]
