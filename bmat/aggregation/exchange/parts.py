"""Merged partitions on their way to the output: their text, and what is to be known of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bmat.aggregation.exchange.scratch import BECAME_SHORTER, STRETCH_BYTES, ScratchFile
from bmat.aggregation.kernels.arrays import Bytes, Ints, Words

# More songs than this are not compared with one another: it would take longer than the rest.
MOST_COMPARED_SONGS = 20_000
TOP_SONGS = 100


@dataclass(frozen=True)
class Stored:
    """Bytes on their way to the task that writes them: the `path_bytes` of the file `path`, if
    there are any, then `buffer[:size]`.
    """

    path: Path
    path_bytes: int
    buffer: Bytes
    size: int

    def __reduce__(self) -> tuple[Any, ...]:
        """Into another process goes what is used of the buffer alone."""
        return Stored, (self.path, self.path_bytes, self.buffer[: self.size], self.size)

    @property
    def total_bytes(self) -> int:
        return self.path_bytes + self.size

    def end(self, count: int) -> bytes:
        """The last bytes, as many as are asked for; there are no fewer."""
        in_file = max(count - self.size, 0)
        last = self.buffer[self.size - (count - in_file) : self.size].tobytes()
        if not in_file:
            return last
        with self.path.open("rb") as file:
            file.seek(self.path_bytes - in_file)
            return file.read(in_file) + last

    def stretches(self) -> Iterator[Bytes]:
        """All bytes, in order; the file is gone then. Raises OSError where it has lost some."""
        if self.path_bytes:
            yield from drained(self.path, self.path_bytes)
        for start in range(0, self.size, STRETCH_BYTES):
            yield self.buffer[start : min(start + STRETCH_BYTES, self.size)]


def stored(file: ScratchFile, buffer: Bytes, size: int) -> Stored:
    """What is in the file, and the first `size` bytes of the buffer behind it."""
    return Stored(file.path, file.size, buffer, size)


def drained(path: Path, size: int) -> Iterator[Bytes]:
    """The `size` bytes of a file, which is removed behind the last one."""
    with path.open("rb") as file:
        while data := file.read(STRETCH_BYTES):
            size -= len(data)
            yield np.frombuffer(data, dtype=np.uint8)
    if size:
        raise OSError(BECAME_SHORTER)
    path.unlink()


@dataclass(frozen=True)
class Overflow:
    """The first total, in output order, that is past the largest possible one."""

    song: bytes
    day: int
    total: int


@dataclass(frozen=True)
class SongTexts:
    """The songs of a table: number n is `texts[starts[n] : starts[n + 1]]`. To make an object of
    each would cost more than to sum its plays up, and seldom is a run of so few that it is done.
    """

    texts: bytes
    starts: Ints

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __iter__(self) -> Iterator[bytes]:
        return (self.texts[start:stop] for start, stop in pairwise(self.starts.tolist()))


@dataclass(frozen=True)
class Sums:
    """What is to be known of the totals so far, and does not grow with them.

    `first_day` and `last_day` are those that occur; `days` are those with plays, in order,
    `day_low` and `day_high` their sums in words of 64 bits; `top` are the songs with the most
    plays, with their totals; `overflow` is the first total that is too large. `songs` are those of
    all tables, None where there are more than MOST_COMPARED_SONGS.
    """

    groups: int
    plays: int
    first_day: int
    last_day: int
    days: Ints
    day_low: Words
    day_high: Words
    top: list[tuple[int, bytes]]
    songs: list[SongTexts] | None
    overflow: Overflow | None


@dataclass(frozen=True)
class Part:
    """The lines of one partition, as `text`."""

    text: Stored
    sums: Sums

    def __sizeof__(self) -> int:
        """Tells a Dask scheduler that the text is better written where it is than elsewhere."""
        return self.text.size


def added(before: Sums, more: Sums) -> Sums:
    """The sums of totals, and of `more` that follow them."""
    days = np.union1d(before.days, more.days)
    low, high = np.zeros(len(days), np.uint64), np.zeros(len(days), np.uint64)
    for one in (before, more):
        places = np.searchsorted(days, one.days)
        sums = low[places] + one.day_low
        high[places] += one.day_high + (sums < one.day_low)
        low[places] = sums
    return Sums(
        groups=before.groups + more.groups,
        plays=before.plays + more.plays,
        first_day=min(before.first_day, more.first_day),
        last_day=max(before.last_day, more.last_day),
        days=days,
        day_low=low,
        day_high=high,
        top=first_of_top(before.top + more.top),
        songs=few_songs(before.songs, more.songs),
        overflow=before.overflow or more.overflow,
    )


def few_songs(
    before: list[SongTexts] | None, more: list[SongTexts] | None
) -> list[SongTexts] | None:
    """The songs of both; None where these are too many."""
    if before is None or more is None or sum(map(len, before + more)) > MOST_COMPARED_SONGS:
        return None
    return before + more


def first_of_top(top: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The songs with the most plays, at most TOP_SONGS; by name where plays are the same."""
    return sorted(top, key=lambda entry: (-entry[0], entry[1]))[:TOP_SONGS]
