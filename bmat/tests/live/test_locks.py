"""A process that is frozen in the middle of a transaction, on a real PostgreSQL."""

import psycopg2  # type: ignore[import-untyped]  # the package has no types

from bmat.tests.live.client import Client, within
from bmat.tests.live.stack import Stack
from bmat.tests.samples import PLAYS
from config.environment import POSTGRES_OPTIONS

LOCK = "UPDATE api_report SET stage = stage WHERE pid = %s"


def test_it_holds_nobody_up_for_longer_than_a_lease(stack: Stack, client: Client) -> None:
    pid = client.upload(PLAYS)
    client.done(pid)
    frozen = psycopg2.connect(stack.postgres.url, **POSTGRES_OPTIONS)
    try:
        frozen.cursor().execute(LOCK, [pid])
        with within(seconds=10):
            assert client.delete(pid).status_code == 204
    finally:
        frozen.close()
