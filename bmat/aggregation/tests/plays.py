"""Larger files of plays, drawn from a seed: enough rows for partitions, hot songs and spilling."""

import random

from bmat.aggregation.kernels import IS_COMPILED
from bmat.aggregation.tests.running import HEADER

LONG_START = b"one album with one long title after another: " * 8
# Of a file of drawn plays. Plain Python takes its time for each.
ROWS = [300, 2000, 4000] if IS_COMPILED else [100, 300]
ALPHABET = [b"a", b"B", b"\xc3\xa9", b" ", b'"', b",", b"zz", b"\xf0\x9f\x8e\xb5"]


def field(value: bytes) -> bytes:
    """`value` as a field of a CSV line."""
    return b'"' + value.replace(b'"', b'""') + b'"'


def lines_of(rows: list[tuple[bytes, int, int]]) -> bytes:
    """A file of (song, day of the years 2000 to 2027, plays), each song quoted."""
    return HEADER + b"".join(
        b"%s,%04d-%02d-%02d,%d\n"
        % (field(song), 2000 + day // 336, day // 28 % 12 + 1, day % 28 + 1, plays)
        for song, day, plays in rows
    )


def many_songs(songs: int, rows: int, days: int = 28, start: bytes = b"song ") -> bytes:
    """`rows` rows, spread evenly over `songs` songs that begin alike, and over `days` days."""
    return lines_of([(start + b"%d" % (row % songs), row % days, row) for row in range(rows)])


def drawn_plays(seed: int) -> bytes:
    """A file of hundreds or thousands of rows, with a style of its own: few songs or many, short or
    long, days together or far apart, skewed or even, with bad rows among them or without.
    """
    rng = random.Random(seed)
    start = rng.choice([b"", b"song ", LONG_START])
    songs = [
        start + b"".join(rng.choices(ALPHABET, k=rng.randint(1, 12)))
        for _ in range(rng.choice([1, 3, 50, 2000]))
    ]
    days, skew = rng.choice([1, 30, 9000]), rng.choice([1, 4])
    most = rng.choice([9, 2**33, 2**50])
    rows = [
        (songs[int(len(songs) * rng.random() ** skew)], rng.randrange(days), rng.randrange(most))
        for _ in range(rng.choice(ROWS))
    ]
    lines = lines_of(rows).splitlines(keepends=True)
    for _ in range(rng.choice([0, 3, 400])):
        lines.insert(rng.randint(1, len(lines)), rng.choice([b"bad\n", b'"open\n', b"\n", b",,\n"]))
    return b"".join(lines)
