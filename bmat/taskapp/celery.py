"""The Celery app: `celery --app bmat.taskapp.celery worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

RECONCILE_REPORTS = "bmat.taskapp.tasks.reconcile_reports"
PROCESS_REPORT = "bmat.taskapp.tasks.process_report"

app = Celery("bmat")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["bmat.taskapp"])


@worker_ready.connect
def reconcile_at_start(**_: Any) -> None:
    """A worker that starts takes up what an earlier one left, without waiting for beat."""
    app.send_task(RECONCILE_REPORTS)
