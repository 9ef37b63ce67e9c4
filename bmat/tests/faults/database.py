"""What the database says about the reports, asked past the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import psycopg2  # type: ignore[import-untyped]  # the package has no types

PROCESSING = 0
BY_PRODUCT = "summary.json"

# One line for each write that ends a report, also where it had ended before.
KEEP_A_LOG = """
CREATE TABLE finish_log (pid uuid NOT NULL, status integer NOT NULL);
CREATE FUNCTION log_finish() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO finish_log VALUES (NEW.pid, NEW.status); RETURN NULL; END $$;
CREATE TRIGGER finish AFTER UPDATE OF status ON api_report
    FOR EACH ROW WHEN (NEW.status <> 0) EXECUTE FUNCTION log_finish();
"""


class Row(NamedTuple):
    """A report's row. The three files are their storage's names; empty where there is none."""

    pid: str
    name: str
    status: int
    lease_token: str | None
    input_file: str
    output_file: str
    rejects_file: str
    error_code: str

    @property
    def ended(self) -> bool:
        return self.status != PROCESSING

    @property
    def files(self) -> set[str]:
        """All that belongs to the report: beside its output lies one more. The results are too
        small for others.
        """
        named = {self.input_file, self.output_file, self.rejects_file} - {""}
        folder = PurePosixPath(self.output_file).parent
        beside = {str(folder / BY_PRODUCT)} if self.output_file else set()
        return named | beside


class Database:
    """The service's PostgreSQL. Each question opens a connection: the server may have restarted."""

    def __init__(self, port: int) -> None:
        self._port = port

    def keep_a_log_of_finishes(self) -> None:
        with self.connected() as cursor:
            cursor.execute(KEEP_A_LOG)

    def rows(self) -> list[Row]:
        """Every report's row, in the order of their upload."""
        with self.connected() as cursor:
            cursor.execute(
                "SELECT pid::text, input_name, status, lease_token::text, input_file, output_file,"
                " rejects_file, error_code FROM api_report ORDER BY created"
            )
            return [Row(*values) for values in cursor.fetchall()]

    def finishes(self) -> dict[str, int]:
        """How often each report was ended, by pid."""
        with self.connected() as cursor:
            cursor.execute("SELECT pid::text, count(*) FROM finish_log GROUP BY pid")
            return dict(cursor.fetchall())

    def ends(self) -> dict[str, float]:
        """When each report that is Done was so, in seconds of the clock, by pid."""
        with self.connected() as cursor:
            cursor.execute(
                "SELECT pid::text, extract(epoch FROM finished)::float FROM api_report"
                " WHERE status = 1"
            )
            return dict(cursor.fetchall())

    def attempts(self) -> dict[str, list[str]]:
        """How each attempt at each report ended, first to last, by pid; empty while it runs."""
        with self.connected() as cursor:
            cursor.execute(
                "SELECT report_id::text, array_agg(outcome::text ORDER BY number)"
                " FROM api_reportattempt GROUP BY report_id"
            )
            return dict(cursor.fetchall())

    @contextmanager
    def new_reports_held_up(self) -> Iterator[None]:
        """For the time of the block, rows of reports can be read, but neither added nor changed."""
        with self.connected() as cursor:
            cursor.execute("LOCK TABLE api_report IN EXCLUSIVE MODE")
            yield

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A cursor, in a transaction that is committed at the block's end."""
        connection = psycopg2.connect(
            host="127.0.0.1", port=self._port, user="bmat", dbname="postgres", connect_timeout=5
        )
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()
