"""Files on the page: how long a small one takes from the drop to its chart, and a large one that
goes on after a reload and after the server was killed.
"""

import csv
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import pyarrow as pa
import pyarrow.csv

from bench.page_clients import Figure, PageUser, below, in_ms
from bench.shapes import LOW, chunks, line
from bmat.tests.live.client import Client
from bmat.tests.live.cutting_proxy import CuttingProxy, cutting
from bmat.tests.live.processes import wait_until
from bmat.tests.live.stack import START_SECONDS, Stack

SMALL_BYTES = 10**6
LARGE_BYTES = int(os.environ.get("PAGE_UPLOAD_BYTES", str(10**9)))
ROUNDS = 5
MOST_SECONDS = 1.5
# Nobody drops a file sooner after the page has come.
LOOK_SECONDS = 1.0
# What the page sends in one request, as bmat/web/static/web/upload/transfer.js has it.
PIECE_BYTES = 16 * 2**20
# Headers, the preview, the modules' requests, the polls of the report.
OTHER_BYTES = 10**6
RELOAD_AT, KILL_AT = 30, 60
PATIENCE_SECONDS = 600.0
# Presses as soon as the button lets itself be pressed, and waits until the chart is on the screen.
# All times are milliseconds of the document's clock: a drop and its report are one document.
FROM_DROP_TO_CHART = """
const dropped = new Promise((resolve) => addEventListener("drop", () => {
  performance.clearResourceTimings();
  resolve(performance.now());
}, { once: true, capture: true }));
const marks = [await dropped];
const total = await bench.once(() => document.querySelector(".preview .primary:not([disabled])"));
marks.push(performance.now());
total.click();
await bench.once(() => document.querySelector(".upload.is-received, .report"));
marks.push(performance.now());
await bench.once(() => location.pathname.startsWith("/reports/"));
marks.push(performance.now());
await bench.once(() => document.querySelector(".days .u-over"));
marks.push(await bench.painted());
return marks;
"""
STAGES = ("preview", "upload", "totals", "report page with its chart")


def write_plays(path: Path, size: int) -> Path:
    """A play log of about so many bytes, of whole lines: the rows of the shape `low`."""
    with path.open("wb") as file:
        file.write(line(LOW, *LOW.columns).encode() + b"\n")
        for chunk in chunks(LOW, size):
            left = size - file.tell()
            if len(chunk) >= left:
                file.write(chunk[: chunk.rfind(b"\n", 0, left) + 1])
                return path
            file.write(chunk)
    return path


def from_drop_to_chart(
    somebody: PageUser, client: Client, stack: Stack, folder: Path
) -> Iterator[Figure]:
    """The browser knows the page that files are dropped on, and no module of the report's."""
    source = write_plays(folder / "small.csv", SMALL_BYTES)
    rounds = []
    for number in range(ROUNDS):
        somebody.forget_modules()
        somebody.go_home()
        time.sleep(LOOK_SECONDS)
        somebody.begin_to_watch(FROM_DROP_TO_CHART)
        somebody.drop_file(source)
        marks = somebody.watched()
        parts = [(end - start) / 1000 for start, end in zip(marks, marks[1:], strict=False)]
        rounds.append(sum(parts))
        shown = ", ".join(f"{name} {in_ms(part)}" for name, part in zip(STAGES, parts, strict=True))
        print(f"drop {number + 1}: {in_ms(rounds[-1])} ({shown})", flush=True)
    source.unlink()
    name = f"from the drop of {SMALL_BYTES / 1e6:g} MB to the chart, median of {ROUNDS}"
    yield below(name, median(rounds), MOST_SECONDS)


@dataclass
class Shown:
    """An upload as the page shows it: the share in percent, and the words beside it."""

    percent: int
    text: str

    def __str__(self) -> str:
        return f"{self.percent} %, “{self.text}”"


def shown(somebody: PageUser) -> Shown:
    """The upload's card; -1 percent where there is none."""
    percent, text = somebody.script(
        """
        const card = document.querySelector(".upload");
        return card
          ? [".meter", ".upload-text"].map((css) => card.querySelector(css))
            .map((it) => it.ariaValueNow ?? it.textContent)
          : [-1, ""];
        """
    )
    return Shown(int(percent), str(text))


def shown_once(somebody: PageUser, is_so: Callable[[Shown], bool], what: str) -> Shown:
    """The first look at the upload for which `is_so` holds."""
    looks = []

    def look() -> bool:
        looks.append(shown(somebody))
        return is_so(looks[-1])

    wait_until(look, PATIENCE_SECONDS, what, lambda: str(looks[-1]))
    return looks[-1]


def large_upload(
    somebody: PageUser, client: Client, stack: Stack, folder: Path
) -> Iterator[Figure]:
    """All that the browser sends goes through a proxy that counts it."""
    source = write_plays(folder / "large.csv", LARGE_BYTES)
    size = source.stat().st_size
    piece_percent = 100 * PIECE_BYTES / size + 1
    with cutting(CuttingProxy(stack.web_port)) as proxy, somebody.at(proxy.url):
        proxy.sent_bytes = 0
        started = time.monotonic()
        somebody.drop_file(source)
        somebody.total()
        for what, at, interrupt in (
            ("a reload", RELOAD_AT, somebody.reload),
            ("the server was killed", KILL_AT, partial(kill_and_start, somebody, stack)),
        ):
            before = shown_once(somebody, lambda now: now.percent >= at, f"{at} %")
            interrupt()
            after = shown_once(somebody, is_going_on, f"to go on after {what}")
            print(f"{before} before {what}, {after} after it", flush=True)
            text = f"after {what} at {before.percent} % the upload goes on at {after.percent} %"
            target = f"at most a piece of {PIECE_BYTES / 1e6:.0f} MB less"
            yield Figure(
                before.percent - piece_percent <= after.percent < 100,
                f"{text}, “{after.text}” (target: {target})",
            )
        wait_until(lambda: "/reports/" in somebody.url, PATIENCE_SECONDS, "the report's page")
        sent = proxy.sent_bytes
        print(f"{size / 1e6:,.0f} MB in {time.monotonic() - started:.0f} s", flush=True)
    pid = somebody.url.rstrip("/").split("/")[-1]
    body = client.done(pid, PATIENCE_SECONDS)
    yield Figure(
        size <= sent <= size + 2 * PIECE_BYTES + OTHER_BYTES,
        f"the server got {sent:,} bytes for a file of {size:,}"
        f" (target: at most a piece more for each of the two)",
    )
    output = folder / "large.out.csv"
    output.write_bytes(client.download(body))
    yield Figure(
        totals_of(output) == direct_totals(source),
        f"the totals of {body['rows_read']:,} rows are those of a direct sum over the file",
    )


def is_going_on(now: Shown) -> bool:
    """Whether bytes are on their way again, at a place that the service has told."""
    return now.percent >= 0 and (now.text.startswith("Continues at") or " of " in now.text)


def kill_and_start(somebody: PageUser, stack: Stack) -> None:
    stack.web.kill()
    shown_once(somebody, lambda now: now.text.startswith("Waiting for the service"), "to wait")
    stack.web.start(stack.environment)
    stack.web.wait_until_ready(stack.client.answers, START_SECONDS)


def totals_of(path: Path) -> dict[tuple[str, str], int]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return {(song, date): int(plays) for song, date, plays in rows}


def direct_totals(path: Path) -> dict[tuple[str, str], int]:
    """The same of the play log itself, by another engine."""
    found: Counter[tuple[str, str]] = Counter()
    read = pa.csv.ReadOptions(block_size=64 * 2**20)
    convert = pa.csv.ConvertOptions(column_types={"Date": pa.string()})
    with pa.csv.open_csv(path, read_options=read, convert_options=convert) as batches:
        for batch in batches:
            sums = pa.Table.from_batches([batch]).group_by(["Song", "Date"])
            summed = sums.aggregate([("Number of Plays", "sum")]).to_pydict()
            for song, date, plays in zip(*summed.values(), strict=True):
                found[song, date] += plays
    return dict(found)
