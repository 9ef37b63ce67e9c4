"""`manage.py sweep_files`: by hand, what beat has a worker do every hour."""

from typing import Any

from django.core.management.base import BaseCommand

from bmat.api.services.sweep import sweep_files


class Command(BaseCommand):
    help = "Removes the files of expired reports, and files that belong to nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        swept = sweep_files()
        self.stdout.write(
            f"{swept.reports} reports expired, {swept.folders} folders and "
            f"{swept.uploads} uploads removed"
        )
