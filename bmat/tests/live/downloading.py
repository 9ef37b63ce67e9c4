"""Large results, and what curl makes of them when it is interrupted."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import requests

from bmat.tests.live.client import Client
from bmat.tests.live.generated_plays import HEADER
from bmat.tests.live.multipart import CONTENT_TYPE, StreamedUpload
from bmat.tests.live.processes import wait_until

ROWS_PER_BLOCK = 10_000
CURL = ["curl", "--silent", "--show-error", "--fail"]


class LargeResult:
    """An upload whose totals are about as large as itself: `blocks` of rows, each of another song,
    and of about 430 KB.
    """

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self.content_bytes = len(HEADER) + blocks * len(self._block(0))

    def upload_to(self, client: Client, seconds: float) -> str:
        """The pid of the report, which is Done."""
        body = StreamedUpload("large.csv", self._content, self.content_bytes)
        answer = requests.post(
            client.reports_url, data=body, headers={"Content-Type": CONTENT_TYPE}, timeout=seconds
        )
        assert answer.status_code == 201, answer.text
        pid = str(answer.json()["pid"])
        assert client.done(pid, seconds)["groups"] == self.blocks * ROWS_PER_BLOCK
        return pid

    def _content(self) -> Iterator[bytes]:
        yield HEADER
        for number in range(self.blocks):
            yield self._block(number)

    def _block(self, number: int) -> bytes:
        first = 10**9 + number * ROWS_PER_BLOCK
        return b"".join(
            b"A song of the night %d,2020-01-01,%d\n" % (song, song)
            for song in range(first, first + ROWS_PER_BLOCK)
        )


def interrupted(url: str, file: Path, wanted_bytes: int, rate: str) -> None:
    """Kills a curl that downloads at `rate` once it has `wanted_bytes`. It takes some 10 MB before
    it looks at the rate for the first time: the file has to be much larger.
    """
    command = [*CURL, "--limit-rate", rate, "--output", str(file), url]
    with subprocess.Popen(command) as curl:
        wait_until(lambda: size(file) >= wanted_bytes, 300, f"{wanted_bytes} bytes to arrive")
        curl.kill()


def resumed(url: str, file: Path) -> str:
    """Lets curl go on where it was; what the server answered, as `206 <bytes>`."""
    told = "%{http_code} %{size_download}"
    command = [*CURL, "--continue-at", "-", "--write-out", told, "--output", str(file), url]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
