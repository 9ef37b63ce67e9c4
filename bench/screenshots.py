"""Pictures of the page in each of its states, in docs/img: by a real browser on a real service,
so that they show what is there.
"""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver.common.keys import Keys

from bench.page_clients import logged_in
from bench.shapes import SHAPES, make
from bmat.tests.live.analyst import Analyst
from bmat.tests.live.client import Client
from bmat.tests.live.processes import PROJECT_FOLDER, wait_until
from bmat.tests.live.stack import Stack

IMAGES = PROJECT_FOLDER / "docs" / "img"
ROWS = 300_000
WIDE, PHONE = (1280, 860), (390, 844)
HEADER = "Song,Date,Number of Plays\n"
GOOD = "Umbrella,2020-01-01,150\nIn The End,2020-01-01,1500\nHalo,2020-01-02,320\n"
BAD = ",2020-01-02,12\nNachtbus,31/01/2020,200\nSong 2,2020-01-03,many\n"
SLOW_BYTES_A_SECOND = 3_000_000
UPLOAD_SECONDS = 60.0


class Photographer(Analyst):
    """An analyst who takes a picture of what is on the screen."""

    def look(self, size: tuple[int, int], *, is_dark: bool = False) -> None:
        """Looks at the page in a window of so many pixels, with the system's light or dark."""
        width, height = size
        self.chrome(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=size == PHONE,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.chrome("Emulation.setEmulatedMedia", features=[scheme, still])

    def take(self, name: str) -> None:
        self.script("document.fonts.ready; window.scrollBy(0, 0)")
        self._driver.get_screenshot_as_file(str(IMAGES / f"{name}.png"))
        print(f"{name}.png")


def picture_beginnings(somebody: Photographer) -> None:
    """The page before anything was sent."""
    somebody.go_home()
    somebody.see(".drop.is-large h1")
    somebody.take("empty")
    somebody.drop("stations.csv", HEADER + GOOD)
    somebody.see(".preview summary", "Read as")
    somebody.take("preview")
    somebody.press(Keys.ESCAPE)
    somebody.drop("stations.csv", HEADER + GOOD + BAD)
    somebody.see(".preview-reason")
    somebody.take("preview-rejects")
    somebody.press(Keys.ESCAPE)


def picture_upload(somebody: Photographer, client: Client, running: Stack) -> None:
    """A large file on its way, while no worker takes it yet."""
    for worker in running.workers:
        worker.stop()
    somebody.go_home()
    somebody.drop("december.csv", HEADER, GOOD, 400_000)
    somebody.see(".preview summary", "Read as")
    with somebody.network(bytes_a_second=SLOW_BYTES_A_SECOND):
        somebody.total()
        somebody.see(".meter")
        somebody.wait("/left/.test(document.querySelector('main').innerText)")
        somebody.take("uploading")
    found = partial(client.send, "GET", client.reports_url, params={"input_name": "december.csv"})
    wait_until(lambda: bool(found().json()["results"]), UPLOAD_SECONDS, "the upload's report")
    somebody.open(f"{somebody.home}reports/{found().json()['results'][0]['pid']}")
    somebody.see(".report-body .meter")
    somebody.take("processing")
    for worker in running.workers:
        worker.start(running.environment)


def picture_report(somebody: Photographer, client: Client, folder: Path) -> None:
    """A report that is done, its parts, and another one beside it."""
    reports = {}
    for name, shape in (("february.csv", "low"), ("january.csv", "world-low")):
        content = make(SHAPES[shape], ROWS, folder).read_bytes() + BAD.encode()
        reports[name] = str(client.done(client.upload(content, name))["pid"])
    address = f"{somebody.home}reports/{reports['february.csv']}"
    for name, size, is_dark in (
        ("done", WIDE, False),
        ("dark", WIDE, True),
        ("phone", PHONE, False),
    ):
        somebody.look(size, is_dark=is_dark)
        somebody.open(address)
        somebody.see(".totals tbody tr")
        somebody.see(".days .u-over")
        somebody.take(name)
    somebody.look(WIDE)
    somebody.open(f"{address}?starts=Boy")
    somebody.see(".totals tbody tr")
    somebody.script("document.querySelector('input[name=search]').scrollIntoView()")
    somebody.script("window.scrollBy(0, -120)")
    somebody.take("table")
    somebody.click(".totals tbody th a, .totals tbody th button")
    somebody.wait("location.search.includes('song=')")
    somebody.see(".song-panel .u-over")
    somebody.take("song")
    somebody.open(address)
    somebody.see("article.reject")
    somebody.script("document.querySelector('article.reject').scrollIntoView({ block: 'center' })")
    somebody.take("rejects")
    somebody.open(f"{address}/compare/{reports['january.csv']}")
    somebody.see("tbody tr")
    somebody.take("compare")


def picture_rest(somebody: Photographer, client: Client) -> None:
    """What went wrong, the list of all, and the account."""
    wrong = client.upload(b"Titel;Tag;Menge\nUmbrella;31.01.2020;200\n", "wrong columns.csv")
    client.finished(wrong)
    somebody.open(f"{somebody.home}reports/{wrong}")
    somebody.see(".is-failed")
    somebody.take("failed")
    somebody.click(".is-failed .primary")
    somebody.see(".again .preview-place")
    somebody.take("run-again")
    somebody.go_home()
    somebody.see("tbody tr, .list li")
    somebody.take("list")
    somebody.open(f"{somebody.home}account")
    somebody.see("main h1")
    somebody.take("account")


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="bmat-pictures-") as name:
        folder = Path(name)
        with logged_in(folder, Photographer) as (somebody, client, running):
            somebody.look(WIDE)
            picture_beginnings(somebody)
            picture_upload(somebody, client, running)
            picture_report(somebody, client, folder)
            picture_rest(somebody, client)


if __name__ == "__main__":
    main()
