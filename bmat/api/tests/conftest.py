"""The fixtures of bmat.api.tests.fixtures, for the tests in this folder."""

from bmat.api.tests.fixtures import fresh_counters, home, left_over, rung, submit, worker_ends

__all__ = ["fresh_counters", "home", "left_over", "rung", "submit", "worker_ends"]
