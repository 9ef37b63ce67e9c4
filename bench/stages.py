"""What each stage of the engine takes: `python -m bench.stages INPUT MEMORY [GROUP_BY]`."""

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bmat.aggregation import Limits, Options, aggregate
from bmat.aggregation.exchange import hot_cells, scratch
from bmat.aggregation.merge import part, table
from bmat.aggregation.plan import plan
from bmat.aggregation.read import batch, block, stream
from bmat.aggregation.source import text, unpacking, window
from bmat.aggregation.write import output

STAGES = (
    (plan, "plan_partitions", "sample and plan"),
    (text, "read_into", "read bytes"),
    (window.Window, "read_into", "read bytes"),
    (unpacking.Unpacking, "_decompressed", "unpack"),
    (block, "parse_block", "parse and partition"),
    (batch, "add_pairs", "sum hot songs up"),
    (stream, "add_pairs", "sum hot songs up"),
    (hot_cells, "empty_cells", "empty hot cells"),
    (scratch, "write_all", "spill rows"),
    (table, "ingest_rows", "take rows in"),
    (np, "argsort", "sort songs"),
    (table, "find_ties", "sort songs"),
    (table, "tie_bytes", "sort songs"),
    (table, "song_keys", "sort songs"),
    (table, "gather_values", "sort rows"),
    (part, "format_songs", "sum and format"),
    (output.PageWriter, "_write", "write output"),
)


def timed(function: Callable[..., Any], name: str, seconds: "Counter[str]") -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        begin = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            seconds[name] += time.thread_time() - begin  # type: ignore[assignment]

    return call


def main() -> None:
    source, memory = Path(sys.argv[1]), int(sys.argv[2])
    group_by = sys.argv[3] if len(sys.argv) > 3 else None
    output = source.with_suffix(".stages.csv")
    seconds: Counter[str] = Counter()
    for module, attribute, name in STAGES:
        setattr(module, attribute, timed(getattr(module, attribute), name, seconds))
    begin = time.process_time()
    aggregate(
        [source],
        output,
        options=Options(group_by=group_by),
        limits=Limits(memory_budget_bytes=memory),
    )
    total = time.process_time() - begin
    output.unlink()
    for name, spent in seconds.most_common():
        print(f"  {name:<22}{spent:>7.2f} s of processor time{100 * spent / total:>6.0f} %")
    print(f"  {'everything':<22}{total:>7.2f} s")


if __name__ == "__main__":
    main()
