"""Somebody who works with the page: drops files on it, looks at what it says, loses the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_core_python.base import AXE_FILE_PATH

from bmat.tests.live.browser import Person, person
from bmat.tests.live.client import Body, Client
from bmat.tests.live.processes import wait_until

SECONDS = 20.0
# Each file is `[name, text, text that is repeated, how often]`; the same one has the same age.
DROP = """
const transfer = new DataTransfer();
for (const [name, text, more, times] of arguments[0])
  transfer.items.add(new File([text, more.repeat(times)], name, { lastModified: 1577836800000 }));
for (const kind of ["dragenter", "dragover", "drop"])
  document.body.dispatchEvent(
    new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
"""
CHOOSE = """
const [menu, value] = arguments;
menu.value = value;
menu.dispatchEvent(new Event("change", { bubbles: true }));
"""
# What is serious or worse, by rule, with the elements at fault.
AXE = """
return axe.run(document, { resultTypes: ["violations"] }).then((found) => found.violations
  .filter((one) => ["serious", "critical"].includes(one.impact))
  .map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`));
"""


class Analyst(Person):
    """Has an account, and no token."""

    def log_in(self, base_url: str, name: str, password: str) -> None:
        """Logs in; then the home page is there."""
        self.home = f"{base_url}/"
        self.open(f"{base_url}/login")
        self.fill_in("#id_username", name)
        self.fill_in("#id_password", password)
        self.click("main button")
        self.see(".drop")

    def go_home(self, query: str = "") -> None:
        self.open(f"{self.home}{query}")
        self.see(".drop")

    def drop(self, name: str, content: str, more: str = "", times: int = 0) -> None:
        """Drops a file on the page; `more` stands behind its content, so many times."""
        self.drop_all([(name, content, more, times)])

    def drop_all(self, files: list[tuple[str, str, str, int]]) -> None:
        self.script(DROP, files)

    def choose(self, css: str, value: str) -> None:
        """Chooses from a menu."""
        self.script(CHOOSE, self.see(css), value)

    def say_what_columns_are(self, *roles: str) -> None:
        """Chooses what each column of the preview is, in order."""
        for number, role in enumerate(roles, start=2):
            self.choose(f"thead th:nth-child({number}) select", role)

    def total(self) -> None:
        """Sends what the preview shows, once it can be sent."""
        self.click(".preview .primary:not([disabled])")

    def open_tab(self) -> None:
        """Opens another tab, and goes on there."""
        self._driver.switch_to.new_window("tab")

    def close_other_tabs(self) -> None:
        here = self._driver.current_window_handle
        for tab in self._driver.window_handles:
            if tab != here:
                self._driver.switch_to.window(tab)
                self._driver.close()
        self._driver.switch_to.window(here)

    @contextmanager
    def network(self, *, bytes_a_second: int = -1, is_offline: bool = False) -> Iterator[None]:
        """A network that is slow, or lost, as long as the block takes."""
        self.chrome("Network.enable")
        self._set_network(bytes_a_second, is_offline)
        try:
            yield
        finally:
            self._set_network(-1, False)

    def _set_network(self, bytes_a_second: int, is_offline: bool) -> None:
        self.chrome(
            "Network.emulateNetworkConditions",
            offline=is_offline,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=bytes_a_second,
        )

    def obstacles(self) -> Any:
        """What keeps people from using the page as it is, by the rules of axe."""
        self.script(AXE_FILE_PATH.read_text())
        return self.script(AXE)


@contextmanager
def analyst_at(folder: Path, base_url: str, name: str, password: str) -> Iterator[Analyst]:
    """Somebody who has just logged in; the browser's own files are in `folder`."""
    with person(folder, Analyst) as somebody:
        somebody.log_in(base_url, name, password)
        yield somebody


def newest(client: Client, name: str) -> Body:
    """The newest report of a file with this name, once there is one and it is Done."""

    def found() -> list[Body]:
        answer = client.send("GET", client.reports_url, params={"input_name": name})
        results: list[Body] = answer.json()["results"]
        return results

    wait_until(lambda: bool(found()), SECONDS, f"a report of {name}")
    return client.done(str(found()[0]["pid"]))
