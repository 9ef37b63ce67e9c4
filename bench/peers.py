"""What each engine does with a file: the same totals, sorted, as CSV.

Each runs in a process of its own: `python -m bench.peers NAME INPUT OUTPUT [MEMORY]` prints one
line of JSON. The columns' types are told to those that can be told.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

THREADS = len(os.sched_getaffinity(0))
TOTAL = "Total Number of Plays for Date"
QUERY = (
    'SELECT "Song", "Date", sum("Number of Plays") AS "Total Number of Plays for Date" '
    'FROM {source} GROUP BY "Song", "Date" ORDER BY "Song", "Date"'
)


def bmat(source: Path, output: Path, memory: int) -> Callable[[], None]:
    from bmat.aggregation import Limits, aggregate

    limits = Limits(threads=THREADS, memory_budget_bytes=memory)
    rejects = output.with_suffix(".rejects.csv")
    return lambda: print(
        aggregate([source], output, rejects=rejects, limits=limits), file=sys.stderr
    )


def duckdb(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import duckdb

    columns = "{'Song': 'VARCHAR', 'Date': 'DATE', 'Number of Plays': 'BIGINT'}"
    table = f"read_csv('{source}', header=true, columns={columns})"

    def run() -> None:
        with duckdb.connect(
            config={"threads": THREADS, "temp_directory": str(output.parent)}
        ) as db:
            db.execute(f"COPY ({QUERY.format(source=table)}) TO '{output}' (HEADER, DELIMITER ',')")

    return run


def chdb(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import chdb

    columns = "`Song` String, `Date` Date32, `Number of Plays` UInt64"
    table = f"file('{source}', 'CSVWithNames', '{columns}')"
    query = QUERY.format(source=table)

    def run() -> None:
        chdb.query(f"{query} INTO OUTFILE '{output}' TRUNCATE FORMAT CSVWithNames", "Null")

    return run


def polars(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import polars

    schema = {"Song": polars.String, "Date": polars.Date, "Number of Plays": polars.Int64}

    def run() -> None:
        rows = polars.scan_csv(source, schema=schema, try_parse_dates=True)
        totals = rows.group_by("Song", "Date").agg(polars.col("Number of Plays").sum().alias(TOTAL))
        totals.sort("Song", "Date").sink_csv(output, engine="streaming")

    return run


def datafusion(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import datafusion
    import pyarrow

    schema = pyarrow.schema(
        [
            ("Song", pyarrow.string()),
            ("Date", pyarrow.date32()),
            ("Number of Plays", pyarrow.int64()),
        ]
    )

    def run() -> None:
        config = datafusion.SessionConfig().with_target_partitions(THREADS)
        context = datafusion.SessionContext(config)
        context.register_csv("plays", str(source), schema=schema, has_header=True)
        sql = QUERY.format(source="plays")
        context.sql(
            f"COPY ({sql}) TO '{output}' STORED AS CSV OPTIONS ('format.has_header' 'true')"
        ).collect()

    return run


def dask(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import dask
    import dask.dataframe

    def run() -> None:
        dask.config.set(num_workers=THREADS)
        rows = dask.dataframe.read_csv(
            source, dtype={"Song": "string[pyarrow]", "Date": "string[pyarrow]"}
        )
        totals = rows.groupby(["Song", "Date"])["Number of Plays"].sum().compute().sort_index()
        totals.rename(TOTAL).to_csv(output)

    return run


def newlines(source: Path, output: Path, memory: int) -> Callable[[], None]:
    """The limit: reading the file and counting its lines, on one thread per core."""
    from concurrent.futures import ThreadPoolExecutor

    import numpy

    size = source.stat().st_size

    def count(part: int) -> int:
        found = 0
        with source.open("rb", buffering=0) as file:
            at, stop = size * part // THREADS, size * (part + 1) // THREADS
            buffer = memoryview(bytearray(2**20))
            while at < stop:
                got = os.preadv(file.fileno(), [buffer[: stop - at]], at)
                found += int(numpy.count_nonzero(numpy.frombuffer(buffer[:got], "u1") == 10))
                at += got
        return found

    def run() -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            output.write_text(str(sum(pool.map(count, range(THREADS)))))

    return run


ENGINES = {
    engine.__name__: engine for engine in (bmat, duckdb, chdb, polars, datafusion, dask, newlines)
}


def main() -> None:
    name, source, output, memory = sys.argv[1:]
    run = ENGINES[name](Path(source), Path(output), int(memory))
    begin = time.perf_counter()
    run()
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "peak_bytes": peak_bytes()}))


def peak_bytes() -> int:
    """The most memory that this process has had. (What getrusage says begins with that of the
    process which started this one.)
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
