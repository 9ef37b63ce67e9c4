"""Questions that somebody asks a large result on its page: how long it takes in the browser from
the last key, or the click, until the rows are on the screen, and how long the request alone.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.page_clients import Figure, PageUser, in_ms
from bench.rows import SHAPE, prepared, random_songs
from bench.shapes import SHAPES, make
from bmat.results.files import OUTPUT
from bmat.tests.live.client import Client
from bmat.tests.live.processes import wait_until
from bmat.tests.live.stack import Stack

SONGS, PARTS, TURNS = 30, 8, 10
PREFIX_LENGTH, PART_LENGTH = 9, 7
# How fast somebody types, and rests before the next search.
KEY_SECONDS, REST_SECONDS = 0.12, 1.0
PREFIX_SECONDS, CONTAINS_SECONDS = 0.1, 1.5
PATIENCE_SECONDS = 900.0
SEARCH, TABLE = "input[name=search]", ".totals"


@dataclass(frozen=True)
class Answer:
    """What passed from the last key or click until the answer was on the screen, in seconds: until
    the page asked, until it had the answer, until that was drawn.
    """

    waited: float
    asked: float
    drawn: float

    @property
    def whole(self) -> float:
        return self.waited + self.asked + self.drawn


@dataclass(frozen=True)
class Answers:
    """All answers to one kind of question."""

    name: str
    answers: list[Answer]

    def at(self, share: float, part: Callable[[Answer], float]) -> float:
        """The time within which `share` of them came."""
        found = sorted(map(part, self.answers))
        return found[min(int(len(found) * share), len(found) - 1)]

    def __str__(self) -> str:
        parts = {
            "on the screen": lambda answer: answer.whole,
            "waited to ask": lambda answer: answer.waited,
            "request": lambda answer: answer.asked,
            "drawing": lambda answer: answer.drawn,
        }
        texts = (
            f"{name} {in_ms(self.at(0.5, part))} / {in_ms(self.at(0.95, part))}"
            for name, part in parts.items()
        )
        return f"{self.name:<34}{len(self.answers):>3} answers, p50 / p95: {', '.join(texts)}"

    def figures(self, most_seconds: float) -> Iterator[Figure]:
        """Without the pause in which another key may come, and the request alone."""
        pause = in_ms(self.at(0.5, lambda answer: answer.waited))
        whole = f"from the last key to the rows on the screen, without the pause of {pause}"
        for name, part in (
            (whole, lambda answer: answer.asked + answer.drawn),
            ("the request alone", lambda answer: answer.asked),
        ):
            seconds = self.at(0.95, part)
            target = f"target: within {in_ms(most_seconds)}"
            text = f"{self.name}, {name}, p95: {in_ms(seconds)} ({target})"
            yield Figure(seconds <= most_seconds, text)


class Asker:
    """Asks on the page of a report, and looks for the answer."""

    def __init__(self, somebody: PageUser) -> None:
        self._page = somebody

    def answer(self, act: Callable[[], None], place: str, **asked: str | None) -> Answer:
        """What an act came to: the request with these parameters, shown in `place`. None stands for
        any value.
        """
        self._page.script("bench.forget()")
        act()
        return self.shown(place, **asked)

    def shown(self, place: str, **asked: str | None) -> Answer:
        """The same of the last act."""
        marks = self._page.wait("bench.answer(...arguments)", asked, place)
        parts = [(after - before) / 1000 for before, after in zip(marks, marks[1:], strict=False)]
        return Answer(*parts)

    def typed(self, text: str, **asked: str | None) -> Answer:
        """Types into the search, as fast as people do."""
        self._page.empty(SEARCH)
        time.sleep(REST_SECONDS)

        def type_text() -> None:
            for letter in text:
                self._page.press(letter)
                time.sleep(KEY_SECONDS)

        return self.answer(type_text, TABLE, **asked)

    def prefixes(self, songs: list[str]) -> Answers:
        starts = [song[:PREFIX_LENGTH] for song in songs]
        answers = [self.typed(start, song_prefix=start) for start in starts]
        return Answers("search by the start of a song", answers)

    def parts(self, songs: list[str]) -> Answers:
        self._page.click("input[name=match][value=contains] + span")
        parts = [song[-PART_LENGTH:] for song in songs]
        answers = [self.typed(part, contains=part) for part in parts]
        self._page.empty(SEARCH)
        time.sleep(REST_SECONDS)
        return Answers("search by a part of a song", answers)

    def pages(self) -> Answers:
        forth = ".pages button:nth-child(2):not([disabled])"
        turns = [lambda: self._page.click(forth)] * TURNS
        return Answers("next page", [self.answer(turn, TABLE, cursor=None) for turn in turns])

    def orders(self) -> Answers:
        """Sorted by plays: the most first, the fewest first, in turn."""

        def sort() -> None:
            self._page.click(".totals th[data-by=plays] button")

        orders = ["-plays", "plays"] * 2
        answers = [self.answer(sort, TABLE, order=each) for each in orders]
        self._page.click(".totals th[data-by=song] button")
        time.sleep(REST_SECONDS)
        return Answers("sorted by plays", answers)

    def grains(self) -> Answers:
        answers = [
            self.answer(partial(self._page.choose, "select[name=grain]", grain), TABLE, grain=grain)
            for grain in ("month", "day", "all")
        ]
        return Answers("by month, by day, as a whole", answers)

    def curves(self) -> Answers:
        """The charts of the first songs of the table, by a click on each."""
        answers = []
        for number in range(1, TURNS + 1):
            link = f"{TABLE} tbody tr:nth-child({number}) th a"
            click = partial(self._page.click, link)
            answers.append(self.answer(click, ".song-panel", song=None, limit="1000"))
            self._page.click(".song-panel .icon-button")
        return Answers("a song's chart", answers)

    def periods(self) -> Iterator[Answers]:
        """The chart from a later day on, which has its numbers; what is below asks for more."""
        charts, top, rows = [], [], []
        for month in range(2, 6):
            day = f"2020-{month:02}-15"
            chart = partial(self._page.choose, "input[name=from]", day)
            top.append(self.answer(chart, ".top-place", limit="50", **{"from": day}))
            rows.append(self.shown(TABLE, limit="25", **{"from": day}))
            charts.append(Answer(0, 0, self._page.wait("bench.drawn('.days')") / 1000))
        yield Answers("the chart of a period", charts)
        yield Answers("top songs of a period", top)
        yield Answers("rows of a period", rows)


def questions(somebody: PageUser, client: Client, stack: Stack, folder: Path) -> Iterator[Figure]:
    """Uploads the file by the page, and asks what can be asked on its report's."""
    source = make(SHAPES[SHAPE])
    somebody.go_home()
    somebody.drop_file(source.absolute())
    somebody.total()
    wait_until(lambda: "/reports/" in somebody.url, PATIENCE_SECONDS, "the report's page")
    pid = somebody.url.rstrip("/").split("/")[-1]
    body = client.done(pid, PATIENCE_SECONDS)
    (output,) = (path for path in stack.files_of(pid) if path.name == OUTPUT)
    print(f"{body['groups']:,} totals of {body['rows_read']:,} rows", flush=True)
    print(prepared(output.parent).shown(), flush=True)
    somebody.open(f"{somebody.home}reports/{pid}")
    somebody.see(f"{TABLE} tbody tr")
    songs = random_songs(output.parent, body["groups"], SONGS)
    ask = Asker(somebody)
    prefixes, parts = ask.prefixes(songs), ask.parts(songs[:PARTS])
    others = [ask.pages(), ask.orders(), ask.grains(), ask.curves(), *ask.periods()]
    for answers in [prefixes, parts, *others]:
        print(answers, flush=True)
    yield from prefixes.figures(PREFIX_SECONDS)
    yield from parts.figures(CONTAINS_SECONDS)
