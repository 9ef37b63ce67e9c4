"""What ends a command or a call: each error has a stable code, and the exit code of its kind.

`Temporary` alone ends nothing: whoever meets it tries again (see retries.py).
"""

from collections.abc import Mapping, Sequence

from bmat.client.reports import Report

DONE, FAILED, MISUSED, CANCELLED, TOO_MANY_REJECTS, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

# What HTTP answers where the same request may do later: too slow, locked, too early, too much, a
# server or a disk that is away. A 500 is not among them: it would be the same again.
TEMPORARY_STATUSES = frozenset({408, 423, 425, 429, 502, 503, 504, 507})


class ClientError(Exception):
    """The text says what is wrong, where, and what to do."""

    code = "client_error"
    exit_code = FAILED


class SettingsError(ClientError):
    """An address, a token or a settings file that cannot be used."""

    code = "invalid_settings"
    exit_code = MISUSED


class UsageError(ClientError):
    """What was asked for does not go together."""

    code = "invalid_usage"
    exit_code = MISUSED


class NoService(ClientError):
    """Something answers, but it is not bmat, or is not reached safely."""

    code = "no_service"


class FileChanged(ClientError):
    """A file is not what it was when its upload began. Nothing is left of the upload."""

    code = "file_changed"


class FileBusy(ClientError):
    """Another process works on the same file or folder."""

    code = "file_busy"


class Unreachable(ClientError):
    """The service could not be reached, or had no room, for as long as was to be waited."""

    code = "unreachable"
    exit_code = UNREACHABLE


class Interrupted(ClientError):
    """Ctrl-C. The text says how to go on."""

    code = "interrupted"
    exit_code = INTERRUPTED


class ReportFailed(ClientError):
    """The report has ended as Failed."""

    code = "report_failed"

    def __init__(self, report: Report) -> None:
        error = report["error"] or {"code": "unknown", "message": "It does not say why."}
        super().__init__(f"{report['input_name']}: {error['code']}: {error['message']}")
        self.report = report


class ReportCancelled(ClientError):
    """The report has ended as Cancelled."""

    code = "report_cancelled"
    exit_code = CANCELLED

    def __init__(self, report: Report) -> None:
        pid = report["pid"]
        super().__init__(f"{report['input_name']}: it was cancelled. Go on: bmat retry {pid}")
        self.report = report


class TooManyRejects(ClientError):
    """The report is Done, and has rejected more than was allowed."""

    code = "too_many_rejects"
    exit_code = TOO_MANY_REJECTS


class ApiError(ClientError):
    """The service refuses: its `status`, `code` and message, and with `invalid` the `fields`.

    `was_repeated` says that an earlier attempt at the same request may have got through.
    """

    def __init__(
        self, status: int, code: str, message: str, fields: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.fields = {name: list(texts) for name, texts in fields.items()}
        self.was_repeated = False


class Temporary(Exception):
    """The attempt has failed, and may succeed later: in `retry_after_seconds`, where that is
    known.
    """

    def __init__(self, reason: str, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
