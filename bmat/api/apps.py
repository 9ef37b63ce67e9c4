"""The Django app of reports: their rows, files and HTTP face."""

from typing import Any

from django.apps import AppConfig
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_migrate


class ApiConfig(AppConfig):
    """Registers the system checks. Home and database get their id when the database is migrated,
    which each start of a service begins with.
    """

    name = "bmat.api"
    verbose_name = "bmat"

    def ready(self) -> None:
        from bmat.api import checks  # noqa: F401

        post_migrate.connect(claim_home, sender=self)


def claim_home(using: str, **_: Any) -> None:
    """Gives home and database the same id, where they have none and the files fit. Where they do
    not, check W003 has said so.
    """
    from bmat.api.models import Installation
    from bmat.api.services import installation

    if using == DEFAULT_DB_ALIAS and installation.has_table(Installation):
        installation.objection()
