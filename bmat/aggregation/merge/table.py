"""One partition's songs and values, as they are taken in, summed up and put in order."""

import numpy as np

from bmat.aggregation.kernels.arrays import Ints, PaddedBytes, Words
from bmat.aggregation.kernels.ingest import (
    ALL_IN,
    I_END,
    I_EXTENT,
    I_POSITION,
    I_ROWS,
    I_SONGS,
    I_WIDE,
    INDEX_FLAG,
    ROWS_FULL,
    VALUE_MASK,
    WIDE_FULL,
    ingest_rows,
)
from bmat.aggregation.kernels.sort import find_ties, settle_ties, song_keys, tie_bytes
from bmat.aggregation.kernels.sums import compact, gather_values
from bmat.aggregation.workspace import MergingMemory

SORT_ROUNDS = 6


class Table:
    """Songs and their values, in the memory it is lent."""

    def __init__(self, memory: MergingMemory, hash_key: int) -> None:
        self.memory = memory
        self._hash_key = hash_key
        memory.clear()

    @property
    def song_count(self) -> int:
        return int(self.memory.state[I_SONGS])

    @property
    def row_count(self) -> int:
        return int(self.memory.state[I_ROWS])

    def clear(self) -> None:
        self.memory.clear()

    def counts(self) -> Ints:
        return self.memory.counts[: self.song_count]

    def values(self) -> Words:
        return self.memory.values[: self.row_count]

    def song(self, number: int) -> bytes:
        start, end = self.memory.starts[number : number + 2].tolist()
        return self.memory.texts[start:end].tobytes()

    def take(self, rows: PaddedBytes, extents: Ints) -> tuple[int, bool]:
        """Take in the whole rows of `rows[start:end]` for each row of `extents`. Returns where the
        next one starts, and whether the table has room for it.
        """
        memory, state = self.memory, self.memory.state
        state[I_POSITION] = state[I_END] = state[I_EXTENT] = 0
        while True:
            outcome = ingest_rows(
                rows,
                extents,
                state,
                memory.slots,
                memory.hashes,
                memory.starts,
                memory.texts,
                memory.counts,
                memory.row_songs,
                memory.values,
                memory.wide,
                memory.seen,
                self._hash_key,
            )
            if outcome == ALL_IN:
                return int(state[I_POSITION]), True
            if not self._make_room(outcome):
                return int(state[I_POSITION]), False

    def _make_room(self, lack: int) -> bool:
        """Whether there is room for more after the table has run out of something."""
        memory = self.memory
        if lack == WIDE_FULL and len(memory.wide) < len(memory.values):
            memory.wide = np.concatenate([memory.wide, np.zeros_like(memory.wide)])
            return True
        if lack not in (ROWS_FULL, WIDE_FULL):
            return False
        self.sum_up()
        if 2 * self.row_count <= len(memory.values):
            return True
        if self.song_count <= 1:
            memory.resize_rows(2 * len(memory.values))
            return True
        return False

    def sort(self) -> None:
        """Put the songs in order, and bring each one's values together: see `gather_values`."""
        memory, songs = self.memory, self.song_count
        if not songs:
            return
        self._sort_songs()
        gather_values(
            memory.order,
            memory.counts,
            songs,
            self.row_count,
            memory.row_songs,
            memory.values,
            memory.row_starts,
            memory.places,
            memory.gathered,
        )

    def _sort_songs(self) -> None:
        """Sort by eight bytes, which NumPy does with vector instructions; then, round by round,
        those that are still the same by as many more as fit beside the number of what they share;
        the last few by comparing whole songs.
        """
        memory, songs = self.memory, self.song_count
        depth = 8 + song_keys(memory.starts, memory.texts, songs, memory.keys)
        memory.order[:songs] = np.argsort(memory.keys[:songs])
        memory.keys[:songs] = memory.keys[memory.order[:songs]]
        places, keys, count = memory.places, memory.keys, songs
        places[:songs] = np.arange(songs)
        for _ in range(SORT_ROUNDS):
            size = tie_bytes(keys, count)
            count = find_ties(
                memory.order, places, keys, count, memory.starts, memory.texts, depth, size
            )
            if not count:
                return
            by_key = np.argsort(keys[:count])
            memory.order[places[:count]] = memory.order[places[:count][by_key]]
            keys[:count] = keys[:count][by_key]
            depth += size
        settle_ties(memory.order, places, keys, count, memory.starts, memory.texts)

    def sum_up(self) -> None:
        """Sum up the values of the same song and day, so that there are fewer."""
        memory = self.memory
        self.sort()
        memory.state[I_ROWS] = compact(
            memory.order,
            memory.counts,
            self.song_count,
            memory.row_starts,
            memory.gathered,
            memory.wide,
            memory.state,
            memory.cells,
            memory.row_songs,
            memory.values,
        )
        values = self.values()
        is_index = np.flatnonzero(values & INDEX_FLAG)
        kept = memory.wide[values[is_index] & VALUE_MASK]
        memory.wide[: len(kept)] = kept
        values[is_index] &= ~VALUE_MASK
        values[is_index] |= np.arange(len(kept), dtype=np.uint64)
        memory.state[I_WIDE] = len(kept)
