"""Whether this worker has been asked to end. Its pool's processes know at once, too: a running
report then hands its lease back instead of holding up a deploy until it is done.

Celery's own soft shutdown tells a task nothing, and waits for its whole timeout before it does
anything else.
"""

from mmap import mmap

# One byte of memory that the forked processes of the pool share with the worker. A signal handler
# may write it, which cannot be said of anything that takes a lock.
_flag = mmap(-1, 1)


def request() -> None:
    """From now on, nothing new is begun, and what runs is handed back."""
    _flag[0] = 1


def is_requested() -> bool:
    """Whether `request` was called, in this process or in the one that it was forked from."""
    return _flag[0] == 1


def withdraw() -> None:
    """Back to work: a worker process that starts, and tests."""
    _flag[0] = 0
