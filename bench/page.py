"""`make page`: how fast the page is, in a real browser on a real service.

From the drop of a small file to its chart; a large upload (PAGE_UPLOAD_BYTES, 1 GB) through a
reload and a killed server; questions to a result of BENCH_ROWS (25,000,000) rows of the shape
BENCH_SHAPE (`high`), kept under BENCH_FOLDER (`.bench`); the scores that Lighthouse gives, which
npm brings (Node.js is needed). PAGE_PARTS names those of the four that are to run. Ends with 1
where a target is missed.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bench.page_clients import Figure, PageUser, logged_in
from bench.page_lighthouse import scores
from bench.page_search import questions
from bench.page_uploads import from_drop_to_chart, large_upload
from bench.shapes import FOLDER
from bmat.tests.live.client import Client
from bmat.tests.live.stack import Stack

Part = Callable[[PageUser, Client, Stack, Path], Iterator[Figure]]
PARTS: Mapping[str, Part] = {
    "drop": from_drop_to_chart,
    "lighthouse": scores,
    "upload": large_upload,
    "search": questions,
}
CHOSEN = os.environ.get("PAGE_PARTS", " ".join(PARTS)).split()


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="page-", dir=FOLDER) as name:
        folder = Path(name).absolute()
        with logged_in(folder, PageUser) as (somebody, client, stack):
            met = [
                shown(figure)
                for part in CHOSEN
                for figure in PARTS[part](somebody, client, stack, folder)
            ]
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"load averages of 1, 5 and 15 minutes: {load}, on {os.cpu_count()} processors")
    return 0 if all(met) else 1


def shown(figure: Figure) -> bool:
    """Prints it as soon as it is known; whether it is met."""
    print(figure, flush=True)
    return figure.is_met


if __name__ == "__main__":
    sys.exit(main())
