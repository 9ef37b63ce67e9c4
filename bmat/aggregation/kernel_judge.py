"""Whether a record counts that was split into its fields, for the compiled kernels: with the reason
where it does not; and the list of those.
"""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import inlined
from bmat.aggregation.kernel_bytes import COPY_SLACK, copy_bytes, is_plain
from bmat.aggregation.kernel_fields import (
    NEGATIVE,
    has_nul,
    is_utf8,
    parse_date,
    parse_plays,
)
from bmat.aggregation.kernel_split import F_COLUMNS, F_FIELDS, F_STOP, UNTERMINATED, unquote
from bmat.aggregation.kernel_state import (
    EMPTY_SONG,
    EXTRA_FIELD,
    INVALID_CHARACTER,
    INVALID_DATE,
    INVALID_ENCODING,
    INVALID_PLAYS,
    MISSING_FIELD,
    NEGATIVE_PLAYS,
    P_FIELD_COUNT,
    P_LINES,
    P_MOST_LISTED,
    P_MOST_RECORD,
    P_MOST_SONG,
    P_REASONS,
    P_REJECT_BYTES,
    P_REJECTS_LISTED,
    TOO_LONG,
    UNTERMINATED_QUOTE,
)
from bmat.aggregation.kernel_words import store64

LISTED_RECORD_BYTES = 1024
REJECT_HEAD_BYTES = 16


@inlined
def list_reject(state: Any, rejects: Any, source: Any, start: Any, stop: Any, reason: Any) -> Any:
    """Count a rejected record, and list it; False, and nothing done, where the list is full."""
    if state[P_REJECTS_LISTED] < state[P_MOST_LISTED]:
        count = min(stop - start, LISTED_RECORD_BYTES)
        at = state[P_REJECT_BYTES]
        if at + REJECT_HEAD_BYTES + count + COPY_SLACK > len(rejects):
            return False
        store64(rejects, at, np.uint64(state[P_LINES]))
        store64(rejects, at + 8, np.uint64(reason) | (np.uint64(count) << np.uint64(8)))
        copy_bytes(rejects, at + REJECT_HEAD_BYTES, source, start, count)
        state[P_REJECT_BYTES] = at + REJECT_HEAD_BYTES + count
        state[P_REJECTS_LISTED] += 1
    state[P_REASONS + reason] += 1
    return True


@inlined
def judge_song(source: Any, start: Any, count: Any, most_song: Any) -> Any:
    """The reason why these bytes are no song, or -1."""
    if count == 0:
        return EMPTY_SONG
    if count > most_song:
        return TOO_LONG
    if is_plain(source, start, count):
        return -1
    if has_nul(source, start, start + count):
        return INVALID_CHARACTER
    if not is_utf8(source, start, start + count):
        return INVALID_ENCODING
    return -1


@inlined
def field_of(found: Any, column: Any, buffer: Any, scratch: Any) -> Any:
    """A field as it counts: (where it starts, where it ends, where there is room for the next one).
    One that must be is unquoted to `buffer[scratch:]`.
    """
    at = F_COLUMNS + 3 * column
    start = found[at]
    stop = found[at + 1]
    if found[at + 2] < 0:
        return start, stop, scratch
    stop = unquote(buffer, scratch, start, found[at + 2], stop)
    return scratch, stop, stop


@inlined
def judge(
    status: Any,
    found: Any,
    state: Any,
    most: Any,
    buffer: Any,
    start: Any,
    scratch: Any,
    month_starts: Any,
) -> Any:
    """Judge the record at `start`, which was split: (the first reason that applies or -1, where the
    song starts, its bytes, day, plays). Fields that must be are unquoted to `buffer[scratch:]`, one
    after another. `most` is the highest number of the three columns.
    """
    at = np.int64(0)
    count = np.int64(0)
    day = np.int64(-1)
    plays = np.int64(-1)
    if status == UNTERMINATED:
        return UNTERMINATED_QUOTE, at, count, day, plays
    if found[F_STOP] - start > state[P_MOST_RECORD]:
        return TOO_LONG, at, count, day, plays
    if found[F_FIELDS] > state[P_FIELD_COUNT]:
        return EXTRA_FIELD, at, count, day, plays
    if found[F_FIELDS] <= most:
        return MISSING_FIELD, at, count, day, plays
    at, stop, scratch = field_of(found, 0, buffer, scratch)
    count = stop - at
    reason = judge_song(buffer, at, count, state[P_MOST_SONG])
    if reason >= 0:
        return reason, at, count, day, plays
    field, stop, scratch = field_of(found, 1, buffer, scratch)
    day = parse_date(buffer, field, stop, month_starts)
    if day < 0:
        return INVALID_DATE, at, count, day, plays
    field, stop, scratch = field_of(found, 2, buffer, scratch)
    plays = parse_plays(buffer, field, stop)
    if plays < 0:
        return NEGATIVE_PLAYS if plays == NEGATIVE else INVALID_PLAYS, at, count, day, plays
    return -1, at, count, day, plays
