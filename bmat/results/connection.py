"""A database in memory that reads the files of a result: on one thread, within limits of memory and
time, and no other file.
"""

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import duckdb

from bmat.results.errors import NoResult, TooLarge, TooSlow
from bmat.results.files import DATE, FIELDS, TOTAL

MEMORY_BYTES = 256 * 2**20
SECONDS_BETWEEN_LOOKS = 0.1
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# The reader would guess wrongly where the first quoted song comes late, so nothing is left to
# guess. Its parallel scan starts inside quoted songs, even on one thread. An empty field of the key
# is a text: no date and no count is empty.
CSV_OPTIONS = """
    auto_detect=false, parallel=false, strict_mode=true, header=true, skip=0,
    delim=',', quote='"', escape='"', comment='', new_line='\\n', nullstr='',
    encoding='utf-8', compression='none', dateformat='%Y-%m-%d',
    decimal_separator='.', thousands='', null_padding=false, ignore_errors=false,
    force_not_null=[{names}], columns={{{columns}, 'Date': 'DATE', 'Plays': 'BIGINT'}}
"""
# More than the longest header.
HEADER_BYTES = 256


# The file that a database reads, and the seconds that an answer may take.
Key = tuple[Path, float | None]


class Database:
    """Answers SQL over the files `readable`, and may write the file `writable`. `seconds` limits
    the time from now, or from the last `restart`, to the end of the last statement.
    """

    def __init__(
        self,
        readable: Iterable[Path],
        seconds: float | None = None,
        writable: Path | None = None,
    ) -> None:
        self._readable = list(readable)
        self._seconds = seconds
        self.restart()
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": f"{MEMORY_BYTES}B",
                "max_execution_time": int((seconds or 0) * 1000),
                # What does not fit into memory is refused instead of spilled.
                "temp_directory": "",
                # The system keeps files in memory, too, and for all processes.
                "enable_external_file_cache": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,
            },
        )
        paths = [*self._readable, *([writable] if writable else [])]
        names = [*map(pattern, self._readable), *map(str, paths)]
        allowed = ", ".join(map(quoted, names))
        self._connection.execute(f"SET allowed_paths = [{allowed}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def restart(self) -> None:
        """Begins the time anew, for another question."""
        self._deadline = None if self._seconds is None else monotonic() + self._seconds

    def ask(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Any]:
        """The rows that a statement answers. `parameters` are the values of its `$names`.

        Raises TooSlow, TooLarge, FileNotFoundError where a file is gone, and OSError where the disk
        is full.
        """
        if self._deadline is not None and monotonic() > self._deadline:
            raise TooSlow("The answer took too long to find.")
        try:
            return self._connection.execute(sql, dict(parameters or {})).fetchall()
        except duckdb.InterruptException as error:
            raise TooSlow("The answer took too long to find.") from error
        except duckdb.OutOfMemoryException as error:
            raise TooLarge("The answer needs more memory than it may have.") from error
        except duckdb.Error as error:
            raise self._cause_of(error) from error

    def run(self, sql: str, on_wait: Callable[[], None]) -> list[Any]:
        """The same as `ask`. Calls `on_wait` in this thread, before and every
        SECONDS_BETWEEN_LOOKS: what it raises ends the statement, and comes out of here.
        """
        on_wait()
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(self.ask, sql)
            try:
                while True:
                    try:
                        return future.result(SECONDS_BETWEEN_LOOKS)
                    except TimeoutError:
                        on_wait()
            finally:
                self._connection.interrupt()

    def _cause_of(self, error: duckdb.Error) -> Exception:
        """The error of the system behind one of the database, which does not say its number."""
        for number in NO_ROOM:
            if os.strerror(number) in str(error):
                return OSError(number, os.strerror(number))
        for path in self._readable:
            if not path.exists():
                return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return error


class Databases:
    """Databases of results that stay open for the next question, at most `most_idle`, those that
    were used last: to open one takes ten times as long as most answers. Threads share them.
    """

    def __init__(self, most_idle: int) -> None:
        self._most_idle = most_idle
        self._idle: list[tuple[Key, Database]] = []
        self._lock = Lock()

    @contextmanager
    def borrow(self, path: Path, seconds: float | None = None) -> Iterator[Database]:
        """A database with the rows of the result's file `path`, for this thread alone, which is to
        be asked for so many seconds. It is closed where it could not answer.
        """
        idle = self._taken((path, seconds))
        database = idle or Database([path], seconds)
        with ExitStack() as stack:
            stack.push(database)
            if idle is None:
                add_totals(database, path)
            database.restart()
            yield database
            stack.pop_all()
        self._give_back((path, seconds), database)

    def _taken(self, key: Key) -> Database | None:
        with self._lock:
            for number, (idle_key, _) in enumerate(self._idle):
                if idle_key == key:
                    return self._idle.pop(number)[1]
        return None

    def _give_back(self, key: Key, database: Database) -> None:
        with self._lock:
            self._idle.append((key, database))
            surplus = self._idle[: -self._most_idle or None]
            del self._idle[: len(surplus)]
        for _, oldest in surplus:
            oldest.close()


def add_totals(database: Database, path: Path, name: str = "totals") -> None:
    """Makes a result's file known as the table `name`: the columns of its key, Date, Plays, and
    `n`, the row's number from 0. A CSV is read once, here. Raises NoResult.
    """
    source = reader(path)
    columns = ", ".join([*key_columns(database, source), "Date", "Plays"])
    if path.suffix == ".parquet":
        source = f"SELECT {columns}, file_row_number AS n FROM {source}"
        database.ask(f"CREATE TEMP VIEW {name} AS {source}")
    else:
        source = f"SELECT {columns}, row_number() OVER () - 1 AS n FROM {source}"
        database.ask(f"CREATE TEMP TABLE {name} AS {source}")


def key_columns(database: Database, source: str) -> list[str]:
    """The columns of the key, in order, of a table or of what a `reader` reads."""
    described = database.ask(f"DESCRIBE SELECT * FROM {source}")
    return [name for name, *_ in described if name.lower() in FIELDS]


def reader(path: Path) -> str:
    """The SQL that reads the rows of a result's file, in their order. Raises NoResult, and
    FileNotFoundError.
    """
    if path.suffix == ".parquet":
        return f"read_parquet({quoted(pattern(path))}, file_row_number=true)"
    names = [quoted(column) for column in columns_of_header(path)]
    columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
    options = CSV_OPTIONS.format(names=", ".join(names), columns=columns)
    return f"read_csv({quoted(pattern(path))}, {options})"


def columns_of_header(path: Path) -> list[str]:
    """The columns of the key that an output's header names, in order. Raises NoResult, and
    FileNotFoundError.
    """
    with path.open("rb") as file:
        header = file.readline(HEADER_BYTES).decode("latin-1")
    key, end, _ = header.partition(f",{DATE},{TOTAL}\n")
    columns = key.split(",")
    if not end or {*columns} - {*FIELDS.values()}:
        raise NoResult(f"{path.name} holds no totals of bmat: it starts with {header!r:.80}.")
    return columns


def pattern(path: Path) -> str:
    """The pattern that matches this path alone: readers take no other."""
    return re.sub(r"[*?[]", r"[\g<0>]", str(path))


def quoted(path: str) -> str:
    """The path as a text of SQL, which takes no parameter where it is needed."""
    return "'" + path.replace("'", "''") + "'"
