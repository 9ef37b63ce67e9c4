"""What an upload costs: a POST of UPLOAD_BYTES to the service, against the same bytes copied from a
socket to a disk by the barest program that could do it. Both end with an fsync.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from socket import SHUT_WR, create_connection, socket
from statistics import median

from bmat.tests.live.multipart import AFTER, before, request_head

UPLOAD_BYTES, ROUNDS = 10**9, 5
CHUNK = (b"Song number 1 of the charts,2020-01-01,12\n" * 30_000)[: 10**6]
# Listens, says where, and writes what so many connections bring to a file, one after the other.
COPY = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
chunk = memoryview(bytearray(2**20))
with open(sys.argv[1], "wb", buffering=0) as file:
    for _ in range(int(sys.argv[2])):
        connection = listener.accept()[0]
        while size := connection.recv_into(chunk):
            file.write(chunk[:size])
        os.fsync(file.fileno())
        connection.sendall(b"HTTP/1.1 201 ")
"""


def times_a_copy(port: int, folder: Path, clear: Callable[[], None]) -> float:
    """How many times as long as a copy a POST takes, by the median of some rounds. `clear` removes
    what was posted.
    """
    ratios = []
    for _ in range(ROUNDS):
        copied = copy_seconds(folder / "copy")
        posted = post_seconds(port)
        clear()
        ratios.append(posted / copied)
        print(f"1 GB: copied in {copied:.2f} s, posted in {posted:.2f} s", flush=True)
    return median(ratios)


def copy_seconds(target: Path, pieces: Sequence[int] = (UPLOAD_BYTES,)) -> float:
    """How long it takes to copy so many bytes on a connection each, with an fsync for each."""
    command = [sys.executable, "-c", COPY, str(target), str(len(pieces))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as to:
        assert to.stdout is not None
        port = int(to.stdout.readline())
        seconds = sum(sent_seconds(port, b"", b"", length) for length in pieces)
    target.unlink()
    return seconds


def post_seconds(port: int) -> float:
    first = before("big.csv")
    length = len(first) + UPLOAD_BYTES + len(AFTER)
    # What the proxy says that ends TLS.
    head = request_head(port, length).replace(b"\r\n\r\n", b"\r\nX-Forwarded-Proto: https\r\n\r\n")
    return sent_seconds(port, head + first, AFTER)


def sent_seconds(port: int, head: bytes, tail: bytes, length: int = UPLOAD_BYTES) -> float:
    """From the first byte to the answer, which must be 201."""
    with create_connection(("127.0.0.1", port), timeout=300) as connection:
        started = time.monotonic()
        send(connection, head, tail, length)
        answer = connection.recv(13)
        seconds = time.monotonic() - started
    assert answer == b"HTTP/1.1 201 ", answer
    return seconds


def send(connection: socket, head: bytes, tail: bytes, length: int) -> None:
    """Sends all. The copy's end is that of the connection's sending side."""
    connection.sendall(head)
    for chunk in chunks(length):
        connection.sendall(chunk)
    connection.sendall(tail)
    if not tail:
        connection.shutdown(SHUT_WR)


def chunks(length: int) -> Iterator[bytes]:
    """So many bytes."""
    for start in range(0, length, len(CHUNK)):
        yield CHUNK[: length - start]
