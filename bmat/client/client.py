"""The service, as a Python program uses it."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from bmat.client.connection import Connection, json_of, report_of, report_path, retry_after
from bmat.client.downloads import Download, OnReceived, download, write_into
from bmat.client.errors import ApiError, ReportCancelled, ReportFailed, Temporary, UsageError
from bmat.client.reports import (
    OPTIONS,
    STATES,
    Inspection,
    Report,
    Row,
    State,
    Summary,
    Token,
    is_processing,
)
from bmat.client.retries import OnWait, RetryPolicy, ignore
from bmat.client.settings import Settings
from bmat.client.submissions import OnSent, Submission, Submitter
from bmat.client.uploads import Source

# As much of a file as its preview looks at.
HEAD_BYTES = 2**16
POLL_SECONDS, LONGEST_POLL_SECONDS = 1.0, 60.0
MOST_ROWS_OF_A_PAGE, MOST_REPORTS_OF_A_PAGE = 1000, 500
BASE = "base"
NOT_FOUND, NOT_RETRYABLE = 404, "not_retryable"

OnReport = Callable[[Report], None]
# What an option may be given as.
Value = str | int | bool | Sequence[str] | None


class Client:
    """The service at `url`, for who has the token, if one is given.

    What may succeed later is tried again until nothing has come of it for as long as the `policy`
    says; `on_wait` is told of each pause. Methods raise ApiError where the service refuses,
    Unreachable where the time is over, NoService where something else answers.
    """

    def __init__(
        self,
        url: str = Settings.url,
        token: str = "",
        *,
        insecure_http: bool = False,
        policy: RetryPolicy | None = None,
        on_wait: OnWait = ignore,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        settings = Settings(url, token, insecure_http)
        self._connection = Connection(settings, policy, on_wait, transport)
        self._submitter = Submitter(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        return self._connection.settings.url

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def submit(
        self,
        *paths: Path | str,
        options: Mapping[str, Value] | None = None,
        key: str | None = None,
        on_sent: OnSent = ignore,
    ) -> Report:
        """One report of all files. A call that was interrupted, by whatever, is gone on with by the
        next one with the same files and options. The same `key` gives the same report.

        `options` are those of reports.OPTIONS, and `base`. `on_sent` is told of a file how many of
        its bytes have arrived. Raises also FileChanged, FileBusy, UsageError and OSError.
        """
        if not paths:
            raise UsageError("Name a file to submit.")
        sources = [Source.of(Path(path)) for path in paths]
        submission = Submission(sources, form_of(options or {}))
        return self._submitter.submit(submission, key, on_sent)

    def report(self, pid: str) -> Report:
        """The report as it is now."""
        return report_of(self._connection.request("GET", report_path(pid)))

    def wait(self, pid: str, on_report: OnReport = ignore) -> Report:
        """The report, once it is Done. `on_report` is told of each change until then. Raises also
        ReportFailed and ReportCancelled.
        """
        headers: dict[str, str] = {}
        while True:
            answer = self._connection.request("GET", report_path(pid), headers=headers)
            # An answer 304 says that nothing has changed: there is a report from before.
            if answer.status_code == 200:
                report = report_of(answer)
                on_report(report)
                if not is_processing(report):
                    return done(report)
                etag = answer.headers.get("ETag")
                headers = {"If-None-Match": etag} if etag else {}
            time.sleep(min(retry_after(answer) or POLL_SECONDS, LONGEST_POLL_SECONDS))

    def reports(
        self,
        *,
        states: Sequence[State] = (),
        input_name: str = "",
        created_after: str = "",
        created_before: str = "",
        error_code: str = "",
        page_size: int = MOST_REPORTS_OF_A_PAGE,
    ) -> Iterator[Report]:
        """The reports, newest first; those in one of the states, with this in the file's name, made
        between two times, failed by a code.
        """
        params: dict[str, str | list[str]] = {
            "input_name": input_name,
            "created_after": created_after,
            "created_before": created_before,
            "error_code": error_code,
            "page_size": str(page_size),
            "status": [str(STATES.index(state)) for state in states],
        }
        given = {name: value for name, value in params.items() if value}
        yield from self._pages("reports/", given, "results")

    def rows(self, pid: str, **question: Value) -> Iterator[Row]:
        """Totals, in the order asked for. `question` are the parameters of the API: song,
        song_prefix, contains, from_, to, grain, order, ...
        """
        params = form_of(question, known=None)
        params.setdefault("limit", str(MOST_ROWS_OF_A_PAGE))
        yield from self._pages(report_path(pid, "/rows"), params, "rows")

    def summary(self, pid: str) -> Summary:
        """Counts, the songs with the most plays, the plays per day."""
        summary: Summary = json_of(self._connection.request("GET", report_path(pid, "/summary")))
        return summary

    def compare(self, pid: str, earlier: str, **question: Value) -> dict[str, Any]:
        """What is new, gone, up and down since the report `earlier`."""
        params = {"with": earlier, **form_of(question, known=None)}
        changes: dict[str, Any] = self._written(report_path(pid, "/compare"), params)
        return changes

    def download(
        self,
        pid: str,
        target: Path | str | IO[bytes],
        *,
        format: str = "csv",
        excel_safe: bool = False,
        on_received: OnReceived = ignore,
    ) -> None:
        """Put the totals in their place, whole, or write them into an open stream. A call that was
        interrupted is gone on with by the next one to the same place. Raises also OSError.
        """
        params = {"format": format, **({"excel_safe": "1"} if excel_safe else {})}
        self._download(Download(report_path(pid, "/output"), params), target, on_received)

    def rejects(
        self,
        pid: str,
        target: Path | str | IO[bytes],
        *,
        excel_safe: bool = False,
        on_received: OnReceived = ignore,
    ) -> None:
        """The same for the records that were not counted. ApiError `no_file` says that all were."""
        params = {"excel_safe": "1"} if excel_safe else {}
        self._download(Download(report_path(pid, "/rejects"), params), target, on_received)

    def cancel(self, pid: str) -> Report:
        """Stop the report, and keep it as Cancelled."""
        return report_of(self._connection.request("POST", report_path(pid, "/cancel")))

    def retry(self, pid: str) -> Report:
        """Start a Failed or Cancelled report again."""
        try:
            answer = self._connection.request("POST", report_path(pid, "/retry"))
        except ApiError as error:
            # An earlier attempt, whose answer was lost, may have started it.
            if error.was_repeated and error.code == NOT_RETRYABLE:
                return self.report(pid)
            raise
        return report_of(answer)

    def delete(self, pid: str) -> None:
        """Remove the report with its files."""
        try:
            self._connection.request("DELETE", report_path(pid))
        except ApiError as error:
            if not (error.was_repeated and error.status == NOT_FOUND):
                raise

    def inspect(self, path: Path | str, options: Mapping[str, Value] | None = None) -> Inspection:
        """How the file would be read, by its beginning. Raises also OSError."""
        with Path(path).open("rb") as file:
            head = file.read(HEAD_BYTES)
        answer = self._connection.request(
            "POST",
            "inspect",
            files={"input_file": (Path(path).name, head)},
            data=form_of(options or {}),
        )
        inspection: Inspection = json_of(answer)
        return inspection

    def login(self, name: str, password: str) -> Token:
        """A new token for a name and a password. Raises also SettingsError where others could read
        these on their way.
        """
        self._connection.settings.check_secrecy("A password")
        login = {"username": name, "password": password}
        token: Token = json_of(self._connection.request("POST", "auth/login", json=login))
        return token

    def logout(self) -> None:
        """Revoke the token that this client sends."""
        self._connection.request("POST", "auth/logout")

    def _download(
        self, wanted: Download, target: Path | str | IO[bytes], on_received: OnReceived
    ) -> None:
        if isinstance(target, Path | str):
            download(self._connection, wanted, Path(target), on_received)
        else:
            write_into(self._connection, wanted, target, on_received)

    def _pages(self, path: str, params: Mapping[str, Any], key: str) -> Iterator[Any]:
        """What is listed under `key`, page by page."""
        following: Mapping[str, Any] | None = params
        while following is not None:
            page = self._written(path, following)
            yield from page[key]
            # Only the question is taken from the address of the next page: the server behind a
            # proxy may not know where it is reached.
            following = parse_qs(urlsplit(page["next"]).query) if page["next"] else None

    def _written(self, path: str, params: Mapping[str, Any]) -> Any:
        """The JSON of an answer that the service may have to prepare first."""
        retries = self._connection.retries()
        while True:
            answer = self._connection.request("GET", path, params=params)
            if answer.status_code != 202:
                return json_of(answer)
            reason = "the result is being prepared for questions"
            retries.wait(Temporary(reason, retry_after(answer)))


def done(report: Report) -> Report:
    """The report, which has ended. Raises ReportFailed and ReportCancelled."""
    if report["state"] == "failed":
        raise ReportFailed(report)
    if report["state"] == "cancelled":
        raise ReportCancelled(report)
    return report


def form_of(
    values: Mapping[str, Value], known: Sequence[str] | None = (*OPTIONS, BASE)
) -> dict[str, str]:
    """The values that were given, as a form has them: `from_` stands for `from`. Raises UsageError
    for a name that is not among the known ones.
    """
    form = {}
    for name, value in values.items():
        if value is None or value is False:
            continue
        if known is not None and name not in known:
            raise UsageError(f"There is no option {name!r}; there are {', '.join(known)}.")
        text = ",".join(value) if isinstance(value, list | tuple) else str(value)
        form[name.rstrip("_")] = "true" if value is True else text
    return form
