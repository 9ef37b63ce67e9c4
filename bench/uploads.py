"""`make uploads`: what a resumable upload of UPLOAD_BYTES (1 GB) costs, and eight at once.

In turn, five times, after once that does not count: the bytes copied from a socket to a disk by the
barest program that could do it, in one piece and in pieces of 64 MiB, sent to the service, sent in
such pieces, and sent through the proxy. Each piece ends with an fsync and an answer. Then eight
uploads at the same time, and the memory of each process of the web server. Ends with 1 where a
target is missed.
"""

import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from bench.load_upload import chunks, copy_seconds
from bench.report import judged
from bmat.tests.live.client import Client
from bmat.tests.live.proxy import proxied
from bmat.tests.live.resumable import MIB, Resumable
from bmat.tests.live.sessions import peaks_from_now, peaks_of_each
from bmat.tests.live.stack import START_SECONDS, Stack

UPLOAD_BYTES = int(os.environ.get("UPLOAD_BYTES", str(10**9)))
ROUNDS, AT_ONCE, PIECE_BYTES = 5, 8, 64 * MIB
LEAST_SHARE_OF_COPY, MOST_MEMORY_BYTES = 0.8, 200 * 10**6
MB = 10**6
# All come from one address, and make no report.
SETTINGS = {"BMAT_MAX_TRANSFERS": "none", "BMAT_WEB_THREADS": "8"}
NO_REPORT = {"Upload_Metadata": "report bm8="}


class WebAlone(Stack):
    """The service without those who would work on a report."""

    def start(self) -> None:
        self.postgres.start()
        self.redis.start()
        self.web.start(self.environment)
        self.web.wait_until_ready(self.client.answers, START_SECONDS)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="bmat-uploads-") as folder:
        stack = WebAlone(Path(folder) / "stack", settings=SETTINGS)
        try:
            stack.start()
            with proxied(stack, Path(folder)) as proxy:
                shares = shares_of_a_copy(stack.client, proxy, Path(folder))
            peak = peak_of_many(stack)
        finally:
            stack.stop()
    return verdict(shares, peak)


def shares_of_a_copy(direct: Client, proxy: Client, folder: Path) -> dict[str, float]:
    """How fast each way is, as a share of the speed of a copy in as many pieces; the median of the
    rounds.
    """
    rounds: dict[str, list[float]] = {}
    for number in range(1 + ROUNDS):
        copied = copy_seconds(folder / "copy", [UPLOAD_BYTES])
        copied_in_pieces = copy_seconds(folder / "copy", lengths(PIECE_BYTES))
        whole, pieces, through = (
            sent_seconds(direct, UPLOAD_BYTES),
            sent_seconds(direct, PIECE_BYTES),
            sent_seconds(proxy, UPLOAD_BYTES),
        )
        print(
            f"{UPLOAD_BYTES:,} bytes: copied {copied:.2f} s, in pieces {copied_in_pieces:.2f} s; "
            f"sent {whole:.2f} s, through the proxy {through:.2f} s, in pieces {pieces:.2f} s",
            flush=True,
        )
        # The first upload of a process asks the system for the memory that the others find.
        if number:
            rounds.setdefault("in one piece", []).append(copied / whole)
            rounds.setdefault("through the proxy", []).append(copied / through)
            rounds.setdefault("in pieces", []).append(copied_in_pieces / pieces)
    return {how: median(shares) for how, shares in rounds.items()}


def sent_seconds(client: Client, piece_bytes: int) -> float:
    """From the creation of an upload to the answer to its last byte. It is removed after it."""
    tus = Resumable(client)
    started = time.monotonic()
    url = tus.create(UPLOAD_BYTES, **NO_REPORT)
    for number, length in enumerate(lengths(piece_bytes)):
        offset = number * piece_bytes
        with tus.begun(url, offset, length, b"") as connection:
            for chunk in chunks(length):
                connection.sendall(chunk)
            answer = connection.recv(12)
            assert answer == b"HTTP/1.1 204", answer
    seconds = time.monotonic() - started
    tus.send("DELETE", url)
    return seconds


def lengths(piece_bytes: int) -> list[int]:
    """Those of the pieces of an upload."""
    return [
        min(piece_bytes, UPLOAD_BYTES - offset) for offset in range(0, UPLOAD_BYTES, piece_bytes)
    ]


def peak_of_many(stack: Stack) -> int:
    """The most memory of any process of the web server, while many send at the same time."""
    before = peaks_from_now(stack.web.pid)
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as senders:
        list(senders.map(sent_seconds, [stack.client] * AT_ONCE, [UPLOAD_BYTES] * AT_ONCE))
    seconds = time.monotonic() - started
    peaks = peaks_of_each(stack.web.pid)
    print(
        f"{AT_ONCE} at once: {AT_ONCE * UPLOAD_BYTES / MB / seconds:.0f} MB/s together; processes "
        f"of {', '.join(f'{size / MB:.0f}' for size in before)} MB came to "
        f"{', '.join(f'{size / MB:.0f}' for size in peaks)} MB",
        flush=True,
    )
    return max(peaks)


def verdict(shares: dict[str, float], peak: int) -> int:
    """Prints each figure beside its target. 1 where one is missed."""
    target = f"(target: at least {LEAST_SHARE_OF_COPY:.0%})"
    figures = {
        f"sent {how}: {share:.0%} of a copy's speed {target}": share >= LEAST_SHARE_OF_COPY
        for how, share in shares.items()
    }
    text = f"memory of a process: {peak / MB:.0f} MB (target: less than {MOST_MEMORY_BYTES // MB})"
    figures[text] = peak < MOST_MEMORY_BYTES
    for text, met in figures.items():
        print(judged(met, text))
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
