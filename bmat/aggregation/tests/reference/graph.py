"""The run as a Dask graph: blocks are read side by side, added up in file order, and written.
Built here, computed elsewhere.
"""

from pathlib import Path

from dask.delayed import Delayed, delayed

from bmat.aggregation.options import Limits, Options
from bmat.aggregation.results import Summary
from bmat.aggregation.tests.reference.blocks import (
    Block,
    Reading,
    Source,
    plan,
    read_block,
    read_preamble,
)
from bmat.aggregation.tests.reference.progress import ProgressMeter
from bmat.aggregation.tests.reference.totals import Totals
from bmat.aggregation.tests.reference.writing import write_rejects, write_totals


def build(
    sources: list[Source],
    output: Path,
    rejects: Path | None,
    options: Options,
    limits: Limits,
    meter: ProgressMeter,
) -> Delayed:
    """The graph that reads `sources`, writes `output` and `rejects`, and comes to the Summary."""
    totals = delayed(Totals)(strict=options.strict)
    for source in sources:
        totals = delayed(Totals.open_source)(totals, source, read_preamble(source))
        for block in plan(source, limits.block_bytes or 2**20):
            reading = delayed(read_and_report)(block, meter)
            totals = delayed(Totals.add_block)(totals, block, reading)
    finished: Delayed = delayed(write)(totals, output, rejects, len(sources) > 1, meter)
    return finished


def read_and_report(block: Block, meter: ProgressMeter) -> Reading:
    reading = read_block(block)
    rows_rejected = sum(reading.rejects_by_reason.values())
    meter.read(block.stop - block.start, reading.rows_counted + rows_rejected)
    return reading


def write(
    totals: Totals, output: Path, rejects: Path | None, name_files: bool, meter: ProgressMeter
) -> Summary:
    summary = totals.finish()
    write_totals(output, totals, meter)
    if rejects is not None:
        write_rejects(rejects, totals.rejects, name_files=name_files)
    return summary
