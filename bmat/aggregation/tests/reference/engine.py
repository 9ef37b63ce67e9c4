"""A whole run: open the inputs, build the graph, compute it (here and nowhere else), put the
results in place.
"""

import errno
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from dask.base import compute

from bmat.aggregation.errors import failure
from bmat.aggregation.options import Limits, Options
from bmat.aggregation.results import Summary
from bmat.aggregation.source.encoding import source_encoding, utf8_of
from bmat.aggregation.source.header import read_layout
from bmat.aggregation.tests.reference.blocks import Source
from bmat.aggregation.tests.reference.graph import build
from bmat.aggregation.tests.reference.progress import Progress, ProgressMeter
from bmat.aggregation.tests.reference.writing import replacing


def aggregate(
    inputs: Sequence[Path],
    output: Path,
    *,
    rejects: Path | None = None,
    options: Options | None = None,
    limits: Limits | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Writes the daily totals per song of all `inputs` together to `output`, and what could
    not be counted to `rejects`.

    Both files appear whole, or not at all. `on_progress` is called from the threads of the
    run, one call at a time; what it raises ends
    the run and comes out of here. The formats are those of docs/data-contract.md.

    Raises AggregationError, with one of the codes of `bmat.aggregation.errors`.
    """
    options, limits = options or Options(), limits or Limits()
    try:
        with ExitStack() as stack:
            temp_folder = limits.temp_folder or output.parent
            folder = Path(stack.enter_context(TemporaryDirectory(prefix=".bmat-", dir=temp_folder)))
            part = stack.enter_context(replacing(output))
            rejects_part = stack.enter_context(replacing(rejects)) if rejects else None
            meter = ProgressMeter(on_progress, sum(path.stat().st_size for path in inputs))
            sources = [
                open_source(path, options, folder / f"input-{number}", meter)
                for number, path in enumerate(inputs)
            ]
            graph = build(sources, part, rejects_part, options, limits, meter)
            # Dask's own `compute` carries no types.
            [summary] = compute(  # type: ignore[no-untyped-call]
                graph, scheduler="threads", num_workers=limits.threads
            )
            return cast(Summary, summary)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise failure("out_of_disk") from error
        raise


def open_source(path: Path, options: Options, utf8_path: Path, meter: ProgressMeter) -> Source:
    """Looks at a file's first record. A file that is not in UTF-8 is written to `utf8_path`
    first.
    """
    encoding = source_encoding(path.read_bytes()[:2], options)
    readable = path
    if encoding is not None:
        utf8_path.write_bytes(b"".join(utf8_of([path.read_bytes()], encoding)))
        readable = utf8_path
    size = readable.stat().st_size
    if size == 0:
        raise failure("empty_file", path)
    return Source(readable, path, size, read_layout(readable.read_bytes(), options, path))
