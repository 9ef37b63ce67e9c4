"""Whether a record counts that was split into its fields, with the reason where it does not; the
list of those; and the kernel that passes over a record too long to be held.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    LISTED_RECORD_BYTES,
    SLOT_FIELDS,
    FoundFields,
    Int64,
    PaddedBytes,
    ParseState,
    RecordLayout,
    RecordRules,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import (
    COPY_SLACK,
    ONES,
    QUOTE,
    copy_bytes,
    find_field_stop,
    inlined,
    is_plain,
    is_utf8,
    load8,
    same_bytes,
    store8,
    store64,
)
from bmat.aggregation.kernels.fields import NEGATIVE, has_nul, parse_day, parse_plays
from bmat.aggregation.kernels.split import (
    CUT_OFF,
    MALFORMED,
    UNTERMINATED,
    WHOLE,
    behind_quote,
    closing_quote,
    find_line_end,
    line_end_at,
    most_between,
    slot_of,
    stop_record,
    unquote,
)

# The order is that of the data contract: the first reason that applies; `too_long` stands for a
# song, too, and is told after one that is empty. The last ones are of records that are left out.
REASONS = (
    "unterminated_quote",
    "malformed_quotes",
    "repeated_header",
    "too_long",
    "stray_carriage_return",
    "extra_field",
    "missing_field",
    "empty_song",
    "invalid_character",
    "invalid_encoding",
    "invalid_date",
    "negative_plays",
    "invalid_plays",
    "malformed_json",
    "not_a_play",
    "other_record",
)
LEFT_OUT = ("not_a_play", "other_record")
(
    UNTERMINATED_QUOTE,
    MALFORMED_QUOTES,
    REPEATED_HEADER,
    TOO_LONG,
    STRAY_CARRIAGE_RETURN,
    EXTRA_FIELD,
    MISSING_FIELD,
    EMPTY_SONG,
    INVALID_CHARACTER,
    INVALID_ENCODING,
    INVALID_DATE,
    NEGATIVE_PLAYS,
    INVALID_PLAYS,
) = range(13)
FIRST_LEFT_OUT = REASONS.index(LEFT_OUT[0])
COUNTS = -1


REJECT_HEAD_BYTES = 16


@inlined
def list_reject(state: Any, rejects: Any, source: Any, start: Any, stop: Any, reason: Any) -> Any:
    """Count a record that is rejected, and list it, or that is left out; False, and nothing done,
    where the list is full.
    """
    if reason < FIRST_LEFT_OUT and state.rejects_listed < state.most_listed:
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
def read_field(found: Any, slot: Any, buffer: Any, room: Any) -> Any:
    """A field as it counts: (where it starts, where it ends, where there is room for the next one).
    One that must be is unquoted to `buffer[room:]`.
    """
    start = found.columns[SLOT_FIELDS * slot]
    stop = found.columns[SLOT_FIELDS * slot + 1]
    if found.columns[SLOT_FIELDS * slot + 2] == 0:
        return start, stop, room
    stop = unquote(buffer, room, start, stop)
    return room, stop, stop


@inlined
def join_key(found: Any, rules: Any, buffer: Any, room: Any) -> Any:
    """The fields of the key at `buffer[room:]`, with NUL between them: (where they end, whether one
    of them holds a NUL).
    """
    at = room
    has_zero = False
    for slot in range(rules.key_fields):
        if slot > 0:
            store8(buffer, at, 0)
            at += 1
        start = found.columns[SLOT_FIELDS * slot]
        stop = found.columns[SLOT_FIELDS * slot + 1]
        begin = at
        if found.columns[SLOT_FIELDS * slot + 2] == 0:
            copy_bytes(buffer, at, buffer, start, stop - start)
            at += stop - start
        else:
            at = unquote(buffer, at, start, stop)
        has_zero = has_zero or has_nul(buffer, begin, at)
    return at, has_zero


@inlined
def judge_key(found: Any, layout: Any, rules: Any, buffer: Any, room: Any) -> Any:
    """The key: (the reason why it is none, or COUNTS; where it starts; its bytes; where there is
    room behind it).
    """
    if rules.song >= 0:
        # A quoted field that is not empty does not become empty.
        if found.columns[SLOT_FIELDS * rules.song] == found.columns[SLOT_FIELDS * rules.song + 1]:
            return np.int64(EMPTY_SONG), room, np.int64(0), room
    if rules.key_fields == 1:
        at, stop, room = read_field(found, np.int64(0), buffer, room)
        has_zero = False
    else:
        at = room
        stop, has_zero = join_key(found, rules, buffer, room)
        room = stop
    count = stop - at
    reason = np.int64(COUNTS)
    if count < rules.key_fields:
        reason = np.int64(EMPTY_SONG)
    elif count > layout.most_song:
        reason = np.int64(TOO_LONG)
    elif not is_plain(buffer, at, count):
        if rules.key_fields == 1:
            has_zero = has_nul(buffer, at, stop)
        if has_zero:
            reason = np.int64(INVALID_CHARACTER)
        elif not is_utf8(buffer, at, stop):
            reason = np.int64(INVALID_ENCODING)
    return reason, at, count, room


@inlined
def is_left_out(found: Any, rules: Any, buffer: Any, room: Any) -> Any:
    """Whether the record's field is not what the filter asks for; False for one without it."""
    if rules.filter < 0 or found.fields <= rules.filter_column:
        return False
    start, stop, _ = read_field(found, rules.filter, buffer, room)
    count = stop - start
    if count < rules.filter_bytes or (count > rules.filter_bytes and not rules.is_prefix):
        return True
    return not same_bytes(buffer, start, rules.filter_text, 0, rules.filter_bytes)


@inlined
def is_header(found: Any, rules: Any, buffer: Any, start: Any) -> Any:
    """Whether the record is the header once more."""
    count = found.stop - start
    if rules.header_bytes == 0 or count != rules.header_bytes:
        return False
    return same_bytes(buffer, start, rules.header, 0, count)


@inlined
def judge(
    status: Any,
    found: Any,
    layout: Any,
    rules: Any,
    buffer: Any,
    start: Any,
    room: Any,
    month_starts: Any,
) -> Any:
    """Judge the record at `start`, which was split: (the first reason that applies or COUNTS, where
    the key starts, its bytes, day, plays). What must be is copied to `buffer[room:]`, one behind
    another.
    """
    if status == UNTERMINATED:
        return np.int64(UNTERMINATED_QUOTE), room, np.int64(0), np.int64(0), np.int64(0)
    if status == MALFORMED:
        return np.int64(MALFORMED_QUOTES), room, np.int64(0), np.int64(0), np.int64(0)
    reason, at, count, day, plays = judge_fields(
        found, layout, rules, buffer, start, room, month_starts
    )
    if reason >= 0 and reason < FIRST_LEFT_OUT and is_header(found, rules, buffer, start):
        reason = np.int64(REPEATED_HEADER)
    return reason, at, count, day, plays


@inlined
def judge_fields(
    found: Any,
    layout: Any,
    rules: Any,
    buffer: Any,
    start: Any,
    room: Any,
    month_starts: Any,
) -> Any:
    """`judge` of a record whose quotes are in order, and which may be the header."""
    at = room
    count = np.int64(0)
    day = np.int64(rules.fixed_day)
    plays = np.int64(1)
    if found.stop - start > layout.most_record:
        return np.int64(TOO_LONG), at, count, day, plays
    if is_left_out(found, rules, buffer, room):
        return np.int64(rules.filter_reason), at, count, day, plays
    if found.strays > 0:
        return np.int64(STRAY_CARRIAGE_RETURN), at, count, day, plays
    if found.filled > layout.field_count:
        return np.int64(rules.extra_reason), at, count, day, plays
    if found.fields < len(rules.slots):
        return np.int64(MISSING_FIELD), at, count, day, plays
    reason, at, count, room = judge_key(found, layout, rules, buffer, room)
    if reason >= 0:
        return reason, at, count, day, plays
    if rules.date >= 0:
        field, stop, room = read_field(found, rules.date, buffer, room)
        day = parse_day(buffer, field, stop, month_starts, rules.date_format)
        if day < 0:
            return np.int64(INVALID_DATE), at, count, day, plays
    if rules.plays >= 0:
        field, stop, room = read_field(found, rules.plays, buffer, room)
        plays = parse_plays(buffer, field, stop, rules.thousands)
        if plays == NEGATIVE:
            return np.int64(NEGATIVE_PLAYS), at, count, day, plays
        if plays < 0:
            return np.int64(INVALID_PLAYS), at, count, day, plays
    return np.int64(COUNTS), at, count, day, plays


# What stands at the position: the start of a field, more of one that is not quoted, more of the
# line on which a field opened that was never closed, or was followed by something else.
FIELD, REST, UNTERMINATED_LINE, MALFORMED_LINE = 0, 1, 2, 3


@kernel
def pass_over(
    buffer: PaddedBytes,
    state: ParseState,
    found: FoundFields,
    layout: RecordLayout,
    rules: RecordRules,
) -> Int64:
    """Go on with a record of which the part before `position` was passed over.

    Returns WHOLE, UNTERMINATED or MALFORMED at its end, the position being that of the next record;
    or CUT_OFF: the bytes from the position on, no more than a quoted field has, are needed once
    more, with others behind them. Counts the record's lines in `found`.
    """
    start = state.position
    at = start
    end = state.end
    is_last = state.is_last != 0
    kind = state.passed_kind
    number = state.passed_fields
    passed = state.passed_bytes
    delimiters = np.uint64(layout.delimiter) * ONES
    outcome = CUT_OFF
    while True:
        if kind == FIELD:
            if at == end and not is_last:
                break
            kind = np.int64(REST)
            if rules.is_quoted and at < end and load8(buffer, at) == QUOTE:
                lines = found.lines
                offset = passed + at - start
                most_quoted = most_between(layout, slot_of(rules, number), offset)
                closing = closing_quote(found, buffer, at + 1, end, is_last, most_quoted, rules)
                behind = np.int64(-2)
                if closing >= 0:
                    behind, _ = behind_quote(
                        buffer, closing, end, is_last, layout.most_quoted, rules, delimiters
                    )
                if closing == -2 or (closing >= 0 and behind == -2):
                    found.lines = lines
                    kind = np.int64(FIELD)
                    break
                if closing == -1:
                    kind = np.int64(UNTERMINATED_LINE)
                elif behind == -1:
                    found.lines = lines
                    kind = np.int64(MALFORMED_LINE)
                else:
                    at = behind
            number += 1
        if kind != REST:
            at, size = find_line_end(buffer, at, end, is_last, rules.has_cr_ends)
            if size < 0:
                break
            stop_record(found, at, size)
            at += size
            outcome = UNTERMINATED if kind == UNTERMINATED_LINE else MALFORMED
            break
        at = find_field_stop(buffer, at, end, delimiters)
        if at == end:
            if is_last:
                stop_record(found, at, np.int64(0))
                outcome = WHOLE
            break
        if np.uint64(load8(buffer, at)) == (delimiters & np.uint64(0xFF)):
            at += 1
            kind = np.int64(FIELD)
            continue
        size = line_end_at(buffer, at, end, is_last, rules.has_cr_ends)
        if size < 0:
            break
        if size > 0:
            stop_record(found, at, size)
            at += size
            outcome = WHOLE
            break
        at += 1
    state.position = at
    state.passed_kind = kind
    state.passed_fields = number
    state.passed_bytes = passed + at - start
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
