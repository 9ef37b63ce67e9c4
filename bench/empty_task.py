"""A Celery app like the service's own, with one task that does nothing: what a task costs.

`celery --app bench.empty_task worker --queues empty`
"""

import os

from celery import Celery

from bmat.taskapp import transports

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

NAME, QUEUE = "bench.empty_task.nothing", "empty"

transports.use_for_redis_urls()

app = Celery("empty")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.task(name=NAME)
def nothing(number: int) -> None:
    """Does nothing, `number` or not."""
