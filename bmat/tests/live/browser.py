"""A person at a real browser: headless Chromium, or Chrome."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar, overload

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

from bmat.tests.live import programs

LOOK_SECONDS = 20
FLAGS = (
    "--headless=new",
    # Nobody but the service itself writes the pages, and the sandbox refuses to run as root.
    "--no-sandbox",
    "--disable-gpu",
    # It asks no other host for anything.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1200,1600",
)


class Person:
    """Looks at pages, fills fields in and clicks, each as soon as it is there."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver

    def open(self, url: str) -> None:
        self._driver.get(url)

    def see(self, css: str, text: str = "") -> WebElement:
        """The first element that `css` selects, once it is shown and holds the text."""
        where = (By.CSS_SELECTOR, css)
        wait = WebDriverWait(self._driver, LOOK_SECONDS)
        element: WebElement = wait.until(expected_conditions.visibility_of_element_located(where))
        wait.until(expected_conditions.text_to_be_present_in_element(where, text))
        return element

    def texts(self, css: str) -> list[str]:
        """What all elements say that `css` selects."""
        return [element.text for element in self._driver.find_elements(By.CSS_SELECTOR, css)]

    def click(self, css: str) -> None:
        where = (By.CSS_SELECTOR, css)
        wait = WebDriverWait(self._driver, LOOK_SECONDS)
        wait.until(expected_conditions.element_to_be_clickable(where)).click()

    def fill_in(self, css: str, text: str) -> None:
        """Types into a field, or chooses a file by its path."""
        where = (By.CSS_SELECTOR, css)
        wait = WebDriverWait(self._driver, LOOK_SECONDS)
        wait.until(expected_conditions.presence_of_element_located(where)).send_keys(text)

    def has_to_scroll(self, css: str, width_pixels: int) -> bool:
        """Whether an element is wider than its place in a window of this width."""
        self._driver.set_window_size(width_pixels, 800)
        element = self._driver.find_element(By.CSS_SELECTOR, css)
        width, place = element.get_property("scrollWidth"), element.get_property("clientWidth")
        return int(str(width)) > int(str(place))

    def press(self, *keys: str) -> None:
        """Types to whatever has the focus."""
        self._driver.switch_to.active_element.send_keys(*keys)

    def script(self, text: str, *arguments: Any) -> Any:
        """What a script answers that the page runs."""
        return self._driver.execute_script(text, *arguments)

    def wait(self, text: str, *arguments: Any) -> Any:
        """What an expression of the page's is, once it is true."""
        wait = WebDriverWait(self._driver, LOOK_SECONDS, poll_frequency=0.1)
        return wait.until(lambda _: self.script(f"return {text}", *arguments))

    def chrome(self, command: str, **parameters: Any) -> None:
        """Tells the browser itself something.
        https://chromedevtools.github.io/devtools-protocol/
        """
        self._driver.execute_cdp_cmd(command, parameters)

    @property
    def url(self) -> str:
        return str(self._driver.current_url)

    def complaints(self) -> list[str]:
        """What the browser has logged since the last time: errors of scripts, refused content. An
        icon of the site, which browsers ask for by themselves, is not missed.
        """
        entries = self._driver.get_log("browser")  # type: ignore[no-untyped-call]
        messages = [str(entry["message"]) for entry in entries]
        return [message for message in messages if "/favicon.ico" not in message]


Somebody = TypeVar("Somebody", bound=Person)


@overload
def person(folder: Path) -> AbstractContextManager[Person]: ...
@overload
def person(folder: Path, kind: type[Somebody]) -> AbstractContextManager[Somebody]: ...


@contextmanager
def person(folder: Path, kind: Any = Person) -> Iterator[Any]:
    """Somebody whom no page knows yet; the browser's own files are in `folder`."""
    with chrome(folder) as driver:
        yield kind(driver)


@contextmanager
def chrome(folder: Path) -> Iterator[Chrome]:
    """A browser that has its own files in `folder`."""
    options = ChromeOptions()
    browser, chromedriver = programs.browser_and_driver()
    options.binary_location = str(browser)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    driver = Chrome(options, Service(str(chromedriver)))
    try:
        yield driver
    finally:
        driver.quit()
