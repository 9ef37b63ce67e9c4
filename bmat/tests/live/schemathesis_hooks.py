"""What schemathesis is told beside the API's description: the rules for which it has no words, that
the three columns of an upload are three, and that only CSV has formulas. Their own tests are in
bmat/api/tests.
"""

from typing import Any

import schemathesis

from bmat.aggregation import Options
from bmat.aggregation.options import column_key

COLUMNS = ("song_column", "date_column", "plays_column")


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Whether the generated upload names three different columns, or is no form at all."""
    if not isinstance(body, dict):
        return True
    names = [str(body.get(column) or "").strip() for column in COLUMNS]
    defaults = [getattr(Options, column) for column in COLUMNS]
    keys = {column_key(name or default) for name, default in zip(names, defaults, strict=True)}
    return len(keys) == len(COLUMNS)


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Whether the generated request wants formulas escaped in CSV alone, or nowhere."""
    query = dict(case.query or {})
    is_csv = query.get("format") in (None, "", "csv")
    return is_csv or str(query.get("excel_safe", "false")).lower() == "false"
