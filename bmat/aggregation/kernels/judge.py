"""Whether a record counts that was split into its fields, with the reason where it does not; the
list of those; and the kernel that passes over a record too long to be held.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    LISTED_RECORD_BYTES,
    FoundFields,
    Int64,
    PaddedBytes,
    ParseState,
    RecordLayout,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import (
    COPY_SLACK,
    LF,
    LINE_FEEDS,
    ONES,
    QUOTE,
    copy_bytes,
    find_byte,
    find_field_end,
    inlined,
    is_plain,
    is_utf8,
    load8,
    store64,
)
from bmat.aggregation.kernels.fields import NEGATIVE, has_nul, parse_date, parse_plays
from bmat.aggregation.kernels.split import (
    CUT_OFF,
    UNTERMINATED,
    WHOLE,
    closing_quote,
    unquote,
)

# The order is that of the data contract: the first reason that applies. A song that is too long is
# told after one that is empty.
REASONS = (
    "unterminated_quote",
    "too_long",
    "extra_field",
    "missing_field",
    "empty_song",
    "invalid_character",
    "invalid_encoding",
    "invalid_date",
    "negative_plays",
    "invalid_plays",
)
(
    UNTERMINATED_QUOTE,
    TOO_LONG,
    EXTRA_FIELD,
    MISSING_FIELD,
    EMPTY_SONG,
    INVALID_CHARACTER,
    INVALID_ENCODING,
    INVALID_DATE,
    NEGATIVE_PLAYS,
    INVALID_PLAYS,
) = range(10)


REJECT_HEAD_BYTES = 16


@inlined
def list_reject(state: Any, rejects: Any, source: Any, start: Any, stop: Any, reason: Any) -> Any:
    """Count a rejected record, and list it; False, and nothing done, where the list is full."""
    if state.rejects_listed < state.most_listed:
        count = min(stop - start, LISTED_RECORD_BYTES)
        at = state.reject_bytes
        if at + REJECT_HEAD_BYTES + count + COPY_SLACK > len(rejects):
            return False
        store64(rejects, at, np.uint64(state.lines))
        store64(rejects, at + 8, np.uint64(reason) | (np.uint64(count) << np.uint64(8)))
        copy_bytes(rejects, at + REJECT_HEAD_BYTES, source, start, count)
        state.reject_bytes = at + REJECT_HEAD_BYTES + count
        state.rejects_listed += 1
    state.reasons[reason] += 1
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
    start = found.columns[3 * column]
    stop = found.columns[3 * column + 1]
    closing = found.columns[3 * column + 2]
    if closing < 0:
        return start, stop, scratch
    stop = unquote(buffer, scratch, start, closing, stop)
    return scratch, stop, stop


@inlined
def judge(
    status: Any,
    found: Any,
    layout: Any,
    buffer: Any,
    start: Any,
    scratch: Any,
    month_starts: Any,
) -> Any:
    """Judge the record at `start`, which was split: (the first reason that applies or -1, where the
    song starts, its bytes, day, plays). Fields that must be are unquoted to `buffer[scratch:]`, one
    after another.
    """
    at = np.int64(0)
    count = np.int64(0)
    day = np.int64(-1)
    plays = np.int64(-1)
    if status == UNTERMINATED:
        return UNTERMINATED_QUOTE, at, count, day, plays
    if found.stop - start > layout.most_record:
        return TOO_LONG, at, count, day, plays
    if found.fields > layout.field_count:
        return EXTRA_FIELD, at, count, day, plays
    if found.fields <= max(layout.song, layout.date, layout.plays):
        return MISSING_FIELD, at, count, day, plays
    at, stop, scratch = field_of(found, 0, buffer, scratch)
    count = stop - at
    reason = judge_song(buffer, at, count, layout.most_song)
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


# What stands at the position: the start of a field, more of one that is not quoted (or lies behind
# the closing quote), more of the line on which a field was never closed.
FIELD, REST, LINE = 0, 1, 2


@kernel
def pass_over(
    buffer: PaddedBytes, state: ParseState, found: FoundFields, layout: RecordLayout
) -> Int64:
    """Go on with a record of which the part before `position` was passed over.

    Returns WHOLE or UNTERMINATED at its end, the position being that of the next record; or
    CUT_OFF: the bytes from the position on, no more than a quoted field has, are needed once more,
    with others behind them. Counts the record's lines in `found`.
    """
    at = state.position
    end = state.end
    is_last = state.is_last != 0
    kind = state.passed_kind
    delimiters = np.uint64(layout.delimiter) * ONES
    outcome = WHOLE
    while True:
        if kind == FIELD:
            if at == end and not is_last:
                outcome = CUT_OFF
                break
            kind = REST
            if at < end and load8(buffer, at) == QUOTE:
                closing = closing_quote(found, buffer, at + 1, end, is_last, layout.most_quoted)
                if closing == -2:
                    kind = FIELD
                    outcome = CUT_OFF
                    break
                if closing == -1:
                    kind = LINE
                else:
                    at = closing + 1
        if kind == LINE:
            at = find_byte(buffer, at, end, LINE_FEEDS)
        else:
            at = find_field_end(buffer, at, end, delimiters)
        if at == end:
            if not is_last:
                outcome = CUT_OFF
            elif kind == LINE:
                outcome = UNTERMINATED
            break
        at += 1
        if load8(buffer, at - 1) == LF:
            found.lines += 1
            outcome = UNTERMINATED if kind == LINE else WHOLE
            break
        kind = FIELD
    state.position = at
    state.passed_kind = kind
    return outcome


@kernel
def list_passed(
    state: ParseState,
    found: FoundFields,
    rejects: PaddedBytes,
    text: PaddedBytes,
    count: Int64,
    reason: Int64,
) -> Int64:
    """Count a record that was passed over, and list the `count` first bytes of its `text`; 0, and
    nothing done, where the list is full.
    """
    if not list_reject(state, rejects, text, np.int64(0), count, reason):
        return 0
    state.lines += found.lines
    return 1
