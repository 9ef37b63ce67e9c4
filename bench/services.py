"""The service that is measured: large reports, and their formats, have a worker of their own."""

from collections.abc import Mapping

from bmat.tests.live.stack import Stack


def workers_by_size(small_processes: int) -> Mapping[str, list[str]]:
    """What the start scripts of a worker for small reports, and of one for large ones, are told."""
    return {
        "small": ["--queues", "small", "--concurrency", str(small_processes)],
        "large": ["--queues", "large", "--concurrency", "1"],
    }


class LargeApart(Stack):
    """The service as it runs on a small machine."""

    worker_arguments = workers_by_size(small_processes=1)


class ProductionStack(Stack):
    """The service as production.yml has it: its settings, too."""

    small_processes = 4
    worker_arguments = workers_by_size(small_processes)

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "DJANGO_SETTINGS_MODULE": "config.settings.production",
            "DJANGO_SECRET_KEY": "for-the-time-of-this-measurement",
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            # The clients are nobody in particular, and many.
            "BMAT_REQUIRE_AUTH": "off",
            "BMAT_REQUEST_RATE": "none",
        }
