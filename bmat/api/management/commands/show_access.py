"""`manage.py show_access`: what each start of the service says about who may come."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand

from config import hosts


class Command(BaseCommand):
    help = (
        "Say how to make a first user, where one is needed and there is none; and which host names "
        "are answered, where other machines reach the service. Else say nothing."
    )

    def handle(self, *_: Any, **__: Any) -> None:
        for line in [*about_hosts(), *about_users()]:
            self.stdout.write(line)


def about_hosts() -> list[str]:
    """Under which names other machines reach a service that listens on all addresses."""
    if not hosts.is_wildcard(getattr(settings, "HOST", "")):
        return []
    return [
        f"Answers to these hosts: {', '.join(settings.ALLOWED_HOSTS)}",
        "Start with DJANGO_ALLOWED_HOSTS=NAME,NAME to add others.",
    ]


def about_users() -> list[str]:
    """How to make a first user."""
    if not settings.BMAT_REQUIRE_AUTH or User.objects.exists():
        return []
    return [
        "Requests need a token, and there is no user yet. This makes one, and prints a token:",
        f"  {manage('create_token', 'NAME', '--create-user')}",
        "And this makes one who may open /admin/ and sees every report:",
        f"  {manage('createsuperuser')}",
    ]


def manage(*arguments: str) -> str:
    """A command line for this service, to be typed in the project's folder. Passwords are not
    shown: who has set DATABASE_URL has to set it again.
    """
    python = Path(sys.executable)
    if python.is_relative_to(settings.BASE_DIR):
        python = python.relative_to(settings.BASE_DIR)
    set_before = ["DATABASE_URL=..."] if os.environ.get("DATABASE_URL") else []
    if settings.BMAT_HOME != settings.BASE_DIR / "var":
        set_before.append(f"BMAT_HOME={shlex.quote(str(settings.BMAT_HOME))}")
    return " ".join([*set_before, shlex.join([str(python), "manage.py", *arguments])])
