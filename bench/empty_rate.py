"""How fast tasks that do nothing go through the same broker, by a worker like the service's: the
same start script's flags, transport, events and number of processes.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import redis
from celery import Celery

from bench.empty_task import NAME, QUEUE
from bmat.tests.live.processes import ServerProcess, wait_until
from bmat.tests.live.stack import START_SECONDS, Stack

CLIENTS, TASKS, TASK_SECONDS = 20, 3000, 120.0


@dataclass(frozen=True)
class Rates:
    """How many went through in a second: `overall`, from when the first was sent to when the last
    was done, and `drained`, of those that still waited when the last had been sent, by workers that
    had the machine to themselves.
    """

    overall: float
    drained: float


def empty_task_rates(stack: Stack, folder: Path, processes: int) -> Rates:
    """CLIENTS clients send TASKS tasks to a worker of so many processes."""
    program = str(Path(sys.executable).parent / "celery")
    command = [program, "--app", "bench.empty_task", "worker", "--loglevel", "WARNING"]
    command += ["--task-events", "--without-gossip", "--without-mingle"]
    command += ["--concurrency", str(processes), "--queues", QUEUE, "--hostname", "empty@test"]
    worker = ServerProcess("empty", command, folder)
    worker.start(stack.environment)
    try:
        with Celery(broker=stack.redis.url) as app:
            wait_until(
                lambda: bool(app.control.ping(destination=["empty@test"], timeout=1)),
                START_SECONDS,
                "the worker of empty tasks",
            )
            return _rates(app, stack)
    finally:
        worker.stop()


def _rates(app: Celery, stack: Stack) -> Rates:
    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda number: app.send_task(NAME, [number], queue=QUEUE), range(TASKS)))
    with redis.Redis(port=stack.redis.port) as broker:
        left, sent = int(broker.llen(QUEUE)), time.monotonic()
        wait_until(lambda: broker.llen(QUEUE) == 0, TASK_SECONDS, "the empty tasks to be done")
    ended = time.monotonic()
    return Rates(TASKS / (ended - started), left / (ended - sent))
