"""Exact daily totals per song out of play logs of any size.

This package is pure: it imports neither Django nor Celery, knows nothing of reports or requests,
and could be taken out into a distribution of its own. `docs/data-contract.md` says what it reads
and writes.

Its errors, options and results are here at once. `aggregate` and `inspect` are imported when they
are first asked for: they load the compiled kernels, which takes most of a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from bmat.aggregation.errors import AggregationError, ClusterAway, InspectionTooSlow
from bmat.aggregation.options import InputFile, Limits, Options
from bmat.aggregation.progress import Progress
from bmat.aggregation.results import ColumnsNotFound, Inspection, NoValidRows, Summary

if TYPE_CHECKING:
    from bmat.aggregation.inspection import inspect
    from bmat.aggregation.run import aggregate
else:
    MODULES = {"aggregate": "run", "inspect": "inspection"}

    def __getattr__(name: str) -> object:
        if name in MODULES:
            return getattr(import_module(f"bmat.aggregation.{MODULES[name]}"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AggregationError",
    "ClusterAway",
    "ColumnsNotFound",
    "InputFile",
    "Inspection",
    "InspectionTooSlow",
    "Limits",
    "NoValidRows",
    "Options",
    "Progress",
    "Summary",
    "aggregate",
    "inspect",
]
