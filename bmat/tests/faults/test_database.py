"""A database that restarts."""

from bmat.tests.faults.rounds import Round
from bmat.tests.faults.service import FaultyService


def test_it_survives_a_restart_of_the_database(service: FaultyService, a_round: Round) -> None:
    a_round.long_under_way()
    with a_round.fault():
        service.postgres.restart()
    a_round.ends_well()
