"""A broker that dies, forgets, falls silent or repeats itself; and no beat."""

import signal
import time

import pytest

from bmat.tests.faults.rounds import Round
from bmat.tests.faults.service import FaultyService
from bmat.tests.live.processes import wait_until

AWAY_SECONDS = 5.0
# Longer than a worker waits for an answer of its broker.
SILENT_SECONDS = 12.0
SMALL_WAITING = 10


def test_it_survives_a_broker_that_is_stopped_and_comes_back_empty(
    service: FaultyService, a_round: Round
) -> None:
    a_round.long_under_way()
    with a_round.fault():
        service.redis.stop()
        time.sleep(AWAY_SECONDS)
        service.redis.start()
    a_round.ends_well()


def test_it_survives_a_broker_that_is_killed_and_at_once_replaced(
    service: FaultyService, a_round: Round
) -> None:
    a_round.long_under_way()
    with a_round.fault():
        service.redis.process.kill()
        service.redis.start()
    a_round.ends_well()


def test_it_survives_a_broker_that_takes_connections_and_never_answers(
    service: FaultyService, a_round: Round
) -> None:
    a_round.long_under_way()
    with a_round.fault():
        service.redis.process.signal_all(signal.SIGSTOP)
        time.sleep(SILENT_SECONDS)
        service.redis.process.signal_all(signal.SIGCONT)
    a_round.ends_well()


@pytest.mark.quick
def test_it_survives_the_loss_of_every_message(service: FaultyService, a_round: Round) -> None:
    a_round.long_under_way()
    with a_round.fault():
        with service.nobody_listening():
            waiting = [a_round.uploads.post_small() for _ in range(SMALL_WAITING)]
            service.forget_messages()
    assert all(answer is not None and answer.status_code == 201 for answer in waiting)
    a_round.ends_well()


@pytest.mark.quick
def test_it_makes_one_result_of_messages_that_come_twice(
    service: FaultyService, a_round: Round
) -> None:
    pid = a_round.long_under_way()
    with a_round.fault():
        for known in [pid, *a_round.uploads.accepted]:
            service.deliver_again(known)
    for known in a_round.uploads.accepted:
        service.deliver_again(known)
    a_round.ends_well()


def test_it_needs_no_beat_for_messages_that_arrive(service: FaultyService, a_round: Round) -> None:
    service.beat.kill()
    a_round.long_under_way()
    with a_round.fault():
        wait_until(lambda: len(a_round.uploads.accepted) > 10, AWAY_SECONDS, "uploads without beat")
    a_round.ends_well()


def test_it_needs_no_beat_to_recover_a_lost_message_and_a_killed_worker(
    service: FaultyService, a_round: Round
) -> None:
    service.beat.kill()
    pid = a_round.long_under_way()
    worker, _ = service.at_work_on(pid)
    with a_round.fault(kills=[pid]):
        worker.kill()
        service.forget_messages()
        worker.start(service.environment)
    a_round.ends_well()
