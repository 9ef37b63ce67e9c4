"""A worker whose clock is wrong."""

from pathlib import Path

import pytest

from bmat.tests.faults.rounds import Round
from bmat.tests.faults.service import FaultyService

CLOCK_AHEAD = str(Path(__file__).parent / "clock_ahead")


@pytest.mark.quick
def test_it_takes_nothing_from_others_with_a_clock_a_minute_ahead(
    service: FaultyService, a_round: Round
) -> None:
    right, ahead = service.workers
    with service.restarted([ahead], {"PYTHONPATH": CLOCK_AHEAD}):
        with service.nobody_listening(but=right):
            pid = a_round.long_under_way()
        with a_round.fault():
            pass
        a_round.ends_well()
    assert a_round.attempts(pid) == ["done"]
