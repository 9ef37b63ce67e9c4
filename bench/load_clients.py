"""The clients of `make load`: many with small reports, and one who always has a big one at work."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

import requests

from bench.empty_rate import Rates
from bmat.tests.faults.database import Database
from bmat.tests.faults.samples import LongSample
from bmat.tests.live.client import DONE
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.multipart import AFTER, CONTENT_TYPE, before
from bmat.tests.live.processes import wait_until
from bmat.tests.live.stack import Stack

CLIENTS, REPORTS, BIG_BYTES = 20, 300, 10**9
SMALL_ROWS = 1000
PATH = "/api/reports/"
# A client asks again after what Retry-After tells it.
POLL_SECONDS, ANSWER_SECONDS, PHASE_SECONDS = 1.0, 60.0, 300.0
# What the proxy says that ends TLS: the settings of production send everybody else there.
FORWARDED = {"X-Forwarded-Proto": "https"}


@dataclass(frozen=True)
class Phase:
    """What became of one phase's reports. `seconds` are those from POST to Done, sorted."""

    accepted: int
    errors: int
    seconds: list[float]
    rates: Rates

    def at(self, share: float) -> float:
        """The time within which `share` of the reports were Done."""
        return self.seconds[min(int(len(self.seconds) * share), len(self.seconds) - 1)]

    def shown(self, name: str) -> str:
        times = "  ".join(
            f"p{share * 100:.0f} {self.at(share):.3f} s" for share in (0.5, 0.95, 0.99)
        )
        return (
            f"{name:<28} accepted {self.accepted}  finished {len(self.seconds)}  "
            f"errors {self.errors}  {times}  {self.rates.overall:.1f} reports/s"
        )


class KeptConnection(threading.local):
    """Each client's own connection, which is kept. The clients share the processors with what they
    measure: so they are as cheap as those that send empty tasks.
    """

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, Any]:
        """The status, and the JSON of the answer."""
        self._connection.request(method, path, body, FORWARDED | headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())


class Load:
    """The clients of a running service."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.database = Database(stack.postgres.port)
        self.connection = KeptConnection(stack.web_port)
        content = as_csv(plays(SMALL_ROWS, songs=100))[0]
        self.body = before("plays.csv") + content + AFTER

    def phase(self, polls: bool) -> Phase:
        """CLIENTS clients post REPORTS reports; those who poll post the next when one is Done."""
        posted: dict[str, float] = {}

        def post(_: int) -> bool:
            now = time.time()
            headers = {"Content-Type": CONTENT_TYPE}
            status, answer = self.connection.ask("POST", PATH, self.body, **headers)
            if status != 201:
                return False
            pid = str(answer["pid"])
            posted[pid] = now
            return not polls or self._polled_to_done(pid)

        with ThreadPoolExecutor(CLIENTS) as clients:
            well = list(clients.map(post, range(REPORTS)))
        accepted = time.time()
        ended = self._ends(posted)
        seconds = sorted(end - posted[pid] for pid, end in ended.items())
        last = max(ended.values())
        waited = sum(end > accepted for end in ended.values())
        rates = Rates(
            len(ended) / (last - min(posted.values())), waited / max(last - accepted, 0.001)
        )
        errors = well.count(False) + len(posted) - len(ended)
        return Phase(len(posted), errors, seconds, rates)

    def _polled_to_done(self, pid: str) -> bool:
        deadline = time.monotonic() + PHASE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            status, body = self.connection.ask("GET", PATH + pid)
            if status != 200 or body["status"]:
                return bool(status == 200 and body["status"] == DONE)
        return False

    def _ends(self, posted: dict[str, float]) -> dict[str, float]:
        """When each of the reports was Done, by this machine's clock."""
        deadline = time.monotonic() + PHASE_SECONDS
        while True:
            done = {pid: end for pid, end in self.database.ends().items() if pid in posted}
            if len(done) == len(posted) or time.monotonic() > deadline:
                return done
            time.sleep(0.2)

    @contextmanager
    def big_under_way(self) -> Iterator[list[str]]:
        """For the time of the block, there is always a report of BIG_BYTES at work; the pids."""
        pids: list[str] = []
        enough = threading.Event()
        keeper = threading.Thread(target=self._keep_big_under_way, args=(pids, enough))
        keeper.start()
        try:
            wait_until(lambda: bool(pids) and self._at_work(pids[-1]), PHASE_SECONDS, "the big one")
            yield pids
        finally:
            enough.set()
            keeper.join()

    def _keep_big_under_way(self, pids: list[str], enough: threading.Event) -> None:
        sample = LongSample(1)
        sample = LongSample(1 + BIG_BYTES // sample.content_bytes)
        while not enough.is_set():
            upload = sample.upload("big.csv")
            headers = FORWARDED | {"Content-Type": CONTENT_TYPE}
            url = self.stack.client.reports_url
            answer = requests.post(url, data=upload, headers=headers, timeout=PHASE_SECONDS)
            answer.raise_for_status()
            pids.append(str(answer.json()["pid"]))
            while self._processing(pids[-1]) and not enough.wait(0.5):
                pass
            requests.delete(f"{url}{pids[-1]}", headers=FORWARDED, timeout=ANSWER_SECONDS)

    def _processing(self, pid: str) -> bool:
        return bool(self.connection.ask("GET", PATH + pid)[1]["status"] == 0)

    def _at_work(self, pid: str) -> bool:
        return bool(self.connection.ask("GET", PATH + pid)[1]["stage"] == "reading")
