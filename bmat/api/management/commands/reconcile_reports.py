"""`manage.py reconcile_reports`: by hand, what every worker does each few seconds."""

from typing import Any

from django.core.management.base import BaseCommand

from bmat.api.services.reconcile import reconcile_reports


class Command(BaseCommand):
    help = (
        "Takes reports away from lost workers, and sends a message for each that waits without one."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{reconcile_reports()} messages sent")
