"""A client in memory: what granian shows of one, and what reaches it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bmat.server.application import Application, Threads

# The rest of a body that never comes.
SILENCE = None
# A client that soon goes away reads so much.
BEGINNING_BYTES = 20_000


class Client:
    """Sends a request's chunks. What it was answered is in `status`, `headers` and `content`."""

    def __init__(self, *chunks: bytes | None, reads: bool = True) -> None:
        self._chunks = list(chunks)
        self._reads = reads
        self._reading: asyncio.Future[bytes] | None = None
        self.status = 0
        self.headers: dict[str, str] = {}
        self.content = b""
        self.sent_bytes = 0

    def __aiter__(self) -> "Client":
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        chunk = self._chunks.pop(0)
        if chunk is SILENCE:
            await asyncio.Event().wait()
        assert chunk is not None
        self.sent_bytes += len(chunk)
        return chunk

    def response_bytes(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.status, self.headers, self.content = status, dict(headers), content

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.response_bytes(status, headers, b"")

    def response_file_range(
        self, status: int, headers: list[tuple[str, str]], path: str, start: int, stop: int
    ) -> None:
        self.response_bytes(status, headers, Path(path).read_bytes()[start:stop])

    def response_file(self, status: int, headers: list[tuple[str, str]], path: str) -> None:
        self.response_bytes(status, headers, b"")
        read = self._all_of if self._reads else self._beginning_of
        self._reading = asyncio.get_running_loop().run_in_executor(None, read, path)

    async def received(self) -> None:
        """Waits until all of the answer is there."""
        if self._reading is not None:
            self.content = await self._reading

    def _all_of(self, path: str) -> bytes:
        return Path(path).read_bytes()

    def _beginning_of(self, path: str) -> bytes:
        with open(path, "rb", buffering=0) as pipe:
            return pipe.read(BEGINNING_BYTES)


def ask(
    wsgi: Any,
    client: Client,
    method: str = "POST",
    path: str = "/form",
    headers: Mapping[str, str] | None = None,
    read_seconds: float = 5.0,
) -> Client:
    """Sends one request of the client's to an application, whose uploads go to /upload."""

    def is_upload(method: str, path: str) -> bool:
        return path == "/upload"

    async def asked() -> None:
        application = Application(wsgi, is_upload, Threads(2, 1), read_seconds)
        await application.__rsgi__(scope(method, path, headers or {}), client)
        await client.received()

    asyncio.run(asked())
    return client


def scope(method: str, path: str, headers: Mapping[str, str]) -> Any:
    """The head of a request, as granian has it."""
    return SimpleNamespace(
        method=method,
        path=path,
        query_string="a=1",
        http_version="1.1",
        scheme="http",
        server="[::1]:8000",
        client="192.0.2.7:4711",
        authority=None,
        headers=headers,
    )


def length(content_bytes: int) -> dict[str, str]:
    return {"content-length": str(content_bytes)}


CHUNKED = {"transfer-encoding": "chunked"}
