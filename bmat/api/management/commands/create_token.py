"""`python manage.py create_token USER`: a new token for the API, printed once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from knox.models import AuthToken

from config.environment import MOST_DAYS


class Command(BaseCommand):
    """Prints the token to standard output, and all else beside it."""

    help = "Make a token for the API and print it, once. Earlier tokens stay valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", help="the name of the user whose token it is")
        parser.add_argument(
            "--days",
            type=float,
            default=settings.BMAT_TOKEN_DAYS,
            help="how long it is valid (default: BMAT_TOKEN_DAYS)",
        )
        parser.add_argument(
            "--create-user",
            action="store_true",
            help="make the user first: an ordinary one without a password, who has tokens alone",
        )

    def handle(self, *_: Any, user: str, days: float, create_user: bool, **__: Any) -> None:
        """Raises CommandError, and then makes nothing."""
        if not 0 < days <= MOST_DAYS:
            raise CommandError(f"--days must be above 0 and at most {MOST_DAYS}, not {days:g}.")
        owner = created_user(user) if create_user else known_user(user)
        row, token = AuthToken.objects.create(owner, expiry=timedelta(days=days))
        self.stderr.write(
            f"The token of {user}, valid until {row.expiry:%Y-%m-%d %H:%M} UTC. It is not kept "
            "here: this is the only time that it is shown."
        )
        self.stdout.write(token)


def known_user(name: str) -> User:
    """The user of that name. Raises CommandError."""
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(
            f"There is no user {name!r}. Add --create-user to make an ordinary one, or run "
            "`python manage.py createsuperuser` for one who sees every report."
        )
    if not found.is_active:
        raise CommandError(f"The user {name!r} is not active: no token of theirs would be valid.")
    return found


def created_user(name: str) -> User:
    """A new user of that name. Raises CommandError."""
    if User.objects.filter(username=name).exists():
        raise CommandError(f"There is a user {name!r} already. Leave --create-user out.")
    try:
        User.username_validator(name)
    except ValidationError as error:
        raise CommandError(f"{name!r} cannot be a name: {error.messages[0]}") from error
    return User.objects.create_user(name)
