"""The kernel that passes over a record too long to be held, and the entry of such a record in the
list of rejects.
"""

from typing import Any

import numpy as np

from bmat.aggregation.compiled import kernel
from bmat.aggregation.kernel_bytes import LINE_FEEDS, find_byte, find_field_end
from bmat.aggregation.kernel_fields import ONES
from bmat.aggregation.kernel_judge import list_reject
from bmat.aggregation.kernel_split import (
    CUT_OFF,
    F_COLUMNS,
    F_LINES,
    LF,
    QUOTE,
    UNTERMINATED,
    WHOLE,
    closing_quote,
)
from bmat.aggregation.kernel_state import (
    P_DELIMITER,
    P_END,
    P_IS_LAST,
    P_LINES,
    P_MOST_QUOTED,
    P_POSITION,
    P_WORK,
)
from bmat.aggregation.kernel_words import load8

# What stands at the position, kept among the work fields: the start of a field, more of one that is
# not quoted (or lies behind the closing quote), more of the line on which a field was never closed.
PASSED_LINES = P_WORK + F_LINES
PASSED_KIND = P_WORK + F_COLUMNS
FIELD, REST, LINE = 0, 1, 2


@kernel("i8(u1[::1], i8[::1])")
def pass_over(buffer: Any, state: Any) -> Any:
    """Go on with a record of which the part before `position` was passed over.

    Returns WHOLE or UNTERMINATED at its end, the position being that of the next record; or
    CUT_OFF: the bytes from the position on, no more than a quoted field has, are needed once more,
    with others behind them. Counts the record's lines in PASSED_LINES.
    """
    at = state[P_POSITION]
    end = state[P_END]
    is_last = state[P_IS_LAST] != 0
    kind = state[PASSED_KIND]
    delimiters = np.uint64(state[P_DELIMITER]) * ONES
    outcome = WHOLE
    while True:
        if kind == FIELD:
            if at == end and not is_last:
                outcome = CUT_OFF
                break
            kind = REST
            if at < end and load8(buffer, at) == QUOTE:
                found = state[P_WORK:]
                closing = closing_quote(found, buffer, at + 1, end, is_last, state[P_MOST_QUOTED])
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
            state[PASSED_LINES] += 1
            outcome = UNTERMINATED if kind == LINE else WHOLE
            break
        kind = FIELD
    state[P_POSITION] = at
    state[PASSED_KIND] = kind
    return outcome


@kernel("i8(i8[::1], u1[::1], u1[::1], i8, i8)")
def list_passed(state: Any, rejects: Any, text: Any, count: int, reason: int) -> Any:
    """Count a record that was passed over, and list the `count` first bytes of its `text`; 0, and
    nothing done, where the list is full.
    """
    if not list_reject(state, rejects, text, np.int64(0), count, reason):
        return 0
    state[P_LINES] += state[PASSED_LINES]
    return 1
