"""What schemathesis is told beside the API's description: the one rule for which JSON Schema has no
words, that the three columns of an upload are three. Its own tests are in bmat/api/tests.
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
def filter_query(context: Any, query: Any) -> bool:
    """Whether the generated parameters go together. No schema can say that a cursor is one that was
    given out, that an order needs a song, nor which of two days is the first.
    """
    if not isinstance(query, dict):
        return True
    if query.get("cursor") or (query.get("song") and query.get("song_prefix")):
        return False
    if str(query.get("order") or "song").lstrip("-") != "song" and not query.get("song"):
        return False
    return not query.get("from") or not query.get("to") or query["from"] <= query["to"]
