"""Kernels that sum the values of one partition up by song and day, in order."""

from typing import Any

import numpy as np

from bmat.aggregation.kernels.arrays import (
    DAY_SHIFT,
    INDEX_FLAG,
    VALUE_MASK,
    Int64,
    SortedArrays,
    TableArrays,
)
from bmat.aggregation.kernels.backend import kernel
from bmat.aggregation.kernels.bytes import inlined
from bmat.aggregation.kernels.fields import MOST_PLAYS
from bmat.aggregation.kernels.sort import SHORT_RUN, sort_by

FEW = 8


@kernel
def gather_values(table: TableArrays, ordered: SortedArrays) -> None:
    """Bring each song's values together, in the songs' order."""
    order = ordered.order
    row_starts = ordered.row_starts
    places = ordered.places
    songs = table.state.songs
    at = np.int64(0)
    for rank in range(songs):
        song = order[rank]
        row_starts[rank] = at
        places[song] = at
        at += table.counts[song]
    row_starts[songs] = at
    for row in range(table.state.rows):
        song = table.row_songs[np.uint64(row)]
        place = places[np.uint64(song)]
        ordered.gathered[np.uint64(place)] = table.values[np.uint64(row)]
        places[np.uint64(song)] = place + 1


@inlined
def sort_few(values: Any, low: Any, high: Any) -> None:
    """Sort `values[low:high]` by insertion, without a jump that goes the wrong way half of the
    time: the larger of two values goes on, the smaller one stays.
    """
    for right in range(low + 1, high):
        value = values[np.uint64(right)]
        for at in range(low, right):
            kept = values[np.uint64(at)]
            values[np.uint64(at)] = min(kept, value)
            value = max(kept, value)
        values[np.uint64(right)] = value


@inlined
def is_less(_: Any, a: Any, b: Any) -> Any:
    """Whether value a belongs before value b."""
    return a < b


@inlined
def sort_values(values: Any, low: Any, high: Any) -> None:
    """Sort `values[low:high]`."""
    if high - low <= FEW:
        sort_few(values, low, high)
    else:
        sort_by(is_less, None, values, low, high)


@inlined
def put_sum(values: Any, to: Any, wide: Any, state: Any, day: Any, plays: Any) -> Any:
    """Write one day's sum at `values[to]`, in several values where it has no room in one; returns
    where the next one goes.
    """
    head = day << DAY_SHIFT
    if plays > VALUE_MASK and state.wide < len(wide):
        wide[state.wide] = plays
        values[to] = head | INDEX_FLAG | np.uint64(state.wide)
        state.wide += 1
        return to + 1
    # Never more values than were added up: each of them was at most this large.
    while plays > VALUE_MASK:
        values[to] = head | VALUE_MASK
        plays -= VALUE_MASK
        to += 1
    values[to] = head | plays
    return to + 1


@inlined
def sum_by_day(ordered: Any, wide: Any, state: Any, low: Any, high: Any) -> Any:
    """Turn `gathered[low:high]`, of one song, into one value per day, sorted. Returns where they
    end.

    A sum that would pass 2^63-1, or that has no room, stays in several values of the same day.
    """
    values = ordered.gathered
    smallest = values[low] >> DAY_SHIFT
    largest = smallest
    flags = np.uint64(0)
    for at in range(low, high):
        value = values[at]
        smallest = min(smallest, value >> DAY_SHIFT)
        largest = max(largest, value >> DAY_SHIFT)
        flags |= value & INDEX_FLAG
    span = np.int64(largest - smallest) + 1
    if high - low > SHORT_RUN and flags == np.uint64(0) and span <= 8 * (high - low) + 512:
        return sum_in_cells(values, wide, state, ordered.cells, low, high, smallest, span)
    sort_values(values, low, high)
    return merge_sorted(values, wide, state, low, high)


@inlined
def sum_in_cells(
    values: Any, wide: Any, state: Any, cells: Any, low: Any, high: Any, smallest: Any, span: Any
) -> Any:
    """`sum_by_day` through a table of days; `cells` is all zero before and after."""
    to = low
    for at in range(low, high):
        value = values[at]
        cell = (value >> DAY_SHIFT) - smallest
        # A cell holds its sum plus one, so that a sum of zero is not an empty cell.
        held = max(cells[cell], np.uint64(1)) + (value & VALUE_MASK)
        if held > MOST_PLAYS:
            # More of these could wrap around: what a cell has no room for stays a value.
            values[to] = value
            to += 1
        else:
            cells[cell] = held
    left_over = to
    for day in range(span):
        cell = cells[np.uint64(day)]
        if cell != np.uint64(0):
            cells[np.uint64(day)] = np.uint64(0)
            to = put_sum(values, to, wide, state, smallest + np.uint64(day), cell - np.uint64(1))
    if left_over > low:
        sort_values(values, low, to)
        to = merge_sorted(values, wide, state, low, to)
    return to


@inlined
def merge_sorted(values: Any, wide: Any, state: Any, low: Any, high: Any) -> Any:
    """Merge neighbours of the same day in sorted values."""
    to = low
    for at in range(low + 1, high):
        value = values[at]
        kept = values[to]
        if (value >> DAY_SHIFT) == (kept >> DAY_SHIFT):
            sum_kept = kept & VALUE_MASK
            if kept & INDEX_FLAG:
                sum_kept = wide[sum_kept]
            plays = value & VALUE_MASK
            if value & INDEX_FLAG:
                plays = wide[plays]
            if plays <= MOST_PLAYS and sum_kept <= MOST_PLAYS - plays:
                total = sum_kept + plays
                if kept & INDEX_FLAG:
                    wide[kept & VALUE_MASK] = total
                    continue
                if total <= VALUE_MASK:
                    values[to] = kept + plays
                    continue
                if value & INDEX_FLAG:
                    wide[value & VALUE_MASK] = total
                    values[to] = value
                    continue
                if state.wide < len(wide):
                    to = put_sum(values, to, wide, state, kept >> DAY_SHIFT, total) - 1
                    continue
        to += 1
        values[to] = value
    return to + 1


@kernel
def compact(table: TableArrays, ordered: SortedArrays) -> Int64:
    """Sum gathered values by song and day, back into the table; returns the number of rows that are
    left.
    """
    rows = np.int64(0)
    for rank in range(table.state.songs):
        song = ordered.order[rank]
        low = ordered.row_starts[rank]
        high = ordered.row_starts[rank + 1]
        if high > low:
            high = sum_by_day(ordered, table.wide, table.state, low, high)
        table.counts[song] = high - low
        for at in range(low, high):
            table.row_songs[rows] = np.uint32(song)
            table.values[rows] = ordered.gathered[at]
            rows += 1
    return rows
