"""The Django app of reports: their rows, files and HTTP face."""

from django.apps import AppConfig
from django.core.checks import register

from bmat.api import checks


class ApiConfig(AppConfig):
    """Registers the system checks."""

    name = "bmat.api"
    verbose_name = "bmat"

    def ready(self) -> None:
        register(checks.check_folders)
        register(checks.check_lease)
        register(checks.check_public)
        register(checks.check_strangers, deploy=True)
        register(checks.check_downloads)
        register(checks.check_idempotency, deploy=True)
        register(checks.check_flower, deploy=True)
        register(checks.check_servers, deploy=True)
