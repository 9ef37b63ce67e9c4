"""A Dask cluster that is away."""

import time
from pathlib import Path

from bmat.tests.faults.rounds import Round
from bmat.tests.faults.service import FaultyService
from bmat.tests.live.dask_cluster import ADDRESS_VARIABLE, dask_cluster
from bmat.tests.live.processes import free_port

AWAY_SECONDS = 120.0
RECOVERY_SECONDS = 20.0
WAITING = 5


def test_it_waits_for_a_cluster_that_is_away_for_two_minutes(
    service: FaultyService, a_round: Round, tmp_path: Path
) -> None:
    port = free_port()
    with service.restarted(service.workers, {ADDRESS_VARIABLE: f"tcp://127.0.0.1:{port}"}):
        for _ in range(WAITING):
            a_round.uploads.post_small()
        time.sleep(AWAY_SECONDS)
        with dask_cluster(2, tmp_path, port):
            with a_round.timed_recovery():
                a_round.all_end()
            outcome = a_round.ends_well()
    assert (outcome.recovery_seconds or 0) < RECOVERY_SECONDS
    assert all(len(a_round.attempts(pid)) == 1 for pid in a_round.uploads.accepted)
