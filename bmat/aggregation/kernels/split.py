"""Cutting a record into its fields, for the compiled kernels: any record, quoted or not.

The rules are those of docs/data-contract.md; `records` says the same in plain Python.
"""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.bytes import (
    CR,
    LF,
    LINE_FEEDS,
    QUOTE,
    find_byte,
    find_field_end,
    inlined,
    load8,
    store8,
)

WHOLE, CUT_OFF, UNTERMINATED = 0, 1, 2


@inlined
def end_line(found: Any, buffer: Any, start: Any, end: Any, is_last: Any) -> Any:
    """Take the record to the end of the line of which `start` is a byte; CUT_OFF if not there."""
    line_feed = find_byte(buffer, start, end, LINE_FEEDS)
    if line_feed == end and not is_last:
        return CUT_OFF
    stop_record(found, buffer, start, line_feed, end)
    return WHOLE


@inlined
def stop_record(found: Any, buffer: Any, start: Any, line_feed: Any, end: Any) -> None:
    """The record ends at this LF (or at the end of the file); one CR before it is no part of it."""
    found.stop = line_feed
    if line_feed > start and load8(buffer, line_feed - 1) == CR:
        found.stop = line_feed - 1
    found.next = line_feed
    if line_feed < end:
        found.next = line_feed + 1
        found.lines += 1


@inlined
def closing_quote(
    found: Any, buffer: Any, start: Any, end: Any, is_last: Any, most_quoted: Any
) -> Any:
    """Where the quoted field whose content starts at `start` is closed; -1 for never within
    `most_quoted` bytes, -2 where more bytes are needed. Counts the field's lines.
    """
    limit = start + most_quoted
    at = start
    lines = 0
    while at < end and at <= limit:
        byte = load8(buffer, at)
        if byte == QUOTE:
            if at + 1 == end and not is_last:
                return np.int64(-2)
            if at + 1 == end or load8(buffer, at + 1) != QUOTE:
                found.lines += lines
                return np.int64(at)
            at += 1
        elif byte == LF:
            lines += 1
        at += 1
    if at <= limit and not is_last:
        return np.int64(-2)
    return np.int64(-1)


@inlined
def split_record(
    found: Any,
    buffer: Any,
    start: Any,
    end: Any,
    is_last: Any,
    delimiters: Any,
    layout: Any,
) -> Any:
    """Split the record at `start` of `buffer[:end]`; `is_last`: the file ends at `end`.

    Fills `found`. Returns WHOLE, CUT_OFF (more bytes are needed), or UNTERMINATED.
    """
    found.lines = 0
    found.fields = 0
    at = start
    while True:
        field_start = at
        content = at
        closing = np.int64(-1)
        if at < end and load8(buffer, at) == QUOTE:
            closing = closing_quote(found, buffer, at + 1, end, is_last, layout.most_quoted)
            if closing == -2:
                return CUT_OFF
            if closing == -1:
                cut_off = end_line(found, buffer, field_start, end, is_last) == CUT_OFF
                return CUT_OFF if cut_off else UNTERMINATED
            content = field_start + 1
            at = closing + 1
        stop = find_field_end(buffer, at, end, delimiters)
        if stop == end and not is_last:
            return CUT_OFF
        is_end = stop == end or load8(buffer, stop) == LF
        field_stop = stop
        if is_end:
            stop_record(found, buffer, at, stop, end)
            field_stop = found.stop
        if closing >= 0 and field_stop == closing + 1:
            if has_no_quote(buffer, content, closing):
                field_stop = closing
                closing = np.int64(-1)
        number = found.fields
        column = column_of(layout, number)
        if column >= 0:
            found.columns[3 * column] = content
            found.columns[3 * column + 1] = field_stop
            found.columns[3 * column + 2] = closing
        found.fields = number + 1
        if is_end:
            return WHOLE
        at = stop + 1


@inlined
def column_of(layout: Any, number: Any) -> Any:
    """0, 1 or 2 where field `number` is the song, the date or the plays; else -1."""
    if number == layout.song:
        return 0
    if number == layout.date:
        return 1
    return 2 if number == layout.plays else -1


@inlined
def has_no_quote(buffer: Any, start: Any, stop: Any) -> Any:
    """Whether a quoted field's content holds no escaped quote."""
    quotes = np.uint64(0x2222222222222222)
    return find_byte(buffer, start, stop, quotes) == stop


@inlined
def unquote(buffer: Any, to: Any, start: Any, closing: Any, stop: Any) -> Any:
    """Copy a quoted field to `to`: up to its closing quote with doubled quotes made single, then
    the bytes behind the quote as they are. Returns the end of the copy.
    """
    at = start
    while at < closing:
        byte = load8(buffer, at)
        store8(buffer, to, byte)
        to += 1
        at += 2 if byte == QUOTE else 1
    for behind in range(closing + 1, stop):
        store8(buffer, to, load8(buffer, behind))
        to += 1
    return to
