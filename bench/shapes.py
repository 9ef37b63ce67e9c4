"""The shapes of input, made from a fixed seed, as fast as the disk takes them: BENCH_ROWS
(25,000,000) rows each, in files under BENCH_FOLDER (`.bench`).

A line is put together of rows of tables, one table for each group of neighbouring columns.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.titles import titles

ROWS = int(os.environ.get("BENCH_ROWS", "25000000"))
FOLDER = Path(os.environ.get("BENCH_FOLDER", ".bench"))
SEED = 20_200_101
FIRST_DAY = np.datetime64("2020-01-01")
ROWS_PER_CHUNK = 500_000
MOST_PLAYS = 1_000
SONGS_PER_ARTIST = 5
COLUMNS = ("Song", "Date", "Number of Plays")
HEADER = b"Song,Date,Number of Plays\n"
ARTIST_COLUMNS = ("Artist", *COLUMNS)
WIDE_COLUMNS = tuple("Country,Store,ISRC,Song,Label,Date,Number of Plays,Price,Currency".split(","))

COUNTRIES = "US GB DE FR BR MX JP KR IN ES IT SE PL TR AR AU CA NL ID PH".split()
STORES = "Spotify,Apple Music,YouTube Music,Amazon Music,Deezer,TIDAL,KKBOX,Boomplay".split(",")
LABELS = (
    "Sony Music,Universal Music Group,Warner Records,Domino,XL Recordings,Sub Pop,4AD,Ninja Tune,"
    "Believe,BMG Rights Management,Concord,Epitaph"
).split(",")
CURRENCIES = "USD EUR GBP BRL JPY INR".split()

Table = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Shape:
    """How many songs and days there are, whether a few songs have most of the rows, whether half of
    the titles are not ASCII; and the dialect: whether all fields are quoted, dates have a time,
    there are other columns around the three.
    """

    name: str
    songs: int
    days: int
    is_skewed: bool
    is_world: bool = False
    is_quoted: bool = False
    has_times: bool = False
    is_wide: bool = False
    has_artists: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        if self.has_artists:
            return ARTIST_COLUMNS
        return WIDE_COLUMNS if self.is_wide else COLUMNS


LOW = Shape("low", 5_000, 90, is_skewed=True)
MID = Shape("mid", 50_000, 365, is_skewed=True)
HIGH = Shape("high", 5_000_000, 365, is_skewed=False)
SHAPES = {
    shape.name: shape
    for shape in (
        LOW,
        MID,
        HIGH,
        *(replace(shape, name=f"world-{shape.name}", is_world=True) for shape in (LOW, MID, HIGH)),
        replace(LOW, name="quoted", is_quoted=True),
        replace(LOW, name="wide", is_wide=True),
        replace(LOW, name="datetime", has_times=True),
        *(replace(shape, name=f"artist-{shape.name}", has_artists=True) for shape in (LOW, HIGH)),
    )
}


def line(shape: Shape, *fields: str) -> str:
    """Fields as the shape writes them, with a comma between them."""
    return ",".join(
        '"' + text.replace('"', '""') + '"'
        if shape.is_quoted or "," in text or '"' in text
        else text
        for text in fields
    )


def song_fields(shape: Shape) -> Iterator[str]:
    """What a line says of its song: the title; in a wide one, between ISRC and label; or behind
    the artist.
    """
    artist_count = shape.songs // SONGS_PER_ARTIST + 1
    artists = list(titles(artist_count, shape.is_world, SEED + 1)) if shape.has_artists else []
    for number, title in enumerate(titles(shape.songs, shape.is_world, SEED)):
        if shape.is_wide:
            isrc = f"{COUNTRIES[number % len(COUNTRIES)]}A{number % 61:02}{number:07}"
            yield line(shape, isrc, title, LABELS[number % len(LABELS)])
        elif shape.has_artists:
            yield line(shape, artists[number // SONGS_PER_ARTIST], title)
        else:
            yield line(shape, title)


def table_of(texts: Iterable[str]) -> Table:
    """Texts as the rows of a table of bytes, the shorter ones padded with NUL: no text holds it."""
    encoded = [text.encode() for text in texts]
    width = max(map(len, encoded))
    table = np.frombuffer(b"".join(text.ljust(width, b"\0") for text in encoded), dtype=np.uint8)
    return table.reshape(len(encoded), width)


def times() -> Table:
    """Each second of a day, as it follows the date."""
    return table_of(
        f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z," for second in range(86_400)
    )


def places() -> Table:
    """What a wide line begins with."""
    return table_of(f"{country},{store}," for country in COUNTRIES for store in STORES)


def prices() -> Table:
    """What a wide line ends with."""
    return table_of(
        f"0.00{price:02},{currency}\n" for price in range(100) for currency in CURRENCIES
    )


def chunks(shape: Shape, rows: int) -> Iterator[bytes]:
    """The file's bytes behind the header, chunk by chunk.

    The other columns are drawn apart: `low`, `quoted`, `wide` and `datetime` have the same songs,
    days and plays in the same rows.
    """
    days = [str(FIRST_DAY + day) for day in range(shape.days)]
    end_of_day = "T" if shape.has_times else ","
    end_of_plays = "," if shape.is_wide else "\n"
    song_table = table_of(f"{text}," for text in song_fields(shape))
    day_table = table_of(f"{line(shape, day)}{end_of_day}" for day in days)
    plays_table = table_of(f"{line(shape, str(n))}{end_of_plays}" for n in range(MOST_PLAYS))
    before, after = ([places()], [prices()]) if shape.is_wide else ([], [])
    between = [times()] if shape.has_times else []
    random, other_random = (np.random.default_rng(SEED + number) for number in (1, 2))
    for done in range(0, rows, ROWS_PER_CHUNK):
        size = min(ROWS_PER_CHUNK, rows - done)
        drawn = random.random(size)
        song = (shape.songs * (drawn**3 if shape.is_skewed else drawn)).astype(np.int64)
        day = random.integers(0, shape.days, size)
        count = random.integers(0, MOST_PLAYS, size)
        first, middle, last = (
            [table[other_random.integers(0, len(table), size)] for table in tables]
            for tables in (before, between, after)
        )
        parts = [*first, song_table[song], day_table[day], *middle, plays_table[count], *last]
        lines = np.concatenate(parts, axis=1)
        yield lines[lines != 0].tobytes()


def make(shape: Shape, rows: int = ROWS, folder: Path = FOLDER) -> Path:
    """The file of a shape, made unless it is there."""
    path = folder / f"{shape.name}-{rows}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.write(line(shape, *shape.columns).encode() + b"\n")
            for chunk in chunks(shape, rows):
                file.write(chunk)
        unfinished.rename(path)
    return path
