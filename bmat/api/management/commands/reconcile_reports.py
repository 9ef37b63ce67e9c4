"""`manage.py reconcile_reports`: by hand, what beat has a worker do every few seconds."""

from typing import Any

from django.core.management.base import BaseCommand

from bmat.api.services.reconcile import reconcile_reports


class Command(BaseCommand):
    help = "Rings the broker again for each report that nobody works on."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{reconcile_reports()} reports rung for")
