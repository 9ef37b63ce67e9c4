"""How fast tasks that do nothing go through the same broker, by a worker like the service's."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import redis
from celery import Celery

from bench.empty_task import NAME, QUEUE
from bmat.tests.live.processes import ServerProcess, wait_until
from bmat.tests.live.stack import START_SECONDS, Stack

CLIENTS, TASKS, TASK_SECONDS = 20, 3000, 120.0


def empty_tasks_per_second(stack: Stack, folder: Path) -> float:
    """CLIENTS clients send TASKS tasks: their number by the seconds until the last is done."""
    program = str(Path(sys.executable).parent / "celery")
    command = [program, "--app", "bench.empty_task", "worker", "--loglevel", "WARNING"]
    command += [
        "--task-events",
        "--concurrency",
        "2",
        "--queues",
        QUEUE,
        "--hostname",
        "empty@test",
    ]
    worker = ServerProcess("empty", command, folder)
    worker.start(stack.environment)
    try:
        with Celery(broker=stack.redis.url) as app:
            wait_until(
                lambda: bool(app.control.ping(destination=["empty@test"], timeout=1)),
                START_SECONDS,
                "the worker of empty tasks",
            )
            return _rate(app, stack)
    finally:
        worker.stop()


def _rate(app: Celery, stack: Stack) -> float:
    started = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda number: app.send_task(NAME, [number], queue=QUEUE), range(TASKS)))
    with redis.Redis(port=stack.redis.port) as broker:
        wait_until(
            lambda: broker.llen(QUEUE) == 0 and broker.hlen("unacked") == 0,
            TASK_SECONDS,
            "the empty tasks to be done",
        )
    return TASKS / (time.monotonic() - started)
