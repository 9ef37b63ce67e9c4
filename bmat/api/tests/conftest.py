"""The fixtures of bmat.api.tests.fixtures and results, for the tests in this folder."""

from bmat.api.tests.fixtures import enqueued, fresh_counters, home, left_over, submit, worker_ends
from bmat.api.tests.results import done, download

__all__ = [
    "done",
    "download",
    "fresh_counters",
    "home",
    "left_over",
    "enqueued",
    "submit",
    "worker_ends",
]
