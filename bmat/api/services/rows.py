"""Asking a result for some of its rows, page by page."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from cachetools import LRUCache, cached
from django.core import signing

from bmat.aggregation.parquet_rows import TotalsFile, footer_of
from bmat.aggregation.spans import Days, Place, Row, Span
from bmat.api.services import files

# In the order of the file, which costs the same for any number of rows, and backwards.
SONG, SONG_BACKWARDS = "song", "-song"
# For one song.
DATE, DATE_BACKWARDS, PLAYS, MOST_PLAYS = "date", "-date", "plays", "-plays"
BACKWARDS = (SONG_BACKWARDS, DATE_BACKWARDS)
# All rows of the song have to be read and sorted for each page.
SORTED = (PLAYS, MOST_PLAYS)
MOST_SORTED_ROWS = 20_000

# As a footer is held in memory, it takes some times the bytes that it takes in its file.
FOOTERS_BYTES = 2**26
MEMORY_PER_FOOTER_BYTE = 10


class BadCursor(Exception):
    """The cursor was not made for this question, or not here."""


class TooManyToSort(Exception):
    """The song has more than MOST_SORTED_ROWS rows."""


@dataclass(frozen=True)
class Question:
    """Which rows are wanted, in which order. An empty `song` or `song_prefix` is any."""

    song: str = ""
    song_prefix: str = ""
    days: Days = Days()
    order: str = SONG

    @property
    def is_contradictory(self) -> bool:
        """Whether no song can be `song` and begin with `song_prefix`."""
        return bool(self.song) and not self.song.startswith(self.song_prefix)

    def span(self, totals: TotalsFile) -> Span:
        """The rows of the songs that are wanted."""
        if self.song:
            return totals.of_song(self.song.encode())
        if self.song_prefix:
            return totals.of_prefix(self.song_prefix.encode())
        return totals.everything()


@dataclass(frozen=True)
class Answer:
    """Some rows, and the cursor of those after them: None where these are the last."""

    rows: list[Row]
    cursor: str | None


def ask(output_name: str, question: Question, limit: int, cursor: str = "") -> Answer:
    """The first `limit` rows that `question` is about, or the next ones, with the `cursor` of the
    answer before. There may be fewer, even none, and a cursor all the same.

    `output_name` is the storage's name of the report's output. Raises FileNotFoundError, BadCursor
    and TooManyToSort.
    """
    bookmark = Bookmark(output_name, question)
    place = bookmark.place_of(cursor) if cursor else None
    path = files.path(files.beside(output_name, files.PARQUET))
    with TotalsFile(path, footer(path)) as totals:
        if question.is_contradictory:
            return Answer([], None)
        if question.order in SORTED:
            return sorted_answer(totals, bookmark, limit, place or Place(0, 0))
        span, backwards = question.span(totals), question.order in BACKWARDS
        if place is not None:
            span = Span(span.first, place) if backwards else Span(place, span.last)
        page = totals.page(span, limit, question.days, backwards)
    if page.rest is None:
        return Answer(page.rows, None)
    return Answer(page.rows, bookmark.cursor_of(page.rest.last if backwards else page.rest.first))


def sorted_answer(totals: TotalsFile, bookmark: "Bookmark", limit: int, place: Place) -> Answer:
    """The answer in the order of plays, in which `place` is row number `place.row` of all."""
    question = bookmark.question
    if totals.count(question.span(totals)) > MOST_SORTED_ROWS:
        raise TooManyToSort
    rows = totals.by_plays(question.song, question.days, question.order == MOST_PLAYS)
    end = place.row + limit
    cursor = bookmark.cursor_of(Place(0, end)) if end < len(rows) else None
    return Answer(rows[place.row : end], cursor)


class Bookmark:
    """Turns a place in a result into a cursor and back. The files of a result never change, so that
    the place stays what it is. A cursor is signed together with the question.
    """

    def __init__(self, output_name: str, question: Question) -> None:
        self.question = question
        asked = json.dumps([output_name, asdict(question)], default=str)
        self._signer = signing.Signer(salt=f"bmat.api.services.rows {asked}")

    def cursor_of(self, place: Place) -> str:
        return self._signer.sign_object(place)

    def place_of(self, cursor: str) -> Place:
        """Raises BadCursor."""
        try:
            return Place(*self._signer.unsign_object(cursor))
        except signing.BadSignature as error:
            raise BadCursor from error


def footer(path: Path) -> Any:
    """The footer of the Parquet file at `path`, which this process keeps for a while."""
    known = path.stat()
    return kept_footer(path, known.st_mtime_ns, known.st_size)


footers: LRUCache[Any, Any] = LRUCache(
    FOOTERS_BYTES, getsizeof=lambda footer: MEMORY_PER_FOOTER_BYTE * footer.serialized_size
)


@cached(footers, lock=Lock())
def kept_footer(path: Path, mtime_ns: int, size: int) -> Any:
    return footer_of(path)
