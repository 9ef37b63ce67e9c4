"""Cutting a record into its fields, for the compiled kernels: any record, quoted or not.

The rules are those of docs/data-contract.md; `source.records` says the same in plain Python.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import SLOT_FIELDS
from bmat.aggregation.kernels.bytes import (
    CR,
    LF,
    LINE_FEEDS,
    QUOTE,
    QUOTES,
    find_byte,
    find_field_stop,
    inlined,
    load8,
    store8,
)

WHOLE, CUT_OFF, UNTERMINATED, MALFORMED = 0, 1, 2, 3

SPACE = 32
NO_SLOT = -1


@inlined
def line_end_at(buffer: Any, at: Any, end: Any, is_last: Any, has_cr_ends: Any) -> Any:
    """How many bytes of `buffer[:end]` the line end at `at` has: 0 where none stands there, -1
    where more bytes are needed.
    """
    byte = load8(buffer, at)
    if byte == LF:
        return np.int64(1)
    if byte != CR:
        return np.int64(0)
    if at + 1 == end:
        return np.int64(1) if is_last else np.int64(-1)
    second = load8(buffer, at + 1)
    if second == LF:
        return np.int64(2)
    if has_cr_ends:
        return np.int64(1)
    if second != CR:
        return np.int64(0)
    if at + 2 == end:
        return np.int64(2) if is_last else np.int64(-1)
    return np.int64(3) if load8(buffer, at + 2) == LF else np.int64(0)


@inlined
def find_line_end(buffer: Any, start: Any, end: Any, is_last: Any, has_cr_ends: Any) -> Any:
    """The end of the line of which `start` is a byte: (where it stands, how many bytes it has: 0 at
    the end of the file; or -1 where more bytes are needed).
    """
    at = start
    while True:
        at = find_field_stop(buffer, at, end, LINE_FEEDS)
        if at >= end:
            return at, np.int64(0) if is_last else np.int64(-1)
        size = line_end_at(buffer, at, end, is_last, has_cr_ends)
        if size != 0:
            return at, size
        at += 1


@inlined
def stop_record(found: Any, at: Any, size: Any) -> None:
    """The record ends at `at`, with a line end of `size` bytes."""
    found.stop = at
    found.next = at + size
    if size > 0:
        found.lines += 1


@inlined
def reject_line(
    found: Any, buffer: Any, start: Any, end: Any, is_last: Any, rules: Any, status: Any
) -> Any:
    """The record ends with the line of which `start` is a byte, and has this status; CUT_OFF where
    the line's end is not there.
    """
    at, size = find_line_end(buffer, start, end, is_last, rules.has_cr_ends)
    if size < 0:
        return CUT_OFF
    stop_record(found, at, size)
    return status


@inlined
def closing_quote(
    found: Any, buffer: Any, start: Any, end: Any, is_last: Any, most_quoted: Any, rules: Any
) -> Any:
    """Where the quoted field whose content starts at `start` is closed; -1 for never within
    `most_quoted` bytes, -2 where more bytes are needed. Counts the field's lines.
    """
    stop = min(start + most_quoted + 1, end)
    at = start
    while at < stop:
        at = find_byte(buffer, at, stop, QUOTES)
        if at == stop:
            break
        if at + 1 == end and not is_last:
            return np.int64(-2)
        if at + 1 == end or load8(buffer, at + 1) != QUOTE:
            found.lines += line_ends(buffer, start, at, rules.has_cr_ends)
            return np.int64(at)
        at += 2
    if at <= start + most_quoted and not is_last:
        return np.int64(-2)
    return np.int64(-1)


@inlined
def line_ends(buffer: Any, start: Any, stop: Any, has_cr_ends: Any) -> Any:
    """How many line ends are in `buffer[start:stop]`, the content of a quoted field: each LF; of
    old line ends, each CR, LF or CR LF.
    """
    lines = np.int64(0)
    at = start
    while True:
        if has_cr_ends:
            at = find_field_stop(buffer, at, stop, LINE_FEEDS)
        else:
            at = find_byte(buffer, at, stop, LINE_FEEDS)
        if at >= stop:
            return lines
        if has_cr_ends and load8(buffer, at) == CR:
            if at + 1 < stop and load8(buffer, at + 1) == LF:
                at += 1
        lines += 1
        at += 1


@inlined
def behind_quote(
    buffer: Any, closing: Any, end: Any, is_last: Any, most_quoted: Any, rules: Any, delimiters: Any
) -> Any:
    """What follows the closing quote and the spaces behind it: (where it stands, -1 for a
    delimiter, the size of a line end, or 0 at the end of the file). The place is -1 where something
    else follows, and -2 where more bytes are needed.
    """
    at = closing + 1
    limit = at + most_quoted
    while at < end and at < limit and load8(buffer, at) == SPACE:
        at += 1
    if at == end:
        if is_last:
            return at, np.int64(0)
        return np.int64(-2), np.int64(0)
    if np.uint64(load8(buffer, at)) == (delimiters & np.uint64(0xFF)):
        return at, np.int64(-1)
    size = line_end_at(buffer, at, end, is_last, rules.has_cr_ends)
    if size > 0:
        return at, size
    return np.int64(-2) if size < 0 else np.int64(-1), np.int64(0)


@inlined
def most_between(layout: Any, slot: Any, offset: Any) -> Any:
    """How many bytes a quoted field may have that opens at the record's byte `offset`: more than
    others where nobody reads it, and it is closed before the record is too long.
    """
    if slot >= 0:
        return layout.most_quoted
    return max(layout.most_quoted, layout.most_record - offset - 1)


@inlined
def slot_of(rules: Any, number: Any) -> Any:
    """The slot of field `number`; NO_SLOT where nobody reads it."""
    if number >= len(rules.slots):
        return np.int64(NO_SLOT)
    return np.int64(rules.slots[np.uint64(number)])


@inlined
def split_record(
    found: Any,
    buffer: Any,
    start: Any,
    end: Any,
    is_last: Any,
    delimiters: Any,
    layout: Any,
    rules: Any,
) -> Any:
    """Split the record at `start` of `buffer[:end]`; `is_last`: the file ends at `end`.

    Fills `found`. Returns WHOLE, CUT_OFF (more bytes are needed), UNTERMINATED or MALFORMED.
    """
    found.lines = 0
    found.fields = 0
    found.filled = 0
    found.strays = 0
    number = np.int64(0)
    at = start
    while True:
        slot = slot_of(rules, number)
        content = at
        stop = at
        is_escaped = np.int64(0)
        # The size of the line end behind the field; -1 for a delimiter.
        size = np.int64(-1)
        if rules.is_quoted and at < end and load8(buffer, at) == QUOTE:
            lines = found.lines
            most_quoted = most_between(layout, slot, at - start)
            closing = closing_quote(found, buffer, at + 1, end, is_last, most_quoted, rules)
            if closing == -2:
                return CUT_OFF
            if closing == -1:
                return reject_line(found, buffer, at, end, is_last, rules, UNTERMINATED)
            behind, size = behind_quote(
                buffer, closing, end, is_last, layout.most_quoted, rules, delimiters
            )
            if behind == -2:
                return CUT_OFF
            if behind == -1:
                found.lines = lines
                return reject_line(found, buffer, at, end, is_last, rules, MALFORMED)
            content = at + 1
            stop = closing
            if slot >= 0 and not has_no_quote(buffer, content, closing):
                is_escaped = np.int64(1)
            at = behind
        else:
            while True:
                at = find_field_stop(buffer, at, end, delimiters)
                if at >= end:
                    if not is_last:
                        return CUT_OFF
                    size = np.int64(0)
                    break
                if np.uint64(load8(buffer, at)) == (delimiters & np.uint64(0xFF)):
                    break
                size = line_end_at(buffer, at, end, is_last, rules.has_cr_ends)
                if size < 0:
                    return CUT_OFF
                if size > 0:
                    break
                found.strays += 1
                size = np.int64(-1)
                at += 1
            stop = at
        number += 1
        if stop > content:
            found.filled = number
        if slot >= 0:
            found.columns[SLOT_FIELDS * slot] = content
            found.columns[SLOT_FIELDS * slot + 1] = stop
            found.columns[SLOT_FIELDS * slot + 2] = is_escaped
        if size >= 0:
            found.fields = number
            stop_record(found, at, size)
            return WHOLE
        at += 1


@inlined
def has_no_quote(buffer: Any, start: Any, stop: Any) -> Any:
    """Whether a quoted field's content holds no escaped quote."""
    return find_byte(buffer, start, stop, QUOTES) == stop


@inlined
def unquote(buffer: Any, to: Any, start: Any, stop: Any) -> Any:
    """Copy a quoted field's content to `to`, with doubled quotes made single. Returns the end of
    the copy.
    """
    at = start
    while at < stop:
        byte = load8(buffer, at)
        store8(buffer, to, byte)
        to += 1
        at += 2 if byte == QUOTE else 1
    return to
