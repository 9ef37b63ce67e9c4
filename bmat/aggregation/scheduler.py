"""Where a graph is computed: on the threads of this process, or on a Dask cluster."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dask.core import get as get_one_by_one
from dask.threaded import get as get_on_threads


def cluster_address() -> str:
    """The address of the Dask cluster to compute on; empty where there is none."""
    return os.environ.get("DASK_SCHEDULER_ADDRESS", "")


def is_in_process() -> bool:
    """Whether `compute` runs its tasks in this process."""
    return not cluster_address()


def compute(graph: Mapping[Any, Any], key: str, pool: ThreadPoolExecutor | None) -> Any:
    """The value of `key`. Uses the cluster that DASK_SCHEDULER_ADDRESS names, else `pool`, else
    this thread.
    """
    address = cluster_address()
    if not address:
        return get_on_threads(graph, key, pool=pool) if pool else get_one_by_one(graph, key)
    # Importing the client takes most of a second, which only those pay who have a cluster.
    import distributed

    connect: Any = distributed.Client
    with connect(address, set_as_default=False) as client:
        return client.get(graph, key)
