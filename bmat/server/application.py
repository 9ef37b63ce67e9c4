"""A WSGI application on granian's asynchronous interface (RSGI): the event loop waits for clients,
threads only work.

    head -> body of a form, read here, within limits --+
         -> body of an upload, as it comes ------------+-> WSGI application, in a thread -> answer

On granian's own WSGI interface, a thread waits for each byte of a body and for each reader of an
answer, without a time-out: as many slow clients as there are threads stop the service.
https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md
"""

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from bmat.server.answers import Answer, collected, send
from bmat.server.bodies import (
    FORM_BYTES,
    Body,
    BodyIncomplete,
    BodyTimedOut,
    BodyTooLarge,
    StreamedBody,
)

logger = logging.getLogger(__name__)

Environ = dict[str, Any]
WSGIApplication = Callable[..., Any]
COME_AGAIN_SECONDS = 5
DECISIVE_HEADERS = {
    *("accept", "accept-encoding", "authorization", "content-encoding", "content-type", "origin"),
    *("idempotency-key", "if-match", "if-modified-since", "if-none-match", "if-range"),
    *("if-unmodified-since", "range", "tus-resumable", "upload-checksum", "upload-concat"),
    *("upload-defer-length", "upload-length", "upload-metadata", "upload-offset", "x-csrftoken"),
    "x-http-method-override",
}
FAILED = "Something went wrong here. The log has the cause."


@dataclass(frozen=True)
class Threads:
    """How many requests the application works on at a time, and how many uploads beside them."""

    requests: int
    uploads: int


class Application:
    """What granian calls for each request: `granian --interface rsgi`.

    `is_upload` says by method and path whose bodies may be large: those are passed on as they come,
    and have threads of their own. Every other body is at most FORM_BYTES, and is here before a
    thread hears of the request; where one of an upload has broken off, what there is of it. A
    client may pause for `read_seconds` in all; each kilobyte that it sends gives it one second
    more.
    """

    def __init__(
        self,
        wsgi: WSGIApplication,
        is_upload: Callable[[str, str], bool],
        threads: Threads,
        read_seconds: float,
    ) -> None:
        self._wsgi = wsgi
        self._is_upload = is_upload
        self._read_seconds = read_seconds
        self._requests = ThreadPoolExecutor(threads.requests, "request")
        self._uploads = ThreadPoolExecutor(threads.uploads, "upload")
        self._free_uploads = threads.uploads

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        if unreadable := unreadable_header(scope):
            message = f"The header {unreadable} holds characters beyond ASCII."
            refuse(protocol, HTTPStatus.BAD_REQUEST, "bad_request", message)
            return
        environ = environ_of(scope)
        body = Body(protocol, environ, self._read_seconds)
        try:
            await self._answer(environ, body, protocol)
        except BodyTooLarge:
            message = f"The body of this request may have at most {FORM_BYTES} bytes."
            refuse(protocol, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "form_too_large", message)
        except BodyTimedOut as error:
            refuse(protocol, HTTPStatus.REQUEST_TIMEOUT, "request_timeout", str(error))
        except BodyIncomplete as error:
            refuse(protocol, HTTPStatus.BAD_REQUEST, "incomplete_body", str(error))
        await body.drain()

    async def _answer(self, environ: Environ, body: Body, protocol: Any) -> None:
        is_large = body.announced_bytes is None or body.announced_bytes > FORM_BYTES
        is_upload = self._is_upload(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if is_large and is_upload:
            await self._answer_upload(environ, body, protocol)
            return
        held = await body.held(FORM_BYTES)
        if held.error is None:
            environ["CONTENT_LENGTH"] = str(body.received_bytes)
        elif not is_upload:
            # Of an upload, what has come may count.
            raise held.error
        environ["wsgi.input"] = held
        await self._run(self._requests, environ, protocol, body)

    async def _answer_upload(self, environ: Environ, body: Body, protocol: Any) -> None:
        if not self._free_uploads:
            message = "As many uploads as this service takes at a time are under way. Try again."
            refuse(protocol, HTTPStatus.SERVICE_UNAVAILABLE, "too_many_uploads", message)
            return
        streamed = StreamedBody(body, asyncio.get_running_loop())
        environ["wsgi.input"] = streamed
        self._free_uploads -= 1
        try:
            await self._run(self._uploads, environ, protocol, body)
        finally:
            self._free_uploads += 1
            await streamed.stop()

    async def _run(
        self, pool: ThreadPoolExecutor, environ: Environ, protocol: Any, body: Body
    ) -> None:
        """Has a thread find the answer, and sends it."""
        loop = asyncio.get_running_loop()

        def in_thread(work: Callable[[], Any]) -> Awaitable[Any]:
            return loop.run_in_executor(self._requests, work)

        try:
            answer = await loop.run_in_executor(pool, collected, self._wsgi, environ)
        except Exception:
            logger.exception("the application failed")
            answer = error_answer(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", FAILED)
        await send(answer, protocol, environ["REQUEST_METHOD"], not body.is_over, in_thread)


def unreadable_header(scope: Any) -> str | None:
    """The name of a header that decides what is answered, and that granian leaves out of the items,
    for its value is not ASCII: the application would take it for one that was not sent.
    """
    left_out = set(scope.headers.keys()).difference(name for name, _ in scope.headers.items())
    return min(left_out & DECISIVE_HEADERS, default=None)


def environ_of(scope: Any) -> Environ:
    """The request's head as PEP 3333 has it."""
    server, _, port = scope.server.rpartition(":")
    client, _, client_port = scope.client.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": server.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        # The body ends by itself: there need not be a Content-Length.
        "wsgi.input_terminated": True,
    }
    if scope.authority:
        environ["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        # `X_Forwarded_For` would become what the proxy's `X-Forwarded-For` becomes.
        if "_" not in name:
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            glue = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{glue}{value}" if key in environ else value
    if "HTTP_TRANSFER_ENCODING" in environ:
        environ.pop("CONTENT_LENGTH", None)
    return environ


def refuse(protocol: Any, status: HTTPStatus, code: str, message: str) -> None:
    """Answers in the API's shape of errors, and has the connection closed."""
    answer = error_answer(status, code, message)
    protocol.response_bytes(status, [*answer.headers, ("Connection", "close")], answer.content)


def error_answer(status: HTTPStatus, code: str, message: str) -> Answer:
    content = json.dumps({"code": code, "message": message, "detail": message}).encode()
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append(("Retry-After", str(COME_AGAIN_SECONDS)))
    return Answer(status, headers, content)
