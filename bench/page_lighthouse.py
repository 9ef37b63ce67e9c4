"""What Lighthouse says of the page: performance and accessibility, as a phone and a desk see it.
https://developer.chrome.com/docs/lighthouse
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bench.page_clients import Figure, PageUser
from bench.shapes import LOW, make
from bmat.tests.live.client import Client
from bmat.tests.live.stack import Stack

PACKAGE = "lighthouse@12.8.2"
ROUNDS = int(os.environ.get("PAGE_LIGHTHOUSE_ROUNDS", "3"))
LEAST_SCORE = 95
ROWS, REPORTS = 20_000, 12
PRESETS: Mapping[str, list[str]] = {"phone": [], "desk": ["--preset=desktop"]}
CATEGORIES = ("performance", "accessibility")
PATIENCE_SECONDS, ATTEMPTS = 180.0, 3

Audits = dict[str, Any]


def scores(somebody: PageUser, client: Client, stack: Stack, folder: Path) -> Iterator[Figure]:
    """The median of the rounds for each page, category and preset."""
    source = make(LOW, ROWS, folder).read_bytes()
    pids = [client.upload(source, f"week {number}.csv") for number in range(REPORTS)]
    for pid in pids:
        client.done(pid)
    somebody.open("about:blank")
    pages = {
        "home with reports": somebody.home,
        "report": f"{somebody.home}reports/{pids[0]}",
        "account": f"{somebody.home}account",
    }
    for name, url in pages.items():
        for preset, flags in PRESETS.items():
            runs = [audited(url, flags, somebody) for _ in range(ROUNDS)]
            print(f"{name}, {preset}: {'; '.join(map(told, runs))}", flush=True)
            for category in CATEGORIES:
                found = [100 * run["categories"][category]["score"] for run in runs]
                text = f"Lighthouse, {name}, {preset}, {category}: {median(found):.0f}"
                yield Figure(
                    median(found) >= LEAST_SCORE, f"{text} (target: at least {LEAST_SCORE})"
                )


def audited(url: str, flags: list[str], somebody: PageUser) -> Audits:
    """A run of Lighthouse in the browser of somebody who is logged in, in a tab of its own, with
    nothing in the browser's cache. On a busy machine its trace may lack what it needs: it says so
    (NO_NAVSTART), and runs again.
    """
    command = ["npm", "exec", "--yes", f"--package={PACKAGE}", "--", "lighthouse", url]
    command += ["--quiet", "--output=json", f"--port={somebody.debugging_port}", *flags]
    command += [f"--only-categories={','.join(CATEGORIES)}"]
    for _ in range(ATTEMPTS):
        done = subprocess.run(
            command, check=False, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_SECONDS
        )
        if done.returncode == 0:
            break
        print("Lighthouse has measured nothing, for the reason above: once more", flush=True)
    done.check_returncode()
    audits: Audits = json.loads(done.stdout)
    assert audits["finalDisplayedUrl"] == url, f"it looked at {audits['finalDisplayedUrl']}"
    return audits


def told(run: Audits) -> str:
    """The scores, and what holds those down that are below the target."""
    found = {name: run["categories"][name] for name in CATEGORIES}
    texts = [f"{name} {category['score'] * 100:.0f}" for name, category in found.items()]
    for category in found.values():
        if category["score"] * 100 < LEAST_SCORE:
            texts += [
                shown(run["audits"][audit["id"]])
                for audit in category["auditRefs"]
                if audit["weight"] and (run["audits"][audit["id"]]["score"] or 0) < 0.9
            ]
    return ", ".join(texts)


def shown(audit: Audits) -> str:
    return " ".join([audit["id"], audit.get("displayValue", "")]).strip()
