"""What a question cannot do: read other files, go on for ever, or take all memory."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from bmat.results import Databases, Grain, Order, Question, TooLarge, TooSlow, rows
from bmat.results.connection import Database, add_totals
from bmat.results.files import OUTPUT, PARQUET
from bmat.results.tests.results import Result

ENDLESS = "SELECT count(*) FROM range(1000000000000) WHERE range % 7 = 8"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{other}')",
        "SELECT * FROM read_csv('{other}')",
        "SELECT * FROM '{other}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{other}'",
        "ATTACH '{folder}/x.db'",
        "INSTALL httpfs",
        "SET memory_limit = '10GB'",
        "SET threads = 8",
        "SET enable_external_access = true",
        "SELECT * FROM other",
    ],
)
def test_it_reaches_nothing_but_the_files_of_its_result(tmp_path: Path, sql: str) -> None:
    mine, other = tmp_path / "mine.csv", tmp_path / "other.csv"
    mine.touch()
    other.write_text("secret\n")

    with Database([mine]) as database, pytest.raises(duckdb.Error):
        database.ask(sql.format(other=other, folder=tmp_path))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.csv", "other.csv"]
    assert other.read_text() == "secret\n"


def test_it_uses_one_thread_and_no_disk() -> None:
    with Database([]) as database:
        settings = database.ask(
            "SELECT name, value FROM duckdb_settings() WHERE name IN "
            "('threads', 'temp_directory', 'memory_limit') ORDER BY name"
        )

    assert settings == [("memory_limit", "256.0 MiB"), ("temp_directory", ""), ("threads", "1")]


def test_a_statement_ends_in_time() -> None:
    with Database([], seconds=0.2) as database, pytest.raises(TooSlow):
        database.ask(ENDLESS)


def test_statements_end_in_time_together() -> None:
    with Database([], seconds=0.001) as database, pytest.raises(TooSlow):
        for _ in range(10**6):
            database.ask("SELECT 1")


def test_a_question_that_needs_too_much_memory_is_refused(
    result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    songs = [(f"{number:06}" + "x" * 2000, date(2020, 1, 1), 1) for number in range(8000)]
    folder = result(songs).folder
    monkeypatch.setattr("bmat.results.connection.MEMORY_BYTES", 2**23)

    with pytest.raises(TooLarge):
        rows(folder, Question(order=Order.PLAYS, grain=Grain.YEAR), 10)


def test_a_file_that_is_no_result_is_no_missing_one(tmp_path: Path) -> None:
    (tmp_path / "totals.parquet").write_text("x" * 100)

    with pytest.raises(duckdb.Error, match="No magic bytes"):
        rows(tmp_path, Question(), 10)


def test_a_database_stays_open_for_the_next_question(result: Callable[..., Result]) -> None:
    made, databases = result([("a", date(2020, 1, 1), 1)]), Databases(1)

    with databases.borrow(made.folder / OUTPUT) as first:
        assert first.ask("SELECT Song FROM totals") == [("a",)]
    with databases.borrow(made.folder / OUTPUT) as second:
        with databases.borrow(made.folder / OUTPUT) as at_the_same_time:
            assert second is first is not at_the_same_time


@pytest.mark.parametrize("most_idle", [0, 1])
def test_no_more_databases_stay_open_than_may(
    result: Callable[..., Result], most_idle: int
) -> None:
    paths = [result([(name, date(2020, 1, 1), 1)], name).folder / OUTPUT for name in "ab"]
    databases, used = Databases(most_idle), []

    for path in paths:
        with databases.borrow(path) as database:
            used.append(database)

    assert [is_open(database) for database in used] == [False, most_idle == 1]


def is_open(database: Database) -> bool:
    try:
        return database.ask("SELECT 1") == [(1,)]
    except duckdb.ConnectionException:
        return False


def test_a_database_that_could_not_answer_is_closed(result: Callable[..., Result]) -> None:
    made, databases = result([("a", date(2020, 1, 1), 1)]), Databases(1)

    with pytest.raises(KeyError), databases.borrow(made.folder / OUTPUT) as database:
        raise KeyError

    assert not is_open(database)


def test_each_question_has_its_own_time(result: Callable[..., Result]) -> None:
    made, databases = result([("a", date(2020, 1, 1), 1)]), Databases(1)

    with databases.borrow(made.folder / OUTPUT, 0.5) as first:
        with pytest.raises(TooSlow):
            while True:
                first.ask("SELECT 1")
    with databases.borrow(made.folder / OUTPUT, 0.5) as second:
        assert second is first
        assert second.ask("SELECT Song FROM totals") == [("a",)]


def test_a_file_that_goes_while_it_is_asked_is_not_found(result: Callable[..., Result]) -> None:
    made = result([("a", date(2020, 1, 1), 1)])
    made.write_parquet()
    file = made.folder / PARQUET

    with Database([file]) as database:
        add_totals(database, file)
        file.unlink()
        with pytest.raises(FileNotFoundError):
            database.ask("SELECT Song FROM totals")


def test_texts_are_ordered_by_their_bytes() -> None:
    texts = sorted(["a", "B", "z", "é", "ß", "\uffff", "\U00010000", "a ", " a", ""])

    with Database([]) as database:
        listed = database.ask("SELECT x FROM unnest($texts) AS t(x) ORDER BY x", {"texts": texts})

    assert [text for (text,) in listed] == texts
