"""Clients that take their time: sockets that begin something, and leave it at that."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import requests

from bmat.tests.live.multipart import CONTENT_TYPE, before

SOCKETS = 200
# Others come from elsewhere: all of this network are this machine.
ELSEWHERE = "127.0.0.2"
READ_BYTES = 1000


def login(port: int) -> bytes:
    """A login that announces much and sends three bytes."""
    head = f"POST /api/auth/login HTTP/1.1\r\nHost: localhost:{port}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
    return head.encode() + b"abc"


def upload(port: int, token: str = "") -> bytes:
    """An upload of 1 GB that comes to rest after its first kilobyte."""
    head = f"POST /api/reports/ HTTP/1.1\r\nHost: localhost:{port}\r\n"
    head += f"Authorization: Token {token}\r\n" if token else ""
    head += f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: 1000000000\r\n\r\n"
    return head.encode() + before("slow.csv") + b"x" * 1000


def download(port: int, path: str, token: str = "") -> bytes:
    """A download that nobody reads."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n"
    head += f"Authorization: Token {token}\r\n" if token else ""
    return f"{head}\r\n".encode()


def nothing(_: int) -> bytes:
    """A connection on which nothing is asked."""
    return b""


@contextmanager
def waiting(port: int, sent: bytes, count: int = SOCKETS) -> Iterator[list[socket.socket]]:
    """For the time of the block, so many sockets have sent this, and read nothing."""
    with ExitStack() as opened:
        sockets = []
        for _ in range(count):
            client = socket.socket()
            opened.callback(client.close)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, READ_BYTES)
            client.connect(("127.0.0.1", port))
            client.settimeout(30)
            client.sendall(sent)
            sockets.append(client)
        yield sockets


def all_answered(sockets: list[socket.socket]) -> bool:
    """Whether each of the clients has the beginning of an answer. Waits for it, and takes none."""
    return all(client.recv(1, socket.MSG_PEEK) for client in sockets)


def status_of(client: socket.socket) -> int:
    """The status that a socket is answered with; 0 where it is closed without an answer."""
    try:
        return int(client.recv(READ_BYTES).split(b" ", 2)[1:2][0])
    except (IndexError, ConnectionError):
        return 0


class Other:
    """Somebody else, who comes from elsewhere."""

    def __init__(self, base_url: str, token: str = "") -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Token {token}"} if token else {})
        adapter = FromElsewhere()
        self._session.mount("http://", adapter)

    def slowest(self, count: int = 20) -> float:
        """The seconds that the slowest of some requests took: all are answered as ever. The first
        one waits until what the slow clients have sent was looked at, and does not count.
        """
        self._session.get(f"{self._base_url}/api/reports/", timeout=30)
        seconds = []
        for _ in range(count):
            started = time.monotonic()
            answer = self._session.get(f"{self._base_url}/api/reports/", timeout=30)
            seconds.append(time.monotonic() - started)
            assert answer.status_code == 200, answer.text
        return max(seconds)


class FromElsewhere(requests.adapters.HTTPAdapter):
    """Connections that come from ELSEWHERE."""

    def init_poolmanager(self, *arguments: object, **named: object) -> None:
        super().init_poolmanager(*arguments, source_address=(ELSEWHERE, 0), **named)  # type: ignore
