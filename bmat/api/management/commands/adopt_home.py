"""`manage.py adopt_home`: says that the files in BMAT_HOME belong to this database."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bmat.api.services import installation
from bmat.api.services.installation import Whose
from config.generated import FileUnusable


class Command(BaseCommand):
    help = (
        "Say that the files in BMAT_HOME belong to this database, where they belong to another or "
        "the service does not know."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *_: Any, yes: bool, **__: Any) -> None:
        """Raises CommandError where nobody agrees; then nothing is changed."""
        try:
            whose = installation.whose_files()
        except FileUnusable as error:
            raise CommandError(str(error)) from error
        if whose is Whose.OURS:
            self.stdout.write("The files belong to this database already.")
            return
        self.stdout.write(consequences())
        if not yes and not agreed():
            raise CommandError("Nothing was changed.")
        installation.adopt()
        self.stdout.write("The files belong to this database now.")


def consequences() -> str:
    """What comes of it, for somebody who has to decide."""
    sample = installation.sample()
    database = settings.DATABASES["default"]
    server = f" at {database['HOST']}" if database.get("HOST") else ""
    return (
        f"The files in {settings.BMAT_HOME} are to belong to the database "
        f"{database['NAME']}{server}.\n"
        f"Of {sample.folders} reports' folders that were looked at, {sample.known} have a report "
        "in it. The others, and their uploads, are then swept into the trash, and removed a week "
        "later.\nAnother database that has these files sweeps none of them from then on."
    )


def agreed() -> bool:
    """Whether somebody at the terminal says yes."""
    try:
        return input("Go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
