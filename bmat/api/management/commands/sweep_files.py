"""`manage.py sweep_files`: by hand, what beat has a worker do every hour."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bmat.api.services.sweep import sweep_files


class Command(BaseCommand):
    help = (
        "Removes the files of expired reports, and moves files that belong to nothing into the "
        "trash, for a week."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all",
            action="store_true",
            help="also where that is more than a fifth of all files: for who has looked at them",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Raises CommandError where files that belong to nothing are left alone."""
        swept = sweep_files(however_many=options["all"])
        self.stdout.write(
            f"{swept.reports} reports expired, {swept.folders} folders and "
            f"{swept.uploads} uploads moved into the trash"
        )
        if swept.refused:
            raise CommandError(swept.refused)
