"""Requests to the service: what came of each, and attempts until something did."""

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from bmat.client.errors import (
    TEMPORARY_STATUSES,
    ApiError,
    ClientError,
    NoService,
    Temporary,
)
from bmat.client.reports import Report
from bmat.client.retries import OnWait, Retries, RetryPolicy, ignore
from bmat.client.settings import Settings
from bmat.client.version import __version__

# A server that says nothing for so long, or takes nothing, is as good as gone.
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# What stays on this machine goes through no proxy.
DIRECTLY = {f"all://{host}": None for host in ("127.0.0.1", "localhost", "[::1]")}
MOST_SHOWN_CHARACTERS = 200


class Connection:
    """The service that the settings name. Paths are those behind its `/api/`."""

    def __init__(
        self,
        settings: Settings,
        policy: RetryPolicy | None = None,
        on_wait: OnWait = ignore,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.policy = policy or RetryPolicy()
        self._on_wait = on_wait
        headers = {
            "User-Agent": f"bmat-client/{__version__}",
            "Accept": "application/json",
            # Lengths and ranges of downloads are those of the plain bytes.
            "Accept-Encoding": "identity",
        }
        if settings.token:
            headers["Authorization"] = f"Token {settings.token}"
        self._http = httpx.Client(
            headers=headers,
            timeout=TIMEOUT,
            verify=authorities(settings.url),
            transport=transport,
            mounts=None if transport else DIRECTLY,
        )

    def close(self) -> None:
        self._http.close()

    def retries(self) -> Retries:
        """The attempts at something that takes several requests."""
        return Retries(self.policy, self._on_wait)

    def url(self, path: str) -> str:
        """The address of a path of the API; of one with a slash in front, on the same server."""
        if path.startswith("/"):
            parts = urlsplit(self.settings.url)
            return f"{parts.scheme}://{parts.netloc}{path}"
        return f"{self.settings.url}/api/{path}"

    def attempt(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to one request. Raises Temporary where it may be sent again, and ApiError or
        NoService where that would not help.
        """
        with self._translated():
            response = self._http.request(method, self.url(path), **request)
        return checked(response)

    def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The answer to a request that may be sent more than once, however long it takes. Raises
        ApiError, NoService and Unreachable.
        """
        retries, was_repeated = self.retries(), False
        while True:
            try:
                return self.attempt(method, path, **request)
            except Temporary as failure:
                was_repeated = True
                retries.wait(failure)
            except ApiError as error:
                error.was_repeated = was_repeated
                raise

    @contextmanager
    def stream(
        self, path: str, headers: Mapping[str, str], params: Mapping[str, str]
    ) -> Iterator[httpx.Response]:
        """The answer to one GET, whose body is read in the block. Raises as `attempt` does, there
        too.
        """
        with self._translated():
            with self._http.stream(
                "GET", self.url(path), headers={"Accept": "*/*", **headers}, params=params
            ) as response:
                if response.status_code >= 300:
                    response.read()
                    checked(response)
                yield response

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Raises the client's errors for those of the HTTP library."""
        try:
            yield
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._translation_of(error) from error

    def _translation_of(self, error: httpx.RequestError) -> Exception:
        where = urlsplit(self.settings.url).netloc
        certificate = certificate_error(error)
        if certificate is not None:
            return NoService(
                f"{where}: its certificate is not trusted ({certificate.verify_message}). "
                "SSL_CERT_FILE names the file of the authorities to trust."
            )
        if isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol)):
            return ClientError(f"{where}: {error}")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return Temporary(f"{where} cannot be reached: {text_of(error)}")
        return Temporary(f"the connection to {where} broke: {text_of(error)}")


def report_path(pid: str, behind: str = "") -> str:
    """The path of a report, or of something behind it; no other, whatever `pid` holds."""
    return f"reports/{quote(pid, safe='')}{behind}"


def authorities(url: str) -> ssl.SSLContext | bool:
    """Whose certificates are trusted: those that the HTTP library finds. Without TLS nobody's are,
    and the tenth of a second is saved that it takes to load them.
    """
    return True if url.startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The error about a certificate that this one comes from; None where there is none."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLCertVerificationError):
        found = found.__cause__ or found.__context__
    return found


def text_of(error: Exception) -> str:
    return str(error) or type(error).__name__


def checked(response: httpx.Response) -> httpx.Response:
    """The response, where it is an answer. Raises ApiError, NoService and Temporary."""
    status = response.status_code
    if status < 300 or status == 304:
        return response
    if status < 400:
        target = response.headers.get("Location", "elsewhere")
        raise NoService(f"The service is at another address ({target}): set BMAT_URL to that one.")
    code, message, fields = error_of(response)
    if status in TEMPORARY_STATUSES:
        raise Temporary(f"{code}: {message}", retry_after(response))
    raise ApiError(status, code, message, fields)


def error_of(response: httpx.Response) -> tuple[str, str, Mapping[str, Sequence[str]]]:
    """The code, the message and the fields of an error's answer, whoever has written it."""
    try:
        body = response.json()
        return body["code"], body["message"], body.get("fields", {})
    except (ValueError, LookupError, TypeError):
        text = response.text.strip()[:MOST_SHOWN_CHARACTERS] or response.reason_phrase
        return f"http_{response.status_code}", text, {}


def retry_after(response: httpx.Response) -> float:
    """For how many seconds the service asks to be left alone; 0 where it does not."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def json_of(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises NoService where it is none."""
    try:
        return response.json()
    except json.JSONDecodeError as error:
        where = urlsplit(str(response.url)).netloc
        raise NoService(f"{where} answers, but not as bmat does: look at BMAT_URL.") from error


def report_of(response: httpx.Response) -> Report:
    """The report that an answer shows. Raises NoService."""
    report: Report = json_of(response)
    return report
