"""Rows between the tasks that read blocks and those that merge partitions: in memory while there
is some left for them, else on disk.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bmat.aggregation.exchange.scratch import BECAME_SHORTER, ScratchFile
from bmat.aggregation.kernels.arrays import Ints, PaddedBytes, UInt32s, padded_copy, size_of
from bmat.aggregation.workspace import Arena, RowMemory, Workspace

NO_OFFSETS: Ints = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Kept:
    """An arena of rows in memory: partition p's are, for each row of
    `extents[firsts[p]:firsts[p + 1]]`, its bytes from the first to the second number. It has
    `size` bytes of the run's row memory.
    """

    bytes: PaddedBytes
    extents: Ints
    firsts: Ints
    size: int

    def extents_of(self, partition: int) -> Ints:
        first, end = self.firsts[partition : partition + 2].tolist()
        return self.extents[first:end]


@dataclass(frozen=True)
class Spilled:
    """Rows that wait for their merge: those in `kept`, and those in the file `path`, if `runs` has
    any rows. Partition p's there are, for each row of `runs`, the bytes `run[p]` to `run[p + 1]`;
    its pairs of hot songs are the bytes `pairs[p]` to `pairs[p + 1]`, if there are any `pairs`.
    """

    path: Path
    runs: Ints
    kept: list[Kept] = field(default_factory=list)
    pairs: Ints = field(default_factory=lambda: NO_OFFSETS)

    @property
    def partitions(self) -> int:
        return int(self.runs.shape[1]) - 1

    @property
    def is_empty(self) -> bool:
        return not (self.kept or len(self.runs) or len(self.pairs))

    def pairs_of(self, partition: int) -> UInt32s:
        """A partition's packed pairs. Raises OSError where the file has lost some."""
        start, end = self.pairs[partition : partition + 2].tolist()
        pairs = np.fromfile(self.path, np.uint32, (end - start) // 4, offset=start)
        if pairs.nbytes != end - start:
            raise OSError(BECAME_SHORTER)
        return pairs

    def discard(self, workspace: Workspace) -> None:
        """Give back the memory and the file."""
        while self.kept:
            workspace.rows.give_back(self.kept.pop().size)
        self.path.unlink(missing_ok=True)


class SpillWriter:
    """Puts full arenas away: as they are while there is memory, else to a file of its own."""

    def __init__(self, folder: Path, memory: RowMemory, partitions: int) -> None:
        self._file = ScratchFile(folder, "rows")
        self._memory = memory
        self._partitions = partitions
        self._runs: list[Ints] = []
        self._kept: list[Kept] = []
        self._pairs = NO_OFFSETS

    def write(self, arena: Arena) -> None:
        """Put away what is in the arena, and empty it."""
        size = arena.used_bytes
        chunks = arena.take_chunks()
        if not len(chunks):
            return
        if self._memory.take(size):
            bounds = np.arange(self._partitions + 1)
            firsts = np.searchsorted(chunks[:, 0], bounds).astype(np.int64)
            # An arena is made of huge pages, of which the last one may hold next to nothing, and
            # there may be a thousand batches: what fills no half of one is copied.
            is_full = 2 * size >= size_of(arena.bytes)
            kept = arena.hand_over() if is_full else padded_copy(arena.bytes[:size])
            self._kept.append(Kept(kept, chunks[:, 1:].copy(), firsts, size))
        else:
            self._write(arena.bytes.data, chunks)

    def _write(self, view: memoryview, chunks: Ints) -> None:
        sizes = np.zeros(self._partitions + 1, dtype=np.int64)
        np.add.at(sizes, chunks[:, 0] + 1, chunks[:, 2] - chunks[:, 1])
        self._runs.append(self._file.size + np.cumsum(sizes))
        self._file.append([view[start:end] for _, start, end in chunks.tolist()])

    def write_pairs(self, pairs: UInt32s, firsts: Ints) -> None:
        """Put packed pairs away, once: those of partition p are the words from number `firsts[p]`
        to `firsts[p + 1]`.
        """
        self._pairs = self._file.size + 4 * firsts
        self._file.append([pairs.view(np.uint8).data])

    def result(self) -> Spilled:
        """What was put away."""
        runs: Ints = np.zeros((0, self._partitions + 1), dtype=np.int64)
        if self._runs:
            runs = np.stack(self._runs)
        return Spilled(self._file.path, runs, self._kept, self._pairs)
