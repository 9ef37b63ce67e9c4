"""The body of a request: awaited within limits by the event loop, and handed to a thread as it
comes.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO, RawIOBase
from threading import Condition
from typing import Any

# All of a form is held in memory, and of an upload what its thread has not taken yet.
FORM_BYTES = 2**16
AHEAD_BYTES = 2**21
# What a client must send in a second, once it has used up its time.
LEAST_BYTES_PER_SECOND = 1000
# A client that sends on after its answer would not read it: so much is read and dropped.
DRAINED_BYTES, DRAIN_SECONDS = 2**26, 5.0
# A thread that waits for bytes looks so often whether it still should.
IDLE_SECONDS = 1.0


class BodyTooLarge(Exception):
    """The body is larger than it may be."""


class BodyTimedOut(TimeoutError):
    """The client was too slow."""


class BodyIncomplete(OSError):
    """The connection ended before the body."""


class Body:
    """The body as granian has it. `announced_bytes` is None where only its end will tell."""

    def __init__(self, protocol: Any, environ: dict[str, Any], read_seconds: float) -> None:
        self._chunks = protocol.__aiter__()
        self._left_seconds = read_seconds
        self._expects_continue = "HTTP_EXPECT" in environ
        self.announced_bytes = announced_bytes(environ)
        self.received_bytes = 0
        # Whether the last byte has come, or the connection has ended.
        self.is_over = self.announced_bytes == 0

    async def chunk(self) -> bytes:
        """What has come next; nothing at the end. Raises BodyTimedOut and BodyIncomplete."""
        if self.is_over:
            return b""
        started = time.monotonic()
        chunk = b""
        try:
            async with asyncio.timeout(self._left_seconds):
                while not chunk:
                    chunk = await self._chunks.__anext__()
        except StopAsyncIteration:
            self.is_over = True
            if self.announced_bytes not in (None, self.received_bytes):
                raise BodyIncomplete("The request ended before all of it had arrived.") from None
            return b""
        except TimeoutError:
            self.is_over = True
            raise BodyTimedOut("The request came too slowly. Send it again.") from None
        self.received_bytes += len(chunk)
        self._left_seconds += len(chunk) / LEAST_BYTES_PER_SECOND - (time.monotonic() - started)
        self.is_over = self.received_bytes == self.announced_bytes
        return chunk

    async def held(self, most_bytes: int) -> "HeldBody":
        """All that comes of it. Raises BodyTooLarge, unread where its length is announced."""
        if (self.announced_bytes or 0) > most_bytes:
            raise BodyTooLarge
        content, error = bytearray(), None
        try:
            while chunk := await self.chunk():
                content += chunk
                if len(content) > most_bytes:
                    raise BodyTooLarge
        except (BodyTimedOut, BodyIncomplete) as broken:
            error = broken
        return HeldBody(bytes(content), error)

    async def drain(self) -> None:
        """Reads on after the answer, for a while. A client that has heard no "100 Continue" sends
        nothing.
        """
        if self.is_over or self._expects_continue and not self.received_bytes:
            return
        until_bytes = self.received_bytes + DRAINED_BYTES
        with suppress(TimeoutError, BodyIncomplete):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self.received_bytes < until_bytes and await self.chunk():
                    pass


def announced_bytes(environ: dict[str, Any]) -> int | None:
    """The length of the body, from the request's head."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    length = environ.get("CONTENT_LENGTH", "")
    return int(length) if length.isascii() and length.isdigit() else 0


class HeldBody(BytesIO):
    """A body that is in memory. Where the rest of it did not come, `error` says why, and is raised
    behind what did.
    """

    def __init__(self, content: bytes, error: OSError | None) -> None:
        super().__init__(content)
        self.error = error

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(size)
        if not chunk and self.error is not None:
            raise self.error
        return chunk


class StreamedBody(RawIOBase):
    """The `wsgi.input` of an upload, for one thread. Nothing is read before the thread reads: so a
    client that waits for "100 Continue" sends nothing that is refused.

    `while_waiting` is called in that thread each time nothing has come for IDLE_SECONDS; what it
    raises ends the wait.
    """

    def __init__(self, body: Body, loop: asyncio.AbstractEventLoop) -> None:
        self._body = body
        self._loop = loop
        self._changed = Condition()
        self._chunks: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_over = False
        self._error: Exception | None = None
        self._has_room = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._is_started = False
        self.while_waiting: Callable[[], None] = lambda: None

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, as soon as there are some; none at the end. Raises BodyTimedOut and
        BodyIncomplete.
        """
        if size < 0:
            return b"".join(iter(lambda: self.read(AHEAD_BYTES), b""))
        self._start()
        with self._changed:
            while not self._changed.wait_for(self._has_news, IDLE_SECONDS):
                self.while_waiting()
            if not self._chunks:
                if self._error is not None:
                    raise self._error
                return b""
            chunk = self._chunks.popleft()
            if len(chunk) > size:
                self._chunks.appendleft(chunk[size:])
                chunk = chunk[:size]
            was_full = self._waiting_bytes >= AHEAD_BYTES
            self._waiting_bytes -= len(chunk)
            if was_full and self._waiting_bytes < AHEAD_BYTES:
                self._loop.call_soon_threadsafe(self._has_room.set)
            return chunk

    def _has_news(self) -> bool:
        return bool(self._chunks) or self._is_over

    async def stop(self) -> None:
        """Nobody reads any more: the body can be drained."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])

    def _start(self) -> None:
        if not self._is_started:
            self._is_started = True
            self._loop.call_soon_threadsafe(self._start_pump)

    def _start_pump(self) -> None:
        self._pump = self._loop.create_task(self._fill())

    async def _fill(self) -> None:
        """Takes chunks from the client, never many more than the thread has taken."""
        try:
            while chunk := await self._body.chunk():
                with self._changed:
                    self._chunks.append(chunk)
                    self._waiting_bytes += len(chunk)
                    is_full = self._waiting_bytes >= AHEAD_BYTES
                    self._changed.notify()
                    self._has_room.clear()
                if is_full:
                    await self._has_room.wait()
            self._end(None)
        except (BodyTimedOut, BodyIncomplete) as error:
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        with self._changed:
            self._is_over, self._error = True, error
            self._changed.notify()
