"""The run as a Dask graph: batches of blocks are read side by side, partitions merged side by side,
and what belongs in order is chained. Built here, computed elsewhere.

Rows go from task to task through files in the job's folder; where all tasks share one process, in
memory while the budget allows (see `workspace`).
"""

import pickle
from pathlib import Path
from typing import Any

from bmat.aggregation.exchange.counts import Totals
from bmat.aggregation.exchange.parts import Part
from bmat.aggregation.exchange.rejects import write_rejects
from bmat.aggregation.job import Job
from bmat.aggregation.merge.merge import merge_part
from bmat.aggregation.read.batch import BatchReading, add_up, read_batch, settle_batches
from bmat.aggregation.read.settled import Settled
from bmat.aggregation.read.stream import Streams, read_streams, settled_streams
from bmat.aggregation.write.output import place_part, write_part
from bmat.aggregation.write.summary import finish

# On a cluster each task costs milliseconds, which scheduler and workers spend on messages: one task
# settles so many batches, and one merges so many partitions.
BATCHES_SETTLED_TOGETHER = 8
PARTITIONS_MERGED_TOGETHER = 3

# What has been merged is written before more is merged: each text that waits takes memory.
URGENT = ("place", "write")

RESULT = "outcome"


def build(job: Job) -> dict[Any, Any]:
    """The graph whose RESULT is the Outcome of the job."""
    graph: dict[Any, Any] = {"job": job}
    batches, window = range(len(job.batches)), job.sizes.batches_ahead
    for number in batches:
        in_time = ("settle", number - window) if 0 < window <= number else None
        graph["read", number] = (read_in_turn, "job", number, in_time)
    together = 1 if window else BATCHES_SETTLED_TOGETHER
    settled: list[tuple[str, int]] = []
    for first in batches[::together]:
        before = settled[-1] if settled else None
        readings = [("read", number) for number in batches[first : first + together]]
        graph["settle", first] = (settle_batches, "job", first, before, readings)
        settled.append(("settle", first))
    graph["totals"] = (add_up, "job", settled, build_streams(job, graph))
    graph["rejects"] = (write_rejects, "job", "totals")
    partitions, window = range(job.splitters.partitions), job.sizes.parts_ahead
    together = 1 if job.sizes.batches_ahead else PARTITIONS_MERGED_TOGETHER
    parts = [partitions[first : first + together] for first in partitions[::together]]
    for number, merged in enumerate(parts):
        ahead = ("write", number - window) if number >= window else None
        graph["merge", number] = (merge_in_turn, "job", "totals", merged, ahead)
        before = ("place", number - 1) if number else None
        graph["place", number] = (place_part, "job", before, ("merge", number))
        graph["write", number] = (write_part, "job", merged, ("place", number), ("merge", number))
    written = [("write", number) for number in range(len(parts))]
    graph[RESULT] = (finish, "job", "totals", ("place", len(parts) - 1), "rejects", written)
    return graph


def build_streams(job: Job, graph: dict[Any, Any]) -> str | None:
    """Adds the tasks that read what can be read forward alone, all in this process. The name of
    what they came to; None where there is nothing of that kind.
    """
    if not job.readers:
        return None
    graph["streams"] = Streams(job)
    readers = [("stream", number) for number in range(job.readers)]
    for name, number in readers:
        graph[name, number] = (read_streams, "job", "streams", number)
    graph["streamed"] = (settled_streams, "streams", readers)
    return "streamed"


def job_in_file(job: Job) -> dict[Any, Any]:
    """What takes the job's place in the graph where tasks are elsewhere. The names of its hot songs
    take megabytes, which need not pass through the scheduler.
    """
    path = job.folder / "job"
    path.write_bytes(pickle.dumps(job))
    return {"job": (load_job, path)}


def load_job(path: Path) -> Job:
    """The job that a file holds."""
    job: Job = pickle.loads(path.read_bytes())
    return job


def read_in_turn(job: Job, number: int, settled: list[Settled] | None) -> BatchReading:
    """Read a batch; not before one further up has been `settled`, so that few pairs wait."""
    return read_batch(job, number)


def merge_in_turn(job: Job, totals: Totals, partitions: range, ahead: None) -> Part:
    """Merge partitions to a part; not before the part `ahead` of it has been written."""
    return merge_part(job, totals.spilled, partitions)
