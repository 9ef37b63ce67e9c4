"""The three shapes of input, made from a fixed seed, as fast as the disk takes them: BENCH_ROWS
(25,000,000) rows each, in files under BENCH_FOLDER (`.bench`).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROWS = int(os.environ.get("BENCH_ROWS", "25000000"))
FOLDER = Path(os.environ.get("BENCH_FOLDER", ".bench"))
SEED = 20_200_101
HEADER = b"Song,Date,Number of Plays\n"
FIRST_DAY = np.datetime64("2020-01-01")
ROWS_PER_CHUNK = 500_000
MOST_PLAYS = 1_000

WORDS = (
    "Love Night Dance Blue River Golden Summer Rain Heart Fire Moon Light Dream City Home Road "
    "Wild Stars Sweet Time Lost Girl Boy Baby World Life Song Ocean Shadow Mirror Velvet Electric"
).split()
# About one song in 20 needs quoting, and a few in a thousand are not ASCII.
QUOTED_SONGS = ("{0}, {1} {2}", '"{0}" {1} {2}')
OTHER_SONGS = ("Canción de {0} {2}", "{0} été {2}", "夜に {1} {2}")


@dataclass(frozen=True)
class Shape:
    """How many songs and days there are, and whether a few songs have most of the rows."""

    name: str
    songs: int
    days: int
    skewed: bool


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("low", 5_000, 90, skewed=True),
        Shape("mid", 50_000, 365, skewed=True),
        Shape("high", 5_000_000, 365, skewed=False),
    )
}


def song_name(number: int, dice: float, first: str, second: str) -> str:
    """The name of one song; `dice`, 0 to 1, says of which kind."""
    if dice < 0.05:
        pattern = QUOTED_SONGS[number % len(QUOTED_SONGS)]
    elif dice < 0.055:
        pattern = OTHER_SONGS[number % len(OTHER_SONGS)]
    else:
        pattern = "{0} {1} {0} {2}"
    return pattern.format(first, second, number)


def song_fields(shape: Shape) -> list[bytes]:
    """The songs, as fields of a CSV line with the comma behind them."""
    random = np.random.default_rng(SEED)
    dice = random.random(shape.songs).tolist()
    words = random.integers(0, len(WORDS), (2, shape.songs)).tolist()
    fields = []
    for number in range(shape.songs):
        name = song_name(number, dice[number], WORDS[words[0][number]], WORDS[words[1][number]])
        if "," in name or '"' in name:
            name = '"' + name.replace('"', '""') + '"'
        fields.append(name.encode() + b",")
    return fields


def table_of(texts: list[bytes]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Texts as the rows of a table of bytes, and their lengths."""
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    width = int(lengths.max())
    table = np.frombuffer(b"".join(text.ljust(width, b"\0") for text in texts), dtype=np.uint8)
    return table.reshape(len(texts), width), lengths


def chunks(shape: Shape, rows: int) -> Iterator[bytes]:
    """The file's bytes behind the header, chunk by chunk."""
    songs, _ = table_of(song_fields(shape))
    days, _ = table_of([f"{FIRST_DAY + day},".encode() for day in range(shape.days)])
    plays, _ = table_of([f"{count}\n".encode() for count in range(MOST_PLAYS)])
    random = np.random.default_rng(SEED + 1)
    for done in range(0, rows, ROWS_PER_CHUNK):
        size = min(ROWS_PER_CHUNK, rows - done)
        drawn = random.random(size)
        song = (shape.songs * (drawn**3 if shape.skewed else drawn)).astype(np.int64)
        day = random.integers(0, shape.days, size)
        count = random.integers(0, MOST_PLAYS, size)
        lines = np.concatenate([songs[song], days[day], plays[count]], axis=1)
        # No text holds a NUL: each is the padding of a shorter one.
        yield lines[lines != 0].tobytes()


def make(shape: Shape, rows: int = ROWS, folder: Path = FOLDER) -> Path:
    """The file of a shape, made unless it is there."""
    path = folder / f"{shape.name}-{rows}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("wb") as file:
            file.write(HEADER)
            for chunk in chunks(shape, rows):
                file.write(chunk)
        unfinished.rename(path)
    return path
