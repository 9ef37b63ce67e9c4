"""What kernels share with those who call them: arrays, tuples of arrays, and records of numbers.

Kernels read and write bytes by words of eight, four at once at the most: such a kernel touches up
to SLACK_BYTES behind the bytes that it means. So whatever it is given is made here, and has the
type PaddedBytes: an array of the exact length of its contents may end where the process has no
memory.
"""

from functools import cache
from typing import Annotated, Any, NamedTuple, NewType, Self, cast, get_args, get_type_hints

import numpy as np
import numpy.typing as npt

SLACK_BYTES = 64

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Int32s = npt.NDArray[np.int32]
UInt32s = npt.NDArray[np.uint32]
# A number as a kernel has it.
Int64 = Annotated[Any, np.int64]
UInt64 = Annotated[Any, np.uint64]
# Rows of [start, end].
Extents = NewType("Extents", npt.NDArray[np.int64])
# Its last SLACK_BYTES are nobody's: kernels may read them, and overwrite them.
PaddedBytes = NewType("PaddedBytes", npt.NDArray[np.uint8])

# What annotations of kernels stand for: numbers, by their type; arrays, by that of their elements
# and the number of dimensions.
NUMBERS: dict[Any, Any] = {int: np.int64, Int64: np.int64, UInt64: np.uint64}
ARRAYS: dict[Any, tuple[Any, int]] = {
    Bytes: (np.uint8, 1),
    PaddedBytes: (np.uint8, 1),
    Ints: (np.int64, 1),
    Int32s: (np.int32, 1),
    UInt32s: (np.uint32, 1),
    Words: (np.uint64, 1),
    Extents: (np.int64, 2),
}

# A value is a word `day:22 | is_index:1 | plays:41`; plays past 41 bits stand in a list of their
# own, and the value holds their index.
DAY_SHIFT = np.uint64(42)
INDEX_FLAG = np.uint64(1 << 41)
VALUE_MASK = np.uint64((1 << 41) - 1)
# A pair is a word `cell:40 | plays:24`: so few plays that the sums of a file of petabytes stay
# below 2^63.
PAIR_PLAYS_BITS = 24
LARGEST_HOT_PLAYS = 2**PAIR_PLAYS_BITS
# Of the records that cannot be counted, or are left out: see REASONS in `judge`.
REASON_COUNT = 16
# The most fields of a record that are read: those of the key, the date, the plays, the filter's.
MOST_SLOTS = 8
# Which records may be clean: see `clean`. None; those with a song; those with a longer key.
NO_CLEAN, CLEAN_SONGS, CLEAN_KEYS = range(3)
# Per slot of `FoundFields.columns`.
SLOT_FIELDS = 3
# Of a rejected record, so many bytes are listed.
LISTED_RECORD_BYTES = 1024
# Of each partition's open chunk: [next free byte, end, start]; of each full one: [partition, start,
# end]. See `rows`.
HEAD_FIELDS = 3
CHUNK_FIELDS = 3
# So many rows are seen before they are placed; for each: see `hot`, `ingest`.
SEEN_BATCH = 64
SEEN_FIELDS = 8
INGESTED_ROWS = 32
INGESTED_FIELDS = 4
# Of `,YYYY-MM-DD,` and room.
DATE_TEXT_BYTES = 16


def padded_bytes(size: int) -> PaddedBytes:
    """`size` zeros, and the slack."""
    return PaddedBytes(np.zeros(size + SLACK_BYTES, dtype=np.uint8))


def padded_copy(data: bytes | npt.NDArray[np.uint8]) -> PaddedBytes:
    """A copy of `data`, and the slack."""
    copy = padded_bytes(len(data))
    copy[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    return copy


def size_of(array: PaddedBytes) -> int:
    """How many bytes it has without the slack."""
    return len(array) - SLACK_BYTES


def number_of(low: np.uint64, high: np.uint64) -> int:
    """The number of two words of 64 bits."""
    return int(low) + (int(high) << 64)


class Record:
    """Numbers that a kernel moves on, by name. In memory, a record of NumPy: see `dtype_of`."""

    @classmethod
    def new(cls) -> Self:
        """One whose numbers are all 0."""
        return cast(Self, np.zeros(1, cls._dtype()).view(np.recarray)[0])

    @classmethod
    @cache
    def _dtype(cls) -> np.dtype[np.void]:
        return dtype_of(cls)


def dtype_of(record: type[Record]) -> np.dtype[np.void]:
    """A record's layout in memory: words of 64 bits, and lists of them. Raises TypeError for a name
    under which NumPy would find something else.
    """
    hints = get_type_hints(record, include_extras=True)
    if taken := [name for name in hints if hasattr(np.record, name)]:
        raise TypeError(f"{record.__name__} names {taken}, which every record of NumPy has.")
    fields = [
        (name, NUMBERS[kind] if kind in NUMBERS else (np.int64, get_args(kind)[1:]))
        for name, kind in hints.items()
    ]
    return np.dtype(fields, align=True)


class RecordLayout(NamedTuple):
    """How the records of a file are laid out: the delimiter's byte; the numbers of the columns
    among `field_count`; and the bounds of a record, a quoted field and a song, in bytes. `clean`
    says which records are looked at as clean ones: NO_CLEAN, CLEAN_SONGS or CLEAN_KEYS.
    """

    delimiter: int
    field_count: int
    song: int
    date: int
    plays: int
    most_record: int
    most_quoted: int
    most_song: int
    clean: int


class RecordRules(NamedTuple):
    """How a record is split and judged that is not clean. `slots[f]` is the slot of field f, -1
    where nobody reads it, as for all fields behind the last one of `slots`.

    The fields of the key have the slots 0 to `key_fields` - 1, among them that of the `song` (-1:
    none); `date`, `plays` and `filter` are the slots of the others, -1 for none: then all plays are
    of `fixed_day`, a record is one play, and all records count. Else those count whose field number
    `filter_column` is `filter_text`, or starts with it (`is_prefix`), and the others are left out
    for `filter_reason`.

    What has a field too many is rejected for `extra_reason`. `date_format` is one of DATE_FORMATS
    in `fields`, `thousands` a byte or 0; `header` the bytes of the header.
    """

    slots: Int32s
    key_fields: int
    song: int
    date: int
    fixed_day: int
    plays: int
    filter: int
    filter_column: int
    filter_text: PaddedBytes
    filter_bytes: int
    is_prefix: int
    filter_reason: int
    extra_reason: int
    date_format: int
    thousands: int
    is_quoted: int
    has_cr_ends: int
    header: PaddedBytes
    header_bytes: int


class ParseState(Record):
    """How far `parse_block` is in `buffer[:end]`, of which it begins no record from `stop` on;
    `is_last`: the file ends at `end`. Then what it has counted, `plays` in two words; how many
    bytes of rejects it has put down, how many rejects these are, and at most; how many pairs; how
    many rows wait among those seen; and where `pass_over` is in a record: what stands there, in
    which field, at which of the record's bytes.
    """

    position: Int64
    stop: Int64
    end: Int64
    is_last: Int64
    lines: Int64
    rows_counted: Int64
    plays_low: UInt64
    plays_high: UInt64
    reject_bytes: Int64
    rejects_listed: Int64
    most_listed: Int64
    pairs: Int64
    seen: Int64
    passed_kind: Int64
    passed_fields: Int64
    passed_bytes: Int64
    reasons: Annotated[Ints, REASON_COUNT]


class FoundFields(Record):
    """What `split_record` says about a record: where the next line starts, where the record stops,
    how many fields it has, and up to the last one that is not empty; how many lines it takes, and
    CRs that end none. Then, of each slot, [start, stop, whether there are doubled quotes].
    """

    next: Int64
    stop: Int64
    fields: Int64
    filled: Int64
    lines: Int64
    strays: Int64
    columns: Annotated[Ints, SLOT_FIELDS * MOST_SLOTS]


class RecordVerdict(Record):
    """What `read_record` says of a record: where the next one is looked for, on which physical line
    that is; where the record starts; why it does not count, or -1; its key's first byte and length,
    its day, its plays.
    """

    next: Int64
    line: Int64
    start: Int64
    reason: Int64
    key: Int64
    key_bytes: Int64
    day: Int64
    plays: Int64


class Splitters(NamedTuple):
    """The songs at which partitions begin: `texts[starts[i]:starts[i + 1]]` is the first that may
    be in partition i + 1. All share their first `skip` bytes; `keys` are two numbers for each, of
    the 16 bytes behind.
    """

    keys: Words
    starts: Ints
    texts: PaddedBytes
    skip: int

    @property
    def partitions(self) -> int:
        return len(self.starts)


class Buckets(NamedTuple):
    """Splitters by their first two bytes: the keys in order, where each bucket of them starts, and
    how many there are in the largest one. The width is 0 where it does not apply, or would be
    slower than a binary search.
    """

    keys: Ints
    starts: Int32s
    width: int


class HotSongs(NamedTuple):
    """Songs, in order, with so many rows that these are summed up as soon as they are read: in a
    table of `songs * days` cells, for the days from `first_day` on. `slots` is a hash table of
    them: see `hot`. Those of partition p are the numbers `firsts[p]` to `firsts[p + 1]`.
    """

    slots: Words
    starts: Ints
    texts: PaddedBytes
    first_day: int
    days: int
    firsts: Ints

    @property
    def songs(self) -> int:
        return len(self.starts) - 1

    @property
    def cells(self) -> int:
        return self.songs * self.days

    def of_partition(self, partition: int) -> "HotSongs":
        """The same, but with the names and cells of a partition's songs alone."""
        first, stop = self.firsts[partition : partition + 2].tolist()
        return self._replace(starts=self.starts[first : stop + 1])

    def cells_of(self, partition: int) -> tuple[int, int]:
        """The first cell of a partition, and the first one behind it."""
        if not self.songs:
            return 0, 0
        first, stop = self.firsts[partition : partition + 2].tolist()
        return first * self.days, stop * self.days


class ArenaState(Record):
    """How much of an arena is used: see `rows`."""

    next_byte: Int64
    arena_bytes: Int64
    chunk_bytes: Int64
    chunks: Int64
    most_chunks: int


class ArenaArrays(NamedTuple):
    """Rows on their way into partitions: see `rows`."""

    bytes: PaddedBytes
    state: ArenaState
    heads: Ints
    chunks: Ints


class TableState(Record):
    """How far `ingest_rows` is in `buffer[position:end]`, and how many songs, bytes of their texts,
    rows, wide values, and slots in use a table has; `extent` is the next one of those given.
    """

    position: Int64
    end: Int64
    songs: Int64
    text_bytes: Int64
    rows: Int64
    wide: Int64
    slots: Int64
    extent: int


class TableArrays(NamedTuple):
    """One partition's songs and values. `texts[starts[i]:starts[i + 1]]` is song i, `counts[i]` the
    number of its rows; row r is of song `row_songs[r]` with `values[r]`, which may be an index into
    `wide`: see `ingest`.
    """

    state: TableState
    slots: Words
    hashes: Words
    starts: Ints
    texts: PaddedBytes
    counts: Ints
    row_songs: UInt32s
    values: Words
    wide: Words


class SortedArrays(NamedTuple):
    """A table in order: `gathered[row_starts[r]:row_starts[r + 1]]` are the values of song
    `order[r]`. `places` and `keys` are room for one number per song; `cells`, one for each day, are
    zero before and after.
    """

    order: Ints
    row_starts: Ints
    gathered: Words
    places: Ints
    keys: Words
    cells: Words


class FormatState(Record):
    """How far `format_songs` is: the rank of the song, the bytes of text, what it has added up, and
    the first total that is too large. Where a song was begun, its next row, the last one, and its
    sum so far.
    """

    rank: Int64
    text_bytes: Int64
    groups: Int64
    plays_low: UInt64
    plays_high: UInt64
    first_day: Int64
    last_day: Int64
    overflow_day: Int64
    overflow_low: UInt64
    overflow_high: UInt64
    is_begun: Int64
    row: Int64
    row_stop: Int64
    song_low: UInt64
    song_high: np.uint64


class SumArrays(NamedTuple):
    """The sums of each song, by rank, and of each day, in words of 64 bits, low and high."""

    song_low: Words
    song_high: Words
    day_low: Words
    day_high: Words


class LineTexts(NamedTuple):
    """What lines are made of: room for one key in quotes, the texts of days that were written
    before, the first days of months, the texts of small numbers, and how many fields a key has.
    """

    prefix: PaddedBytes
    dates: Bytes
    month_starts: Int32s
    numbers: Words
    key_fields: int


def fields_of(annotation: Any) -> dict[str, Any]:
    """The annotations of a function's parameters, and of what it returns, as `return`; or those of
    a tuple's fields.
    """
    return get_type_hints(annotation, include_extras=True)
