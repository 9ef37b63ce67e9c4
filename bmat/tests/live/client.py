"""What a user's program does: upload, poll, download; through a real HTTP library."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from bmat.tests.live.processes import wait_until

ANSWER_SECONDS = 30.0
FINISH_SECONDS = 60.0
PROCESSING, DONE, FAILED, CANCELLED = range(4)

Body = dict[str, Any]


class Client:
    """The HTTP API at `base_url`, for who has the token, if one is given."""

    def __init__(self, base_url: str, token: str = "") -> None:
        self.base_url = base_url
        self.headers = {"Authorization": f"Token {token}"} if token else {}
        self.reports_url = f"{base_url}/api/reports/"

    def answers(self) -> bool:
        try:
            url = f"{self.base_url}/healthz"
            return requests.get(url, timeout=ANSWER_SECONDS).status_code == 200
        except requests.ConnectionError:
            return False

    def post(self, content: bytes, name: str = "plays.csv", **options: str) -> requests.Response:
        files = {"input_file": (name, content)}
        return self.send("POST", self.reports_url, files=files, data=options)

    def upload(self, content: bytes, name: str = "plays.csv", **options: str) -> str:
        """Upload a file that the service accepts; returns the report's pid."""
        answer = self.post(content, name, **options)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["pid"])

    def get(self, pid: str) -> requests.Response:
        return self.send("GET", f"{self.reports_url}{pid}")

    def delete(self, pid: str) -> requests.Response:
        return self.send("DELETE", f"{self.reports_url}{pid}")

    def send(self, method: str, url: str, **more: Any) -> requests.Response:
        headers = self.headers
        return requests.request(method, url, headers=headers, timeout=ANSWER_SECONDS, **more)

    def body(self, pid: str) -> Body:
        answer = self.get(pid)
        assert answer.status_code == 200, answer.text
        body: Body = answer.json()
        return body

    def finished(self, pid: str, seconds: float = FINISH_SECONDS) -> Body:
        """Poll until the report is no longer processing; returns its body."""
        what = f"report {pid} to finish"
        wait_until(lambda: self.body(pid)["status"] != PROCESSING, seconds, what)
        return self.body(pid)

    def done(self, pid: str, seconds: float = FINISH_SECONDS) -> Body:
        """Poll until the report is Done; fails where it ends otherwise."""
        body = self.finished(pid, seconds)
        assert body["status"] == DONE, body
        return body

    def totals(self, content: bytes, **options: str) -> bytes:
        """Upload, poll and download in one: the bytes of the output file."""
        return self.download(self.done(self.upload(content, **options)))

    def download(self, body: Body, which: str = "output_file") -> bytes:
        answer = self.send("GET", body[which])
        assert answer.status_code == 200, answer.text
        return answer.content


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails where the block takes longer than `seconds`."""
    started = time.monotonic()
    yield
    elapsed = time.monotonic() - started
    assert elapsed <= seconds, f"took {elapsed:.2f} s, more than {seconds} s"
