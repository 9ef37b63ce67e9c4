"""The uploads of one round, and how each of them must end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, cycle

import requests

from bmat.tests.faults.samples import Expected, LongSample, small_samples
from bmat.tests.live.client import Client
from bmat.tests.live.multipart import CONTENT_TYPE

UPLOAD_SECONDS = 60.0
CLIENTS, PAUSE_SECONDS, MOST_POSTS = 2, 0.05, 150


class Uploads:
    """What was posted, told apart by the names of the files.

    `expected` has the end of each report by its file's name, also of those that the service may
    have taken in without the client's hearing of it. `accepted` are the pids that were answered
    with 201, `refused` the other answers.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self.expected: dict[str, Expected] = {}
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self._numbers = count()
        self._samples = cycle(small_samples())

    def post_long(self, sample: LongSample) -> requests.Response:
        """Upload a long report, whatever the answer."""
        name = f"long-{next(self._numbers)}.csv"
        self.expected[name] = sample.expected
        answer = requests.post(
            self.client.reports_url,
            data=sample.upload(name),
            headers={"Content-Type": CONTENT_TYPE},
            timeout=UPLOAD_SECONDS,
        )
        return self._noted(answer)

    def post_small(self) -> requests.Response | None:
        """Upload the next small sample, whatever the answer. None: there was none."""
        name, content = self.new_small()
        try:
            return self._noted(self.client.post(content, name))
        except requests.RequestException as error:
            self.refused.append(type(error).__name__)
            return None

    def new_small(self) -> tuple[str, bytes]:
        """The name and the content of the next small sample, for the caller to upload."""
        name, sample = f"small-{next(self._numbers)}.csv", next(self._samples)
        self.expected[name] = sample.expected
        return name, sample.content

    def _noted(self, answer: requests.Response) -> requests.Response:
        if answer.status_code == 201:
            self.accepted.append(str(answer.json()["pid"]))
        else:
            self.refused.append(str(answer.status_code))
        return answer

    @contextmanager
    def keep_coming(self) -> Iterator[None]:
        """For the time of the block, clients upload small reports, one after the other."""
        enough = threading.Event()

        def post() -> None:
            for _ in range(MOST_POSTS):
                self.post_small()
                if enough.wait(PAUSE_SECONDS):
                    return

        clients = [threading.Thread(target=post) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            enough.set()
            for client in clients:
                client.join()
