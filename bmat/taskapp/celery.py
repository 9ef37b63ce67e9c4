"""The Celery app: `celery --app bmat.taskapp.celery worker --queues small`, and the same for
`large`. And the names of its queues, and of the tasks that go through them.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun, worker_init, worker_shutting_down
from django.db import close_old_connections

from bmat.aggregation.system import map_large_arrays
from bmat.taskapp import shutdown, transports

# Reports below BMAT_LARGE_REPORT_BYTES and the others: each size has workers of its own, so that a
# small report never waits behind a large one.
SMALL = "small"
LARGE = "large"
# Events on their way to others, who may take their time: no report waits behind one.
WEBHOOKS = "webhooks"

PROCESS_REPORT = "bmat.taskapp.tasks.process_report"
CONVERT_RESULT = "bmat.taskapp.tasks.convert_result"
DELIVER_EVENT = "bmat.taskapp.tasks.deliver_event"
SWEEP_FILES = "bmat.taskapp.tasks.sweep_files"

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

transports.use_for_redis_urls()

app = Celery("bmat")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["bmat.taskapp"])


@worker_init.connect
def begin(**_: Any) -> None:
    """A worker that was restarted in place works again. What it does to its memory here, the
    processes that it forks inherit.
    """
    shutdown.withdraw()
    map_large_arrays()


# A connection that is kept is looked at before each task, as Django does before each request: the
# server may have closed it.
task_prerun.connect(close_old_connections)


@worker_shutting_down.connect
def hand_leases_back(**_: Any) -> None:
    """SIGTERM: what runs is handed back within a second, and another worker goes on with it."""
    shutdown.request()
