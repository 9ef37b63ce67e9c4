"""The reports of a round: their files, and how each must end."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bmat.tests import samples
from bmat.tests.live.generated_plays import HEADER, TOTALS_HEADER, as_csv, plays
from bmat.tests.live.multipart import StreamedUpload

BLOCK_SONGS, BLOCK_DAYS = 500, 40
SONGS = [f"S{number}" for number in range(BLOCK_SONGS)]
DAYS = [f"2020-{1 + day // 28:02}-{1 + day % 28:02}" for day in range(BLOCK_DAYS)]
PLAYS = 7


@dataclass(frozen=True)
class Expected:
    """How a report must end: with these bytes, or Failed with this code."""

    totals: bytes | None = None
    rejects: bytes | None = None
    error_code: str = ""


@dataclass(frozen=True)
class Sample:
    """A file to upload, and how its report must end."""

    content: bytes
    expected: Expected


def small_samples() -> list[Sample]:
    """Files that take milliseconds: good ones, one with bad rows, and one that must fail."""
    generated = [as_csv(plays(2000, songs=300, seed=seed)) for seed in range(4)]
    with_rejects = Expected(samples.BAD_ROWS_TOTALS, samples.BAD_ROWS_REJECTS)
    return [
        *(Sample(content, Expected(totals)) for content, totals in generated),
        Sample(samples.BAD_ROWS, with_rejects),
        Sample(b"Song,Date\nUmbrella,2020-01-01\n", Expected(error_code="missing_column")),
    ]


class LongSample:
    """A file that takes as long as wanted: `copies` times the same block of short rows.

    In another `encoding` than UTF-8, a worker makes a copy of it on the disk first.
    """

    rows_per_copy = BLOCK_SONGS * BLOCK_DAYS

    def __init__(self, copies: int, encoding: str = "utf-8") -> None:
        self.copies = copies
        self._header = HEADER.decode().encode(encoding)
        rows = "".join(f"{song},{day},{PLAYS}\n" for day in DAYS for song in SONGS)
        # The codec of UTF-16 puts a byte order mark in front, which belongs to the header alone.
        self._block = rows.encode(encoding).removeprefix("".encode(encoding))

    def upload(self, name: str) -> StreamedUpload:
        return StreamedUpload(name, self._content, self.content_bytes)

    @property
    def content_bytes(self) -> int:
        return len(self._header) + self.copies * len(self._block)

    def _content(self) -> Iterator[bytes]:
        yield self._header
        for _ in range(self.copies):
            yield self._block

    @cached_property
    def expected(self) -> Expected:
        lines = (f"{song},{day},{PLAYS * self.copies}\n" for song in sorted(SONGS) for day in DAYS)
        return Expected(TOTALS_HEADER + "".join(lines).encode())
