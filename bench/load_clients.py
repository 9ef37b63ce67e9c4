"""The clients of `make load`: many with small reports, and one who always has a big one at work."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from statistics import mean
from typing import Any

import requests

from bmat.tests.live.client import DONE
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.multipart import AFTER, CONTENT_TYPE, StreamedUpload, before
from bmat.tests.live.processes import wait_until
from bmat.tests.live.stack import Stack

CLIENTS, REPORTS = 20, 300
PACED_RATE = 10.0
SMALL_ROWS = 1000
PATH = "/api/reports/"
# A client asks again after what Retry-After tells it.
POLL_SECONDS, ANSWER_SECONDS, PHASE_SECONDS = 1.0, 60.0, 300.0
# The big report is started again when it is so far.
RESTART_PROGRESS = 0.8
# What the proxy says that ends TLS: the settings of production send everybody else there.
FORWARDED = {"X-Forwarded-Proto": "https"}


@dataclass
class Starts:
    """How often the big report was started."""

    count: int = 1


@dataclass(frozen=True)
class Phase:
    """What became of one phase's reports. `seconds` are those from POST to Done, sorted; `rate` is
    how many went through in a second, from the first POST to the last Done.
    """

    accepted: int
    errors: int
    seconds: list[float]
    rate: float

    @classmethod
    def together(cls, phases: list["Phase"]) -> "Phase":
        """Phases that followed one another, as one."""
        return cls(
            sum(phase.accepted for phase in phases),
            sum(phase.errors for phase in phases),
            sorted(chain.from_iterable(phase.seconds for phase in phases)),
            mean(phase.rate for phase in phases),
        )

    def at(self, share: float) -> float:
        """The time within which `share` of the reports were Done."""
        return self.seconds[min(int(len(self.seconds) * share), len(self.seconds) - 1)]

    def shown(self, name: str) -> str:
        times = "  ".join(
            f"p{share * 100:.0f} {self.at(share):.3f} s" for share in (0.5, 0.95, 0.99)
        )
        return (
            f"{name:<28} accepted {self.accepted}  finished {len(self.seconds)}  "
            f"errors {self.errors}  {times}  {self.rate:.1f} reports/s"
        )


class KeptConnection(threading.local):
    """Each client's own connection, which is kept. The clients share the processors with what they
    measure: so they are cheap.
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


class Clients:
    """CLIENTS clients of the service on `port`; `ends` tells when each of its reports was Done, in
    seconds of the clock, by pid.
    """

    def __init__(self, port: int, ends: Callable[[], dict[str, float]]) -> None:
        self.connection = KeptConnection(port)
        self._ends = ends
        content = as_csv(plays(SMALL_ROWS, songs=100))[0]
        self._body = before("plays.csv") + content + AFTER

    def flood(self) -> Phase:
        """They post REPORTS reports as fast as they can."""
        return self._phase(lambda _: None, lambda _: True)

    def polled(self) -> Phase:
        """Each of them posts the next one when its last one is Done."""
        return self._phase(lambda _: None, self._polled_to_done)

    def paced(self) -> Phase:
        """They post PACED_RATE reports a second."""
        started = time.monotonic()

        def wait(number: int) -> None:
            time.sleep(max(0.0, started + number / PACED_RATE - time.monotonic()))

        return self._phase(wait, lambda _: True)

    def _phase(self, wait: Callable[[int], None], follow: Callable[[str], bool]) -> Phase:
        posted: dict[str, float] = {}

        def post(number: int) -> bool:
            wait(number)
            now = time.time()
            headers = {"Content-Type": CONTENT_TYPE}
            status, answer = self.connection.ask("POST", PATH, self._body, **headers)
            if status != 201:
                return False
            pid = str(answer["pid"])
            posted[pid] = now
            return follow(pid)

        with ThreadPoolExecutor(CLIENTS) as clients:
            well = list(clients.map(post, range(REPORTS)))
        ended = self._ends_of(posted)
        seconds = sorted(end - posted[pid] for pid, end in ended.items())
        rate = len(ended) / (max(ended.values()) - min(posted.values()))
        errors = well.count(False) + len(posted) - len(ended)
        return Phase(len(posted), errors, seconds, rate)

    def _polled_to_done(self, pid: str) -> bool:
        deadline = time.monotonic() + PHASE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            status, body = self.connection.ask("GET", PATH + pid)
            if status != 200 or body["status"]:
                return bool(status == 200 and body["status"] == DONE)
        return False

    def _ends_of(self, posted: dict[str, float]) -> dict[str, float]:
        """When each of these was Done."""
        deadline = time.monotonic() + PHASE_SECONDS
        while True:
            done = {pid: end for pid, end in self._ends().items() if pid in posted}
            if len(done) == len(posted) or time.monotonic() > deadline:
                return done
            time.sleep(0.2)


class BigOne:
    """A client who always has a report of `file` at work."""

    def __init__(self, stack: Stack, file: Path) -> None:
        self.stack = stack
        self.big = file
        self.connection = KeptConnection(stack.web_port)

    @contextmanager
    def under_way(self) -> Iterator[Starts]:
        """For the time of the block, a worker is at work on `big`, which is uploaded before: again
        and again from its start.
        """
        starts = Starts()
        enough = threading.Event()
        pid = self._posted_big()
        with ThreadPoolExecutor(1) as keeper:
            kept = keeper.submit(self._keep_big_under_way, pid, starts, enough)
            try:
                yield starts
            finally:
                enough.set()
            kept.result()
        requests.delete(self._url(pid), headers=FORWARDED, timeout=ANSWER_SECONDS)

    def _posted_big(self) -> str:
        """Uploads the big one; its pid, once a worker reads it."""
        upload = StreamedUpload("big.csv", self._big_content, self.big.stat().st_size)
        headers = FORWARDED | {"Content-Type": CONTENT_TYPE}
        url = self.stack.client.reports_url
        answer = requests.post(url, data=upload, headers=headers, timeout=PHASE_SECONDS)
        answer.raise_for_status()
        pid = str(answer.json()["pid"])
        wait_until(lambda: self._state(pid)["stage"] == "reading", PHASE_SECONDS, "the big one")
        return pid

    def _big_content(self) -> Iterator[bytes]:
        with self.big.open("rb") as file:
            while data := file.read(2**20):
                yield data

    def _keep_big_under_way(self, pid: str, starts: Starts, enough: threading.Event) -> None:
        """Starts it again before it ends: a new upload would be other work than that of a worker.
        Raises RuntimeError where it has ended all the same.
        """
        while not enough.wait(0.2):
            state = self._state(pid)
            if state["status"]:
                raise RuntimeError(f"the big report was not at work all the time: {state}")
            if state["progress"] >= RESTART_PROGRESS:
                for change in ("cancel", "retry"):
                    headers, seconds = FORWARDED, ANSWER_SECONDS
                    url = f"{self._url(pid)}/{change}"
                    requests.post(url, headers=headers, timeout=seconds).raise_for_status()
                starts.count += 1

    def _state(self, pid: str) -> Any:
        return self.connection.ask("GET", PATH + pid)[1]

    def _url(self, pid: str) -> str:
        return f"{self.stack.client.reports_url}{pid}"
