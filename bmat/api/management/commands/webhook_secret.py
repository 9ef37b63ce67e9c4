"""`python manage.py webhook_secret [USER]`: with what the events of callbacks are signed for which
their client gave no secret.
"""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from bmat.api.services.outbox import derived_secret


class Command(BaseCommand):
    """Prints the secret to standard output."""

    help = "Print the secret of one user's callbacks; without a user, of those that nobody owns."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", nargs="?", help="the name of the user who uploads")

    def handle(self, *_: Any, user: str | None, **__: Any) -> None:
        """Raises CommandError where there is no such user."""
        owner = None if user is None else User.objects.filter(username=user).first()
        if user is not None and owner is None:
            raise CommandError(f"There is no user {user!r}.")
        self.stdout.write(derived_secret(None if owner is None else owner.pk))
