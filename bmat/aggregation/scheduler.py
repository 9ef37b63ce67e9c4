"""Where a graph is computed: on the threads of this process, or on a Dask cluster."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

from dask.base import annotate
from dask.core import get as get_one_by_one
from dask.threaded import get as get_on_threads

from bmat.aggregation.errors import ClusterAway


def cluster_address() -> str:
    """The address of the Dask cluster to compute on; empty where there is none."""
    return os.environ.get("DASK_SCHEDULER_ADDRESS", "")


def is_in_process() -> bool:
    """Whether `compute` runs its tasks in this process."""
    return not cluster_address()


def compute(
    graph: Mapping[Any, Any], key: str, pool: ThreadPoolExecutor | None, urgent: Sequence[str]
) -> Any:
    """The value of `key`. Uses the cluster that DASK_SCHEDULER_ADDRESS names, else `pool`, else
    this thread. A cluster is told that tasks called `urgent` come before all others. Raises
    ClusterAway, and what a task raises.
    """
    address = cluster_address()
    if not address:
        return get_on_threads(graph, key, pool=pool) if pool else get_one_by_one(graph, key)
    return compute_on_cluster(graph, key, address, urgent)


def compute_on_cluster(
    graph: Mapping[Any, Any], key: str, address: str, urgent: Sequence[str]
) -> Any:
    """The value of `key`, from the cluster at `address`."""
    # Importing the client takes most of a second, which only those pay who have a cluster.
    from distributed.client import Client, FutureCancelledError
    from distributed.comm.core import CommClosedError

    connect: Any = Client
    try:
        client = connect(address, set_as_default=False)
    except OSError as error:
        raise ClusterAway(f"The Dask cluster at {address} cannot be reached: {error}") from error
    own_graph, own_key = under_own_names(graph, key, uuid4().hex)
    with client:
        try:
            with annotate(priority=partial(priority, urgent)):
                return client.get(own_graph, own_key)
        except (CommClosedError, FutureCancelledError) as error:
            raise ClusterAway(f"The Dask cluster at {address} has gone away: {error}") from error


def priority(urgent: Sequence[str], key: str | tuple[Any, ...]) -> int:
    """That of a task under its own name: the higher, the sooner. Called by the cluster's scheduler:
    https://docs.dask.org/en/stable/api.html#dask.annotate
    """
    name = key if isinstance(key, str) else key[0]
    return int(name.rpartition("-")[0] in urgent)


def under_own_names(graph: Mapping[Any, Any], key: str, run: str) -> tuple[dict[Any, Any], Any]:
    """The same graph and key, with the id of the run in each name: a cluster computes tasks of the
    same name once, whichever of its clients they come from.
    """

    def named(part: Any) -> Any:
        if isinstance(part, list):
            return [named(each) for each in part]
        if isinstance(part, tuple) and callable(part[0]):
            return (part[0], *map(named, part[1:]))
        if not isinstance(part, str | tuple) or part not in graph:
            return part
        return f"{part}-{run}" if isinstance(part, str) else (f"{part[0]}-{run}", *part[1:])

    return {named(name): named(task) for name, task in graph.items()}, named(key)
