"""Asking and converting a finished result.

A result is a folder: `output.csv`, `rejects.csv` and `summary.json`, as `bmat.aggregation` writes
them, and `totals.parquet` and `totals.jsonl`, which are made here. Comes in: the path of such a
folder, and a question. Goes out: rows, changes, or a file in another format. This package is pure:
it imports neither Django nor Celery, nor the aggregation; DuckDB does the work.
"""

from bmat.results.compare import Change, ChangeOrder, Changes, compare
from bmat.results.connection import Databases
from bmat.results.convert import write_json_lines, write_parquet
from bmat.results.errors import (
    NoResult,
    NotConverted,
    NotInKey,
    OtherKey,
    ResultsError,
    TooLarge,
    TooSlow,
)
from bmat.results.files import needs_parquet, readable_file, summary
from bmat.results.rows import Grain, Order, Page, Position, Question, Row, rows

__all__ = [
    "Change",
    "ChangeOrder",
    "Changes",
    "Databases",
    "Grain",
    "NoResult",
    "NotConverted",
    "NotInKey",
    "Order",
    "OtherKey",
    "Page",
    "Position",
    "Question",
    "ResultsError",
    "Row",
    "TooLarge",
    "TooSlow",
    "compare",
    "needs_parquet",
    "readable_file",
    "rows",
    "summary",
    "write_json_lines",
    "write_parquet",
]
