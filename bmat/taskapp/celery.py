"""The Celery app: `celery --app bmat.taskapp.celery worker --queues small`, and the same for
`large`.
"""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init, worker_shutting_down

from bmat.aggregation.system import map_large_arrays
from bmat.taskapp import shutdown, transports

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


@worker_shutting_down.connect
def hand_leases_back(**_: Any) -> None:
    """SIGTERM: what runs is handed back within a second, and another worker goes on with it."""
    shutdown.request()
