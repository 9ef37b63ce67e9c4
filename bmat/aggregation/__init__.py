"""Exact daily totals per song out of play logs of any size.

This package is pure: it imports neither Django nor Celery, knows nothing of reports or requests,
and could be taken out into a distribution of its own. `docs/data-contract.md` says what it reads
and writes.
"""

from bmat.aggregation.errors import AggregationError
from bmat.aggregation.options import Limits, Options
from bmat.aggregation.progress import Progress
from bmat.aggregation.results import Summary
from bmat.aggregation.run import aggregate
from bmat.aggregation.scheduler import ClusterAway

__all__ = [
    "AggregationError",
    "ClusterAway",
    "Limits",
    "Options",
    "Progress",
    "Summary",
    "aggregate",
]
