"""The fixtures of bmat.api.tests.fixtures and results, for the tests in this folder."""

from bmat.api.tests.fixtures import fresh_counters, home, left_over, rung, submit, worker_ends
from bmat.api.tests.results import done, download

__all__ = [
    "done",
    "download",
    "fresh_counters",
    "home",
    "left_over",
    "rung",
    "submit",
    "worker_ends",
]
