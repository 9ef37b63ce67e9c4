"""The totals as one Parquet file: sorted, with statistics by which a song's row group is found.

The row groups of the parts' own files are copied, byte for byte, behind one another; the last task
writes one footer for all, with the places at which they are now. The format:
https://parquet.apache.org/docs/file-format/
"""

import os
from dataclasses import dataclass
from pathlib import Path

from bmat.aggregation.job import Job
from bmat.aggregation.spill import write_all
from bmat.aggregation.thrift import I64, Reader, Struct, written
from bmat.aggregation.writing import Written

MAGIC = b"PAR1"
TAIL_BYTES = 8
COPY_BYTES = 2**20

# The fields of the footer that this module has to know, by their numbers in parquet.thrift.
FILE_ROWS, FILE_ROW_GROUPS = 3, 4
GROUP_COLUMNS, GROUP_OFFSET, GROUP_ORDINAL = 1, 5, 7
CHUNK_OFFSETS, CHUNK_METADATA = (2, 4, 6), 3
COLUMN_OFFSETS = (9, 10, 11, 14)
MOST_ORDINALS = 2**15


@dataclass(frozen=True)
class Piece:
    """The Parquet file of a part, which is in the one of the run now, `moved` bytes behind the
    place for which its `footer` was written.
    """

    moved: int
    footer: bytes


@dataclass(frozen=True)
class Appended:
    """The pieces of a part are in the run's file, which reaches up to byte `end` now."""

    end: int
    pieces: tuple[Piece, ...]


def append_part(job: Job, before: Appended | None, part: Written) -> Appended:
    """Copy the row groups of a part behind those of the part before it."""
    assert job.parquet is not None
    descriptor = os.open(job.parquet, os.O_CREAT | os.O_WRONLY, 0o666)
    try:
        end = before.end if before else write_all(descriptor, [memoryview(MAGIC)], 0)
        pieces = []
        for path in part.part.parquet_paths:
            piece, end = append_file(path, descriptor, end)
            pieces.append(piece)
            path.unlink()
    finally:
        os.close(descriptor)
    return Appended(end, tuple(pieces))


def append_file(path: Path, target: int, end: int) -> tuple[Piece, int]:
    """Copy a file's row groups to `end` of the target; returns where they end, too."""
    with path.open("rb") as file:
        file.seek(-TAIL_BYTES, os.SEEK_END)
        footer_start = file.tell() - int.from_bytes(file.read(4), "little")
        file.seek(footer_start)
        piece = Piece(end - len(MAGIC), file.read()[:-TAIL_BYTES])
        file.seek(len(MAGIC))
        left = footer_start - len(MAGIC)
        while left:
            data = file.read(min(COPY_BYTES, left))
            end = write_all(target, [memoryview(data)], end)
            left -= len(data)
    return piece, end


def finish_parquet(path: Path, parts: list[Appended]) -> None:
    """Write the footer behind the last part: that of the first piece, with all row groups."""
    pieces = [piece for part in parts for piece in part.pieces]
    # A single piece has not moved: a small file's footer is right as it is.
    footer_bytes = pieces[0].footer if len(pieces) == 1 else footer_of_all(pieces)
    tail = footer_bytes + len(footer_bytes).to_bytes(4, "little") + MAGIC
    descriptor = os.open(path, os.O_WRONLY)
    try:
        write_all(descriptor, [memoryview(tail)], parts[-1].end)
    finally:
        os.close(descriptor)


def footer_of_all(pieces: list[Piece]) -> bytes:
    """The footer of the first piece, with the row groups of all."""
    footers = [Reader(piece.footer).struct() for piece in pieces]
    groups: list[Struct] = []
    for piece, footer in zip(pieces, footers, strict=True):
        for group in footer[FILE_ROW_GROUPS][1][1]:
            groups.append(moved_group(group, piece.moved, len(groups)))
    whole = footers[0]
    whole[FILE_ROWS] = I64, sum(footer[FILE_ROWS][1] for footer in footers)
    whole[FILE_ROW_GROUPS] = whole[FILE_ROW_GROUPS][0], (whole[FILE_ROW_GROUPS][1][0], groups)
    return written(whole)


def moved_group(group: Struct, by: int, number: int) -> Struct:
    """A row group's description after its move; it is the file's row group `number` now."""
    move(group, (GROUP_OFFSET,), by)
    if GROUP_ORDINAL in group:
        kind, _ = group.pop(GROUP_ORDINAL)
        # The format leaves 16 bits for it, and lets it be missing.
        group.update({GROUP_ORDINAL: (kind, number)} if number < MOST_ORDINALS else {})
    for chunk in group[GROUP_COLUMNS][1][1]:
        move(chunk, CHUNK_OFFSETS, by)
        move(chunk[CHUNK_METADATA][1], COLUMN_OFFSETS, by)
    return group


def move(fields: Struct, offsets: tuple[int, ...], by: int) -> None:
    for number in offsets:
        kind, value = fields.get(number, (I64, 0))
        # None is written as 0: no byte of a column lies there.
        if value:
            fields[number] = kind, value + by
