"""Files of a report, fetched whole: what broke off goes on, also in the next run.

A file is written beside its place, under a name that holds a digest of its address and its ETag, so
that only what is the same goes on there; it is renamed once it is as long as it should be.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx

from bmat.client.connection import Connection, retry_after
from bmat.client.errors import ApiError, ClientError, NoService, Temporary
from bmat.client.files import only_here, state_folder

PARTIAL, BEING_WRITTEN, RANGE_REFUSED = 206, 202, 416
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
DIGEST_LENGTH = 16

# Told how many bytes are here, and of how many: None where the service does not say.
OnReceived = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Download:
    """One file of the service, behind `path` with these parameters."""

    path: str
    params: Mapping[str, str]

    def part_of(self, target: Path, etag: str) -> Path:
        """Where the beginning of it is kept while it is not whole."""
        described = "\0".join([self.path, *map("=".join, sorted(self.params.items())), etag])
        digest = hashlib.sha256(described.encode()).hexdigest()[:DIGEST_LENGTH]
        return target.with_name(f"{target.name}.{digest}.part")


def download(
    connection: Connection, wanted: Download, target: Path, on_received: OnReceived
) -> None:
    """Put the file in its place, whole. A device or a pipe is written into. Raises ApiError,
    FileBusy, NoService, Unreachable and OSError.
    """
    place = Path(os.path.realpath(target))
    if place.exists() and not place.is_file():
        # A folder says so when it is opened.
        with target.open("wb") as stream:
            write_into(connection, wanted, stream, on_received)
        return
    name = hashlib.sha256(os.fsencode(place)).hexdigest()
    with only_here(state_folder("downloads") / f"{name}.lock", str(target)):
        Fetching(connection, wanted, place, on_received).run()


def write_into(
    connection: Connection, wanted: Download, stream: IO[bytes], on_received: OnReceived
) -> None:
    """Write the file into an open stream: after a break, from the byte on that it lacks. Raises
    ApiError, NoService, Unreachable, OSError, and ClientError where the file is no longer the same.
    """
    retries, etag, written = connection.retries(), "", 0
    while True:
        try:
            with connection.stream(wanted.path, range_headers(etag, written), wanted.params) as got:
                being_written(got)
                if written and (got.status_code != PARTIAL or first_byte(got) != written):
                    raise ClientError("The download broke off, and cannot go on: begin again.")
                etag, total = strong_etag(got), total_bytes(got)
                for piece in got.iter_raw():
                    stream.write(piece)
                    written += len(piece)
                    retries.progressed()
                    on_received(written, total)
            check_length(written, total)
            stream.flush()
            return
        except Temporary as failure:
            retries.wait(failure)


class Fetching:
    """A download into a file of its own, over as many connections as it takes."""

    def __init__(
        self, connection: Connection, wanted: Download, place: Path, on_received: OnReceived
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        self._place = place
        self._on_received = on_received
        self._retries = connection.retries()
        self._etag = ""

    def run(self) -> None:
        while True:
            try:
                if self._fetch():
                    return
            except Temporary as failure:
                self._retries.wait(failure)
            except ApiError as error:
                if error.status != RANGE_REFUSED:
                    raise
                # What is here is no beginning of the file.
                self._part().unlink(missing_ok=True)

    def _part(self) -> Path:
        return self._wanted.part_of(self._place, self._etag)

    def _here(self) -> int:
        """How many bytes are here already. Without an ETag, nobody knows of what."""
        part = self._part()
        return part.stat().st_size if self._etag and part.exists() else 0

    def _fetch(self) -> bool:
        """Fetch what is lacking; whether the file is in its place. Raises as `stream` does."""
        here = self._here()
        headers = range_headers(self._etag, here)
        with self._connection.stream(self._wanted.path, headers, self._wanted.params) as got:
            being_written(got)
            is_rest = got.status_code == PARTIAL
            if is_rest and first_byte(got) != here:
                raise NoService("The service has sent another part of the file than was asked for.")
            self._etag, total = strong_etag(got), total_bytes(got)
            kept = self._here()
            if kept == here:
                self._receive(got, total, "ab" if is_rest else "wb")
            elif kept != total:
                # It is here in part, from an earlier run: ask for the rest of it.
                return False
        check_length(self._part().stat().st_size, total)
        self._part().replace(self._place)
        self._remove_other_parts()
        return True

    def _receive(self, got: httpx.Response, total: int | None, mode: str) -> None:
        with self._part().open(mode) as file:
            for piece in got.iter_raw():
                file.write(piece)
                self._retries.progressed()
                self._on_received(file.tell(), total)
            file.flush()
            os.fsync(file.fileno())

    def _remove_other_parts(self) -> None:
        """Those of files that should have come to the same place earlier."""
        name = re.compile(rf"{re.escape(self._place.name)}\.[0-9a-f]{{{DIGEST_LENGTH}}}\.part")
        for path in self._place.parent.iterdir():
            if name.fullmatch(path.name):
                path.unlink(missing_ok=True)


def range_headers(etag: str, first: int) -> dict[str, str]:
    """Those that ask for the bytes from `first` on, if the file is still the same."""
    return {"Range": f"bytes={first}-", "If-Range": etag} if etag and first else {}


def being_written(got: httpx.Response) -> None:
    """Raises Temporary where the service writes the file first."""
    if got.status_code == BEING_WRITTEN:
        raise Temporary("the file is being written", retry_after(got))


def strong_etag(got: httpx.Response) -> str:
    """The ETag by which a range may be asked for; empty where there is none."""
    etag: str = got.headers.get("ETag", "")
    return "" if etag.startswith("W/") else etag


def first_byte(got: httpx.Response) -> int:
    """The first byte of a partial answer, from 0."""
    found = CONTENT_RANGE.fullmatch(got.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def total_bytes(got: httpx.Response) -> int | None:
    """How long the whole file is; None where the answer does not say."""
    if found := CONTENT_RANGE.fullmatch(got.headers.get("Content-Range", "")):
        return int(found[2])
    text = got.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def check_length(here: int, total: int | None) -> None:
    """Raises Temporary where the file is not as long as it should be."""
    if total is not None and here != total:
        raise Temporary(f"{here:,} of {total:,} bytes have arrived")
