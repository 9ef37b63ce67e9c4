"""Resumable uploads as clients send them: by a library, and by sockets that break."""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import requests

from bmat.tests.live.client import ANSWER_SECONDS, Client

VERSION = {"Tus-Resumable": "1.0.0"}
TYPE = "application/offset+octet-stream"
MIB = 2**20


class Resumable:
    """The uploads of a client."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.url = f"{client.base_url}/api/uploads/"
        self.headers = {**client.headers, **VERSION}

    def send(self, method: str, url: str, body: bytes = b"", **headers: str) -> requests.Response:
        """Sends a request; a `_` in a header's name stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(
            method, url, data=body, headers={**self.headers, **named}, timeout=ANSWER_SECONDS
        )

    def create(self, length: int, **headers: str) -> str:
        """Creates an upload; its address."""
        answer = self.send("POST", self.url, b"", Upload_Length=str(length), **headers)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def patch(self, url: str, offset: int, body: bytes) -> requests.Response:
        return self.send("PATCH", url, body, Upload_Offset=str(offset), Content_Type=TYPE)

    def offset(self, url: str) -> int:
        """How many bytes count."""
        return int(self.head(url)["Upload-Offset"])

    def head(self, url: str) -> Mapping[str, str]:
        answer = self.send("HEAD", url)
        assert answer.status_code == 200, answer.status_code
        return answer.headers

    @contextmanager
    def begun(self, url: str, offset: int, length: int, body: bytes) -> Iterator[socket.socket]:
        """A PATCH that announces that length, and has sent the body so far."""
        host, port, path = split(url)
        head = f"PATCH {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: {TYPE}\r\n"
        head += (
            f"Content-Length: {length}\r\nUpload-Offset: {offset}\r\nTus-Resumable: 1.0.0\r\n\r\n"
        )
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(head.encode() + body)
            yield connection


def split(url: str) -> tuple[str, int, str]:
    """Host, port and path of an address."""
    found = re.fullmatch(r"http://([^:/]+):(\d+)(/.*)", url)
    assert found is not None, url
    return found[1], int(found[2]), found[3]
