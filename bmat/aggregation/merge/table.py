"""One partition's songs and values, as they are taken in, summed up and put in order."""

import numpy as np

from bmat.aggregation.kernels.arrays import (
    INDEX_FLAG,
    VALUE_MASK,
    Extents,
    Ints,
    PaddedBytes,
    Words,
)
from bmat.aggregation.kernels.ingest import ALL_IN, ROWS_FULL, WIDE_FULL, ingest_rows
from bmat.aggregation.kernels.songs import find_ties, settle_ties, song_keys, tie_bytes
from bmat.aggregation.kernels.sums import compact, gather_values
from bmat.aggregation.workspace import MergingMemory

SORT_ROUNDS = 6


class Table:
    """Songs and their values, in the memory it is lent."""

    def __init__(self, memory: MergingMemory, hash_key: int) -> None:
        self.memory = memory
        self._hash_key = np.uint64(hash_key)
        memory.clear()

    @property
    def song_count(self) -> int:
        return int(self.memory.table.state.songs)

    @property
    def row_count(self) -> int:
        return int(self.memory.table.state.rows)

    def clear(self) -> None:
        self.memory.clear()

    def counts(self) -> Ints:
        return self.memory.table.counts[: self.song_count]

    def values(self) -> Words:
        return self.memory.table.values[: self.row_count]

    def song(self, number: int) -> bytes:
        start, end = self.memory.table.starts[number : number + 2].tolist()
        return self.memory.table.texts[start:end].tobytes()

    def take(self, rows: PaddedBytes, extents: Ints) -> tuple[int, bool]:
        """Take in the whole rows of `rows[start:end]` for each row of `extents`. Returns where the
        next one starts, and whether the table has room for it.
        """
        memory, state = self.memory, self.memory.table.state
        state.position = state.end = state.extent = 0
        while True:
            outcome = ingest_rows(rows, Extents(extents), memory.table, memory.seen, self._hash_key)
            if outcome == ALL_IN:
                return int(state.position), True
            if not self._make_room(outcome):
                return int(state.position), False

    def _make_room(self, lack: int) -> bool:
        """Whether there is room for more after the table has run out of something."""
        memory, table = self.memory, self.memory.table
        if lack == WIDE_FULL and len(table.wide) < len(table.values):
            memory.resize_wide(2 * len(table.wide))
            return True
        if lack not in (ROWS_FULL, WIDE_FULL):
            return False
        self.sum_up()
        if 2 * self.row_count <= len(table.values):
            return True
        if self.song_count <= 1:
            memory.resize_rows(2 * len(table.values))
            return True
        return False

    def sort(self) -> None:
        """Put the songs in order, and bring each one's values together: see `gather_values`."""
        if self.song_count:
            self._sort_songs()
            gather_values(self.memory.table, self.memory.ordered)

    def _sort_songs(self) -> None:
        """Sort by eight bytes, which NumPy does with vector instructions; then, round by round,
        those that are still the same by as many more as fit beside the number of what they share;
        the last few by comparing whole songs.
        """
        table, ordered, songs = self.memory.table, self.memory.ordered, self.song_count
        order, places, keys, count = ordered.order, ordered.places, ordered.keys, songs
        depth = 8 + song_keys(table.starts, table.texts, songs, keys)
        order[:songs] = np.argsort(keys[:songs])
        keys[:songs] = keys[order[:songs]]
        places[:songs] = np.arange(songs)
        for _ in range(SORT_ROUNDS):
            size = tie_bytes(keys, count)
            count = find_ties(table, ordered, count, depth, size)
            if not count:
                return
            by_key = np.argsort(keys[:count])
            order[places[:count]] = order[places[:count][by_key]]
            keys[:count] = keys[:count][by_key]
            depth += size
        settle_ties(table, ordered, count)

    def sum_up(self) -> None:
        """Sum up the values of the same song and day, so that there are fewer."""
        table = self.memory.table
        self.sort()
        table.state.rows = compact(table, self.memory.ordered)
        values = self.values()
        is_index = np.flatnonzero(values & INDEX_FLAG)
        kept = table.wide[values[is_index] & VALUE_MASK]
        table.wide[: len(kept)] = kept
        values[is_index] &= ~VALUE_MASK
        values[is_index] |= np.arange(len(kept), dtype=np.uint64)
        table.state.wide = len(kept)
