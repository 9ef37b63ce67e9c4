"""The fixtures of bmat.api.tests.fixtures, for the tests in this folder."""

from bmat.api.tests.fixtures import enqueued, home, left_over, submit, worker_ends

__all__ = ["home", "left_over", "enqueued", "submit", "worker_ends"]
