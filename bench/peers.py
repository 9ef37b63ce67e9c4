"""What each engine does with a file: the same totals, sorted, as CSV.

Each runs in a process of its own: `python -m bench.peers NAME INPUT OUTPUT MEMORY` prints one
line of JSON. The columns' types are told to those that can be told. Dates with a time become days
in the way that is natural for the engine.
"""

import csv
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

THREADS = len(os.sched_getaffinity(0))
TOTAL = "Total Number of Plays for Date"
QUERY = (
    'SELECT {key}, "Date", sum("Number of Plays") AS "Total Number of Plays for Date" '
    'FROM {source} GROUP BY {key}, "Date" ORDER BY {key}, "Date"'
)
# A query's source where dates have a time.
DAYS = '(SELECT {key}, CAST("Date" AS DATE) AS "Date", "Number of Plays" FROM {source}) AS days'
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
DATE_BYTES = len("2020-01-31")


@dataclass(frozen=True)
class Columns:
    """What an engine is told of the input."""

    names: list[str]
    have_times: bool

    @property
    def key(self) -> list[str]:
        """What the totals are by, in front of the date: of an artist's song where there are any."""
        return ["Artist", "Song"] if "Artist" in self.names else ["Song"]

    @property
    def group_by(self) -> str:
        """The key, as bmat's option has it."""
        return ",".join(self.key).lower()

    def types(self, text: str, date: str, date_time: str, count: str) -> dict[str, str]:
        """Each column's type, in an engine's own names of types."""
        days = date_time if self.have_times else date
        return dict.fromkeys(self.names, text) | {"Date": days, "Number of Plays": count}

    def query(self, table: str) -> str:
        key = ", ".join(f'"{name}"' for name in self.key)
        source = DAYS.format(key=key, source=table) if self.have_times else table
        return QUERY.format(key=key, source=source)


def columns_of(source: Path) -> Columns:
    with source.open(encoding="utf-8", newline="") as file:
        first = next(csv.DictReader(file))
    return Columns(list(first), len(first["Date"]) > DATE_BYTES)


def bmat(source: Path, output: Path, memory: int) -> Callable[[], None]:
    from bmat.aggregation import Limits, Options, aggregate

    limits = Limits(threads=THREADS, memory_budget_bytes=memory)
    options = Options(group_by=columns_of(source).group_by)
    rejects = output.with_suffix(".rejects.csv")
    return lambda: print(
        aggregate([source], output, rejects=rejects, options=options, limits=limits),
        file=sys.stderr,
    )


def duckdb(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import duckdb

    columns = columns_of(source)
    types = columns.types("VARCHAR", "DATE", "TIMESTAMP", "BIGINT")
    query = columns.query(f"read_csv('{source}', header=true, columns={types})")

    def run() -> None:
        with duckdb.connect(
            config={"threads": THREADS, "temp_directory": str(output.parent)}
        ) as db:
            db.execute(f"COPY ({query}) TO '{output}' (HEADER, DELIMITER ',')")

    return run


def chdb(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import chdb

    columns = columns_of(source)
    types = columns.types("String", "Date32", "DateTime(\\'UTC\\')", "UInt64")
    structure = ", ".join(f"`{name}` {kind}" for name, kind in types.items())
    query = columns.query(f"file('{source}', 'CSVWithNames', '{structure}')")
    settings = "SETTINGS date_time_input_format='best_effort'" if columns.have_times else ""

    def run() -> None:
        chdb.query(
            f"{query} INTO OUTFILE '{output}' TRUNCATE FORMAT CSVWithNames {settings}", "Null"
        )

    return run


def polars(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import polars

    columns = columns_of(source)
    types = columns.types("String", "Date", "String", "Int64")
    schema = {name: getattr(polars, kind) for name, kind in types.items()}
    day = polars.col("Date")
    if columns.have_times:
        day = day.str.to_datetime(TIME_FORMAT).dt.date()

    def run() -> None:
        rows = polars.scan_csv(source, schema=schema, try_parse_dates=True)
        groups = rows.group_by(*columns.key, day)
        totals = groups.agg(polars.col("Number of Plays").sum().alias(TOTAL))
        totals.sort(*columns.key, "Date").sink_csv(output, engine="streaming")

    return run


def datafusion(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import datafusion
    import pyarrow

    columns = columns_of(source)
    types = columns.types("string", "date32", "timestamp[s]", "int64")
    schema = pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in types.items()])

    def run() -> None:
        config = datafusion.SessionConfig().with_target_partitions(THREADS)
        context = datafusion.SessionContext(config)
        context.register_csv("plays", str(source), schema=schema, has_header=True)
        context.sql(
            f"COPY ({columns.query('plays')}) TO '{output}' STORED AS CSV"
            " OPTIONS ('format.has_header' 'true')"
        ).collect()

    return run


def dask(source: Path, output: Path, memory: int) -> Callable[[], None]:
    import dask
    import dask.dataframe

    columns = columns_of(source)
    key = [*columns.key, "Date"]

    def run() -> None:
        dask.config.set(num_workers=THREADS)
        rows = dask.dataframe.read_csv(
            source,
            usecols=[*key, "Number of Plays"],
            dtype=dict.fromkeys(key, "string[pyarrow]"),
        )
        if columns.have_times:
            rows["Date"] = rows["Date"].str.slice(0, DATE_BYTES)
        totals = rows.groupby(key)["Number of Plays"].sum().compute().sort_index()
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
    begin, processor_begin = time.perf_counter(), time.process_time()
    run()
    measured = {
        "seconds": time.perf_counter() - begin,
        "processor_seconds": time.process_time() - processor_begin,
        "peak_bytes": peak_bytes(),
    }
    print(json.dumps(measured))


def peak_bytes() -> int:
    """The most memory that this process has had. (What getrusage says begins with that of the
    process which started this one.)
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main()
