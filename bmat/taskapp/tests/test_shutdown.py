"""What a worker does that is asked to end."""

import os

from celery.signals import worker_init, worker_shutting_down

from bmat.taskapp import shutdown


def test_sigterm_asks_the_running_reports_to_be_handed_back(worker_ends):
    assert not shutdown.is_requested()

    worker_shutting_down.send(sender=None, sig="SIGTERM", how="Warm", exitcode=0)

    assert shutdown.is_requested()


def test_a_worker_that_starts_works(worker_ends):
    worker_ends()

    worker_init.send(sender=None)

    assert not shutdown.is_requested()


def test_the_processes_of_the_pool_hear_it(worker_ends):
    to_read, to_write = os.pipe()
    child = os.fork()
    if child == 0:
        # The pipe keeps the child from looking before its parent was asked to end.
        os.close(to_write)
        os.read(to_read, 1)
        os._exit(0 if shutdown.is_requested() else 1)

    worker_ends()
    os.close(to_write)
    os.close(to_read)

    assert os.waitpid(child, 0)[1] == 0
