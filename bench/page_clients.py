"""The clients of `make page`: somebody who drops real files on the page, and what the page took."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from selenium.webdriver import Chrome

from bench.report import judged
from bmat.tests.live.analyst import Analyst
from bmat.tests.live.browser import person
from bmat.tests.live.client import Client
from bmat.tests.live.people import LOCKED
from bmat.tests.live.stack import Stack

Somebody = TypeVar("Somebody", bound=Analyst)

LOGIN = {"name": "analyst", "password": "a password of the bench"}
# What every document gets beside its own modules. `once` waits for something in it. `acts` and
# `changes` are when somebody did something, and when which element became another one.
TOOLS = """
window.bench = {
  acted: 0,
  changes: [],
  once(find) {
    return new Promise((resolve) => {
      const look = () => {
        const found = find();
        if (!found) return;
        watch.disconnect();
        resolve(found);
      };
      const watch = new MutationObserver(look);
      watch.observe(document, { subtree: true, childList: true, attributes: true });
      look();
    });
  },
  // When the next frame is through: what is in the document by now is on the screen then.
  painted: () => new Promise((resolve) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(performance.now());
    port2.postMessage(0);
  })),
  forget() {
    performance.clearResourceTimings();
    Object.assign(bench, { acted: 0, changes: [] });
  },
  // The request with these parameters since `forget`, and what `place` then showed. A parameter
  // that is null may have any value.
  answer(parameters, place) {
    const asked = performance.getEntriesByType("resource").findLast(({ name }) => {
      const { pathname, searchParams } = new URL(name);
      const has = ([key, value]) =>
        (value === null ? searchParams.has(key) : searchParams.get(key) === value);
      return pathname.endsWith("/rows") && Object.entries(parameters).every(has);
    });
    const isAnswer = ({ at, painted, target }) =>
      at >= asked.responseEnd && painted && target.closest?.(place);
    const shown = asked && bench.changes.find(isAnswer);
    return shown && [bench.acted, asked.startTime, asked.responseEnd, shown.painted];
  },
};
bench.drawn = (place) => {
  const shown = bench.changes.findLast(({ painted, target }) => painted && target.closest?.(place));
  return shown && shown.painted - bench.acted;
};
performance.setResourceTimingBufferSize(10_000);
for (const kind of ["keydown", "click", "change"])
  addEventListener(kind, () => { bench.acted = performance.now(); }, true);
new MutationObserver((records) => {
  const seen = records.map(({ target }) => ({ at: performance.now(), target, painted: 0 }));
  bench.changes.push(...seen);
  bench.painted().then((painted) => seen.forEach((one) => { one.painted = painted; }));
}).observe(document, { subtree: true, childList: true, attributes: true });
"""
EMPTY = """
const [input] = arguments;
input.value = "";
input.dispatchEvent(new Event("input", { bubbles: true }));
input.focus();
"""


@dataclass(frozen=True)
class Figure:
    """Something that was measured, and whether it is as it is to be."""

    is_met: bool
    text: str

    def __str__(self) -> str:
        return judged(self.is_met, self.text)


def below(name: str, seconds: float, most_seconds: float) -> Figure:
    text = f"{name}: {in_ms(seconds)} (target: below {in_ms(most_seconds)})"
    return Figure(seconds < most_seconds, text)


def in_ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


class PageUser(Analyst):
    """An analyst whose browser tells when what was there."""

    def __init__(self, driver: Chrome) -> None:
        """Every document has `bench`."""
        super().__init__(driver)
        self.chrome("Page.enable")
        self.chrome("Page.addScriptToEvaluateOnNewDocument", source=TOOLS)

    def drop_file(self, path: Path) -> None:
        """Drops a file of the disk on the page, as a hand would: nothing of it is read before."""
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.chrome("Input.dispatchDragEvent", type=kind, x=300, y=200, data=data)

    def begin_to_watch(self, text: str) -> None:
        """The page begins to wait for something, and `watched` will tell what it came to."""
        work = f"(async () => {{ {text} }})()"
        self.script(f"window.watched = null; {work}.then((it) => {{ watched = it; }});")

    def watched(self) -> Any:
        return self.wait("window.watched")

    def forget_modules(self) -> None:
        self.chrome("Network.clearBrowserCache")

    def empty(self, css: str) -> None:
        """Takes all out of a field, and stays there."""
        self.script(EMPTY, self.see(css))

    @contextmanager
    def at(self, base_url: str) -> Iterator[None]:
        """At another port of the service: cookies are the host's, so the session is the same."""
        before, self.home = self.home, f"{base_url}/"
        self.go_home()
        yield
        self.home = before

    @property
    def debugging_port(self) -> str:
        """Where other programs find this browser."""
        address = self._driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
        return str(address).rsplit(":", 1)[1]

    def reload(self) -> None:
        self._driver.refresh()


@contextmanager
def logged_in(folder: Path, kind: type[Somebody]) -> Iterator[tuple[Somebody, Client, Stack]]:
    """Somebody with an account at a service of their own, a client of theirs, and the service."""
    running = Stack(folder / "stack", settings=LOCKED)
    try:
        running.start()
        token = running.add_users({"username": LOGIN["name"], "password": LOGIN["password"]})
        client = Client(running.client.base_url, token)
        with person(folder / "browser", kind) as somebody:
            somebody.log_in(client.base_url, **LOGIN)
            yield somebody, client, running
    finally:
        running.stop()
