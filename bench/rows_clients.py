"""The clients of `make rows`: who asks, and how long the answers take."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import requests

ANSWER_SECONDS = 30.0

Parameters = dict[str, str]


@dataclass(frozen=True)
class Times:
    """How long the answers to one kind of request took, sorted, in seconds."""

    name: str
    seconds: list[float]
    errors: int

    def at(self, share: float) -> float:
        """The time within which `share` of the answers came."""
        return self.seconds[min(int(len(self.seconds) * share), len(self.seconds) - 1)]

    def shown(self) -> str:
        times = "  ".join(f"p{share * 100:.0f} {self.at(share) * 1e3:7.1f} ms" for share in SHARES)
        return f"{self.name:<26}{len(self.seconds):>5} answers  errors {self.errors}  {times}"


SHARES = (0.5, 0.95, 1.0)


def timed(name: str, asks: Sequence[Callable[[], bool]]) -> Times:
    """Calls each, one after another; each says whether the answer was right."""
    seconds, errors = [], 0
    for ask in asks:
        start = time.perf_counter()
        errors += not ask()
        seconds.append(time.perf_counter() - start)
    return Times(name, sorted(seconds), errors)


class Asker:
    """Asks about the result of the report at `report_url`, on one connection."""

    def __init__(self, report_url: str) -> None:
        self._report_url = report_url
        self.url = f"{report_url}/rows"
        self._session = requests.Session()

    def times(self, name: str, questions: list[Parameters]) -> Times:
        return timed(name, [partial(self.is_right, asked) for asked in questions])

    def is_right(self, asked: Parameters) -> bool:
        """Whether there are rows, and all of the song or songs that were asked for."""
        answer = self._session.get(self.url, params=asked, timeout=ANSWER_SECONDS)
        if answer.status_code != 200:
            return False
        songs = {row["song"] for row in answer.json()["rows"]}
        if "from" in asked:
            return songs <= {asked["song"]}
        prefix, part = asked.get("song_prefix", ""), asked.get("contains", "")
        return bool(songs) and all(
            asked.get("song") in (None, song) and song.startswith(prefix) and part in song
            for song in songs
        )

    def comparisons(self, name: str, pid: str, count: int) -> Times:
        """Compares the result with that of the report `pid`, which has fewer rows of the file."""

        def compare() -> bool:
            answer = self._session.get(
                f"{self._report_url}/compare", params={"with": pid}, timeout=ANSWER_SECONDS
            )
            if answer.status_code != 200:
                return False
            changes = answer.json()
            return bool(changes["up"]["count"] > 0 and changes["gone"]["count"] == 0)

        return timed(name, [compare] * count)

    def following_pages(self, name: str, most: int) -> Times:
        """Follows `next` from the first page on."""
        urls = [f"{self.url}?limit=1000"]

        def page() -> bool:
            answer = self._session.get(urls[-1], timeout=ANSWER_SECONDS)
            body = answer.json()
            urls.append(body["next"] or urls[0])
            return answer.status_code == 200 and len(body["rows"]) > 0

        return timed(name, [page] * most)

    def times_of_several(self, name: str, songs: list[str], clients: int) -> Times:
        """The same songs, asked for by several clients at once."""
        parts = [songs[number::clients] for number in range(clients)]
        with ThreadPoolExecutor(clients) as pool:
            found = list(
                pool.map(
                    lambda part: Asker(self._report_url).times(
                        name, [{"song": song} for song in part]
                    ),
                    parts,
                )
            )
        seconds = sorted(second for times in found for second in times.seconds)
        return Times(name, seconds, sum(times.errors for times in found))


def poll_together(url: str, clients: int) -> Times:
    """`clients` polls of one report at the same moment, by clients that have it already."""
    etag = requests.get(url, timeout=ANSWER_SECONDS).headers["ETag"]
    ready = threading.Barrier(clients)

    def poll(_: int) -> Times:
        ready.wait()
        return timed("", [lambda: is_unchanged(url, etag)])

    with ThreadPoolExecutor(clients) as pool:
        found = list(pool.map(poll, range(clients)))
    seconds = sorted(second for times in found for second in times.seconds)
    return Times(f"{clients} polls at once", seconds, sum(times.errors for times in found))


def is_unchanged(url: str, etag: str) -> bool:
    headers = {"If-None-Match": etag}
    return requests.get(url, headers=headers, timeout=ANSWER_SECONDS).status_code == 304
