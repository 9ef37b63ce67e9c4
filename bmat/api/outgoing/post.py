"""One POST to a receiver of events: within BMAT_WEBHOOK_SECONDS in all, to an address that is
allowed, without redirects, and with at most 64 KiB read of the answer.
"""

import asyncio
import ssl
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import httpx
from django.conf import settings

from bmat import __version__
from bmat.api.outgoing.urls import Forbidden, resolve

ANSWER_BYTES = 2**16
HEADERS = {"Accept-Encoding": "identity", "User-Agent": f"bmat/{__version__}"}
PORTS = {"https": 443, "http": 80}
# Of the time, how much the connection to one of several addresses may take.
CONNECT_SHARE = 0.5

# The system gives no way to break off a question for an address. It is asked in these threads, so
# that nobody waits for the answer past the end of the attempt.
resolvers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolver")


@dataclass
class Answer:
    """What came of a POST. `status` is the answer's, None where there was none; then `error` is a
    word that says why.
    """

    status: int | None = None
    error: str = ""
    retry_after: str = ""
    seconds: float = 0.0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
    """Sends `content` to the URL. Raises nothing that the receiver can bring about."""
    answer = Answer()
    started = time.monotonic()
    asyncio.run(within_limits(answer, url, content, headers))
    answer.seconds = time.monotonic() - started
    return answer


async def within_limits(
    answer: Answer, url: str, content: bytes, headers: Mapping[str, str]
) -> None:
    """Fills in the answer, or why there is none."""
    error = ""
    try:
        async with asyncio.timeout(settings.BMAT_WEBHOOK_SECONDS):
            await exchange(answer, url, content, headers)
    except TimeoutError:
        error = "timeout"
    except Forbidden:
        error = "address_forbidden"
    except (OSError, UnicodeError):
        error = "name_unknown"
    except httpx.InvalidURL:
        error = "invalid_url"
    except httpx.ConnectTimeout:
        error = "timeout"
    except httpx.ConnectError as failure:
        is_tls = any(isinstance(each, ssl.SSLError) for each in causes(failure))
        error = "tls_failed" if is_tls else "connect_failed"
    except httpx.TransportError:
        error = "connection_lost"
    # The status is the receiver's word, however its answer goes on.
    answer.error = error if answer.status is None else ""


async def exchange(answer: Answer, url: str, content: bytes, headers: Mapping[str, str]) -> None:
    """Sends the request and reads the answer. Raises Forbidden, OSError, UnicodeError, and what
    httpx raises.
    """
    wanted = httpx.URL(url)
    timeout = httpx.Timeout(None, connect=settings.BMAT_WEBHOOK_SECONDS * CONNECT_SHARE)
    async with httpx.AsyncClient(
        # Neither proxies nor passwords of the environment.
        trust_env=False,
        proxy=settings.BMAT_WEBHOOK_PROXY or None,
        verify=tls_context(),
        timeout=timeout,
        follow_redirects=False,
        headers=HEADERS,
    ) as client:

        async def send(address: str) -> httpx.Response:
            request = client.build_request(
                "POST",
                wanted.copy_with(host=address),
                content=content,
                headers={**headers, "Host": wanted.netloc.decode("ascii")},
                # The certificate has to be that of the name, not of the address.
                extensions={"sni_hostname": host_of(wanted)},
            )
            return await client.send(request, stream=True)

        *others, last = await addresses_of(wanted)
        for address in others:
            # Where there is no connection, nothing was sent.
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await read(answer, await send(address))
        await read(answer, await send(last))


def host_of(url: httpx.URL) -> str:
    """The host's name or address, in ASCII."""
    return url.raw_host.decode("ascii")


async def addresses_of(url: httpx.URL) -> list[str]:
    """The addresses to try. A proxy is told the host's name."""
    if settings.BMAT_WEBHOOK_PROXY:
        return [host_of(url)]
    loop = asyncio.get_running_loop()
    port = url.port or PORTS[url.scheme]
    return await loop.run_in_executor(resolvers, resolve, host_of(url), port)


async def read(answer: Answer, response: httpx.Response) -> None:
    """Takes the status, and lets the receiver say something more."""
    answer.status = response.status_code
    answer.retry_after = response.headers.get("Retry-After", "")
    received_bytes = 0
    async for chunk in response.aiter_raw():
        received_bytes += len(chunk)
        if received_bytes >= ANSWER_BYTES:
            break
    await response.aclose()


def causes(error: BaseException) -> Iterator[BaseException]:
    """What has led to the error, the error itself first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


@cache
def tls_context() -> ssl.SSLContext:
    """Trusts the authorities that certifi names, or those of SSL_CERT_FILE or SSL_CERT_DIR."""
    return httpx.create_ssl_context()
