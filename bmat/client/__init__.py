"""A client of the service that goes on where it broke off: `Client`, and `bmat` on a command line.

This package needs nothing of bmat's other parts, and is a distribution of its own, `bmat-client`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from bmat.client.errors import (
    ApiError,
    ClientError,
    FileBusy,
    FileChanged,
    NoService,
    ReportCancelled,
    ReportFailed,
    SettingsError,
    Unreachable,
    UsageError,
)
from bmat.client.reports import Inspection, Report, Row, Summary
from bmat.client.retries import RetryPolicy, Wait
from bmat.client.version import __version__

if TYPE_CHECKING:
    from bmat.client.client import Client
else:

    def __getattr__(name: str) -> object:
        # Loaded when it is first asked for: the HTTP library takes a fifth of a second.
        if name == "Client":
            return import_module("bmat.client.client").Client
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "ApiError",
    "Client",
    "ClientError",
    "FileBusy",
    "FileChanged",
    "Inspection",
    "NoService",
    "Report",
    "ReportCancelled",
    "ReportFailed",
    "RetryPolicy",
    "Row",
    "SettingsError",
    "Summary",
    "Unreachable",
    "UsageError",
    "Wait",
    "__version__",
]
