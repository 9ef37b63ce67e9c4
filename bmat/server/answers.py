"""The answer of a WSGI application, and how it is sent: whole, as a file that granian reads by
itself, or through a pipe as it is made. None of them holds a thread while the client reads.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

# An answer up to this size is sent whole. Past it, a pipe holds what the client has not taken.
WHOLE_BYTES = 2**16
# For granian to open its end of a pipe.
OPEN_SECONDS = 10.0

Headers = list[tuple[str, str]]
InThread = Callable[[Callable[[], Any]], Awaitable[Any]]


@dataclass(frozen=True)
class Answer:
    """`content` is the whole body, or its beginning where there is a `rest`. A `file` is a path,
    and the first byte and the one behind the last that are sent of it.
    """

    status: int
    headers: Headers
    content: bytes
    rest: Iterator[bytes] | None = None
    close: Callable[[], None] = lambda: None
    file: tuple[str, int, int] | None = None


def collected(application: Callable[..., Any], environ: dict[str, Any]) -> Answer:
    """Runs the application, and takes as much of its answer as is sent whole."""
    started: list[Any] = []

    def start_response(status: str, headers: Headers, _: Any = None) -> None:
        started[:] = int(status[:3]), headers

    body = application(environ, start_response)
    close = getattr(body, "close", lambda: None)
    file = getattr(body, "file_to_send", None)
    is_whole = file is not None
    chunks: list[bytes] = []
    try:
        pieces = iter(body)
        while not is_whole and sum(map(len, chunks)) <= WHOLE_BYTES:
            piece = next(pieces, None)
            is_whole = piece is None
            chunks.append(piece or b"")
        if not getattr(body, "streaming", True):
            # Of any size, for it is in memory as it is.
            chunks += pieces
            is_whole = True
    except BaseException:
        close()
        raise
    if is_whole:
        close()
        return Answer(started[0], started[1], b"".join(chunks), file=file)
    return Answer(started[0], started[1], b"".join(chunks), pieces, close)


async def send(
    answer: Answer, protocol: Any, method: str, closes: bool, in_thread: InThread
) -> None:
    """Sends the answer; `closes` the connection behind it where the client may still be sending."""
    headers = [*answer.headers, ("Connection", "close")] if closes else answer.headers
    if answer.file is not None:
        protocol.response_file_range(answer.status, headers, *answer.file)
    elif answer.rest is not None:
        await send_through_pipe(answer, protocol, headers, in_thread)
    elif method == "HEAD":
        # As a stream of nothing: any other empty body would be given a Content-Length of 0.
        protocol.response_stream(answer.status, headers)
    else:
        protocol.response_bytes(answer.status, headers, answer.content)


async def send_through_pipe(
    answer: Answer, protocol: Any, headers: Headers, in_thread: InThread
) -> None:
    """Sends what is being made: granian reads a pipe, and never more than the client takes. (Its
    own streams hold without a limit what the client has not taken.)
    """
    pieces = answer.rest or iter(())
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        protocol.response_file(answer.status, headers, f"/dev/fd/{reader}")
        # The first piece is larger than the pipe: once there is room again, granian has opened it.
        # From then on, nobody else may have it open for reading when the client goes away.
        left = answer.content[os.write(writer, answer.content) :]
        async with asyncio.timeout(OPEN_SECONDS):
            await writable(writer)
        os.close(reader)
        reader = -1
        await write(writer, left)
        while (piece := await in_thread(lambda: next(pieces, None))) is not None:
            await write(writer, piece)
    except (BrokenPipeError, TimeoutError):
        pass  # The client has gone away.
    finally:
        for end in (reader, writer):
            if end >= 0:
                os.close(end)
        await in_thread(answer.close)


async def write(descriptor: int, piece: bytes) -> None:
    """Writes all of the piece to a pipe. Raises BrokenPipeError where nobody reads any more."""
    left = memoryview(piece)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            await writable(descriptor)


async def writable(descriptor: int) -> None:
    """Waits until a pipe has room, or no reader."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(descriptor)
