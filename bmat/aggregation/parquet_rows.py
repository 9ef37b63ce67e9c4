"""Looking totals up in their Parquet file, without reading it whole.

Its rows are sorted by the song's bytes, then by date. Which row group a song begins in is found by
a binary search over the row groups' smallest songs, which the file's footer has, and then by one in
the row group itself. Songs past a KiB have no place in the footer: they are read from the row
group.
"""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

# Arrow loads it when an array is cast for the first time: no answer shall wait for that.
import pyarrow.compute  # noqa: F401
import pyarrow.parquet as pq

from bmat.aggregation.job import Ints
from bmat.aggregation.spans import EPOCH_ORDINAL, Days, Page, Place, Row, Span

# A page that looks for days among all songs may find none in a row group. After so many it ends,
# however few rows it has, so that no page takes longer than some milliseconds.
MOST_GROUPS = 8


def footer_of(path: Path) -> Any:
    """The file's footer (a pyarrow FileMetaData), which a `TotalsFile` needs. Raises
    FileNotFoundError.
    """
    return pq.read_metadata(path)


class TotalsFile:
    """The totals at `path`, open for as long as the block lasts. Raises FileNotFoundError.

    Not for several threads at once; the footer may be shared.
    """

    def __init__(self, path: Path, footer: Any) -> None:
        self._file = pq.ParquetFile(path, metadata=footer, pre_buffer=False)
        self._footer = footer
        # What was read of the row group that was read last.
        self._group = -1
        self._columns: dict[str, Any] = {}

    def __enter__(self) -> "TotalsFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def everything(self) -> Span:
        return Span(Place(0, 0), Place(self._footer.num_row_groups, 0))

    def of_song(self, song: bytes) -> Span:
        """The rows of one song."""
        # No text sorts between a song and itself with a NUL behind, which no song holds.
        return Span(self.place_of(song), self.place_of(song + b"\0"))

    def of_prefix(self, prefix: bytes) -> Span:
        """The rows of the songs whose bytes begin with `prefix`, which is not empty."""
        # No byte of UTF-8 is the highest one, so that the last one has a successor.
        return Span(self.place_of(prefix), self.place_of(prefix[:-1] + bytes([prefix[-1] + 1])))

    def place_of(self, song: bytes) -> Place:
        """The place of the first row whose song is not before `song`."""
        groups = range(self._footer.num_row_groups)
        # The rows of a song may begin in the row group before the first that begins with it.
        group = bisect_left(groups, song, key=self._smallest_song) - 1
        if group < 0:
            return Place(0, 0)
        songs = self._read(group, "Song").cast(pa.binary())
        row = bisect_left(range(len(songs)), song, key=lambda number: songs[number].as_py())
        return self._place(group, row)

    def count(self, span: Span) -> int:
        """The number of rows in a span."""
        return sum(last - first for _, first, last in self._pieces(span, backwards=False))

    def page(self, span: Span, limit: int, days: Days, backwards: bool = False) -> Page:
        """The first `limit` rows of the span on some of `days`, or the last ones, backwards.

        There may be fewer, even none, and a rest all the same: see MOST_GROUPS.
        """
        rows: list[Row] = []
        rest = span
        for number, (group, first, last) in enumerate(self._pieces(span, backwards)):
            if len(rows) == limit or number == MOST_GROUPS:
                return Page(rows, rest)
            found = first + days.among(self._days(group)[first:last])
            taken = (found[::-1] if backwards else found)[: limit - len(rows)]
            rows += self._rows(group, taken)
            # Where that was enough, the next page begins behind the last of these rows.
            is_full = len(rows) == limit
            if backwards:
                rest = Span(span.first, Place(group, int(taken[-1]) if is_full else first))
            else:
                rest = Span(self._place(group, int(taken[-1]) + 1 if is_full else last), span.last)
        return Page(rows, rest if rest.first < rest.last else None)

    def by_plays(self, song: str, days: Days, descending: bool) -> list[Row]:
        """A song's rows on `days` in the order of their plays; by date where these are equal."""
        rows = []
        for group, first, last in self._pieces(self.of_song(song.encode()), backwards=False):
            found = first + days.among(self._days(group)[first:last])
            ordinals = self._days(group)[found].astype(np.int64) + EPOCH_ORDINAL
            plays = integers_of(self._read(group, "Plays"), np.int64)[found]
            pairs = zip(ordinals.tolist(), plays.tolist(), strict=True)
            rows += [Row(song, date.fromordinal(ordinal), count) for ordinal, count in pairs]
        return sorted(rows, key=lambda row: -row.plays if descending else row.plays)

    def _pieces(self, span: Span, backwards: bool) -> Iterator[tuple[int, int, int]]:
        """The row groups of a span, each with the first of its rows and that behind its last."""
        groups = range(span.first.group, min(span.last.group + 1, self._footer.num_row_groups))
        for group in reversed(groups) if backwards else groups:
            first = span.first.row if group == span.first.group else 0
            last = span.last.row if group == span.last.group else self._length(group)
            if first < last:
                yield group, first, last

    def _rows(self, group: int, numbers: Ints) -> list[Row]:
        """Rows of a row group, in the order of `numbers`."""
        if not len(numbers):
            return []
        taken = arrow_array(numbers)
        columns = (
            self._read(group, name).take(taken).to_pylist() for name in ("Song", "Date", "Plays")
        )
        return [Row(*values) for values in zip(*columns, strict=True)]

    def _days(self, group: int) -> Ints:
        return integers_of(self._read(group, "Date"), np.int32)

    def _place(self, group: int, row: int) -> Place:
        return Place(group, row) if row < self._length(group) else Place(group + 1, 0)

    def _length(self, group: int) -> int:
        return int(self._footer.row_group(group).num_rows)

    def _smallest_song(self, group: int) -> bytes:
        statistics = self._footer.row_group(group).column(0).statistics
        if statistics is not None and statistics.has_min_max:
            return bytes(statistics.min_raw)
        songs = self._file.iter_batches(1, row_groups=[group], columns=["Song"], use_threads=False)
        return str(next(songs).column(0)[0].as_py()).encode()

    def _read(self, group: int, name: str) -> Any:
        """A column of a row group, as one array."""
        if group != self._group:
            self._group, self._columns = group, {}
        if name not in self._columns:
            table = self._file.read_row_group(group, columns=[name], use_threads=False)
            self._columns[name] = table.column(0).combine_chunks()
        return self._columns[name]


def arrow_array(integers: npt.NDArray[np.signedinteger[Any]]) -> Any:
    """Integers as an array of Arrow's, which shares their memory if it can. Arrow's own way to it
    imports pandas, where that is installed: a process would wait for half a second.
    """
    kind = pa.from_numpy_dtype(integers.dtype)
    memory = pa.py_buffer(np.ascontiguousarray(integers))
    return pa.Array.from_buffers(kind, len(integers), [None, memory])


def integers_of(array: Any, kind: type[np.signedinteger[Any]]) -> Ints:
    """The way back: an array of Arrow's, whose values have the type `kind` and are all there."""
    values = np.frombuffer(array.buffers()[1], dtype=kind)
    return values[array.offset : array.offset + len(array)]
