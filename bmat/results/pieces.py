"""A result in pieces that are cut between songs: what sums up all songs does so piece by piece, in
memory that does not grow with the result.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bmat.results.connection import Database
from bmat.results.files import OUTPUT

# A piece is as large as its sums fit into memory, in rows and in bytes of CSV.
ROWS_PER_PIECE = 2**19
BYTES_PER_PIECE = 2**25


def pieces(
    database: Database,
    table: str,
    folder: Path,
    first: str = "",
    beyond: str | None = None,
) -> Iterator[tuple[str, str | None]]:
    """The pieces of `table`, the totals of the result in `folder`, that hold the songs from `first`
    up to but without `beyond` (None: to the last): the first song of each, and the one behind it.
    """
    ((rows,),) = database.ask(f"SELECT count(*) FROM {table}")
    csv_bytes = (folder / OUTPUT).stat().st_size
    per_piece = max(1, min(ROWS_PER_PIECE, BYTES_PER_PIECE * rows // csv_bytes))
    numbers = range(per_piece, rows, per_piece)
    songs = set(songs_at(database, table, list(numbers)).values())
    cuts = sorted(song for song in songs if first < song and (beyond is None or song < beyond))
    starts = [first, *cuts]
    yield from zip(starts, [*cuts, beyond], strict=True)


def songs_at(database: Database, table: str, numbers: list[int]) -> dict[int, str]:
    """The songs of the rows with these numbers."""
    if not numbers:
        return {}
    listed = ", ".join(map(str, numbers))
    return dict(database.ask(f"SELECT n, Song FROM {table} WHERE n IN ({listed})"))


def song_range(first: str, beyond: str | None) -> tuple[str, dict[str, Any]]:
    """The condition, and its parameters, that a song lies from `first` up to but without `beyond`:
    songs are ordered by the bytes of their UTF-8, as Python orders texts.
    """
    if beyond is None:
        return "Song >= $first_song", {"first_song": first}
    parameters = {"first_song": first, "beyond_song": beyond}
    return "Song >= $first_song AND Song < $beyond_song", parameters


def after_prefix(prefix: str) -> str | None:
    """The first text, in order, behind all those that begin with `prefix`; None: there is none."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    # Between these two lie the surrogates, which no text holds.
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)
