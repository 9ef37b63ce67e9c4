"""Play logs of any length from a fixed seed, and their totals by a plain dictionary."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date

FIRST_DAY = date(2020, 1, 1).toordinal()
HEADER = b"Song,Date,Number of Plays\n"
TOTALS_HEADER = b"Song,Date,Total Number of Plays for Date\n"

Play = tuple[str, str, int]


def plays(count: int, songs: int = 5000, days: int = 90, seed: int = 1) -> Iterator[Play]:
    """`count` plays of `songs` songs on `days` days; some songs are played far more than others."""
    source = random.Random(seed)
    names = [f"Song {number}" if number % 20 else f"Söng, {number}" for number in range(songs)]
    dates = [date.fromordinal(FIRST_DAY + number).isoformat() for number in range(days)]
    for _ in range(count):
        song = names[int(songs * source.random() ** 3)]
        yield song, dates[source.randrange(days)], source.randrange(1000)


def as_csv(rows: Iterator[Play]) -> tuple[bytes, bytes]:
    """The play log as a CSV, and the report that it must give."""
    lines, totals = [], Counter[tuple[str, str]]()
    for song, day, count in rows:
        lines.append(f"{_field(song)},{day},{count}\n")
        totals[song, day] += count
    return HEADER + "".join(lines).encode(), _report(totals)


def _report(totals: Counter[tuple[str, str]]) -> bytes:
    ordered = sorted(totals, key=lambda key: (key[0].encode(), key[1]))
    lines = (f"{_field(song)},{day},{totals[song, day]}\n" for song, day in ordered)
    return TOTALS_HEADER + "".join(lines).encode()


def _field(song: str) -> str:
    return f'"{song}"' if "," in song else song
