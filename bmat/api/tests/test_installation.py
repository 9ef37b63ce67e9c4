"""Whose the files are: home and database have the same id, or nothing is swept."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from bmat.api.models import Installation, Report
from bmat.api.services import installation
from bmat.api.services.sweep import Swept, sweep_files

pytestmark = pytest.mark.django_db(transaction=True)

ANOTHER = "8f0c5a52-9b0e-4c39-a8a5-8a4f6a0a7f11"
DAYS_AGO = 1_000_000_000
AT_ONCE = 4


@pytest.fixture(autouse=True)
def unclaimed(transactional_db, home):
    """Neither home nor database has an id."""
    Installation.objects.all().delete()


@pytest.fixture
def database():
    """The id in the database."""
    return lambda: Installation.objects.get().installation_id


def home_of(home, value):
    (home / "installation_id").write_text(f"{value}\n")


def database_of(value):
    Installation.objects.create(installation_id=value)


def orphans(home, count):
    """Old folders without a report."""
    for _ in range(count):
        folder = home / "reports" / str(uuid4())
        folder.mkdir()
        os.utime(folder, (DAYS_AGO, DAYS_AGO))


def written(home):
    return (home / "installation_id").read_text().strip()


def test_a_new_home_and_a_new_database_get_the_same_id(home):
    assert installation.objection() == ""
    assert written(home) == str(Installation.objects.get())
    assert (home / "installation_id").stat().st_mode & 0o777 == 0o644


def test_they_keep_it(home):
    installation.objection()
    before = written(home)

    orphans(home, 3)

    assert installation.objection() == ""
    assert (written(home), str(Installation.objects.get())) == (before, before)


def test_those_of_an_earlier_version_get_one_where_the_files_fit(home, submit):
    submit()
    orphans(home, 1)

    assert installation.objection() == ""


def test_a_home_that_has_lost_its_id_gets_it_back(home, submit):
    database_of(ANOTHER)
    submit()

    assert installation.objection() == ""
    assert written(home) == ANOTHER


def test_a_dump_of_an_earlier_version_takes_the_id_of_its_files(home, submit, database):
    home_of(home, ANOTHER)
    submit()

    assert installation.objection() == ""
    assert str(database()) == ANOTHER


def test_an_empty_home_belongs_to_the_database_that_comes(home, database):
    home_of(home, ANOTHER)

    assert installation.objection() == ""
    assert written(home) == str(database()) != ANOTHER


@pytest.mark.parametrize("at_home, in_database", [
    ("", ""), (ANOTHER, ""), ("", ANOTHER), (ANOTHER, str(uuid4())), ("no id", ""),
])  # fmt: skip
def test_from_the_files_of_another_database_nothing_is_swept(
    home, left_over, at_home, in_database, caplog
):
    if at_home:
        home_of(home, at_home)
    if in_database:
        database_of(in_database)
    orphans(home, 3)
    before = left_over()

    swept = sweep_files(however_many=True)

    assert swept == Swept(0, 0, 0, refused=installation.another_database())
    assert left_over() == before
    assert f"The files in {home} belong to another database than this one" in caplog.text


def test_what_was_swept_before_stays_in_the_trash(home):
    home_of(home, ANOTHER)
    orphans(home, 1)
    (home / "trash" / "2020-01-01T000000Z-x").mkdir(parents=True)

    sweep_files()

    assert (home / "trash" / "2020-01-01T000000Z-x").exists()


def test_meanwhile_a_report_is_taken_deleted_and_expires(home, client, submit, left_over):
    home_of(home, ANOTHER)
    orphans(home, 3)
    others = left_over()
    deleted, old = submit(), submit()
    Report.objects.filter(pk=old.pk).update(
        status=Report.Status.FAILED, finished=timezone.now() - timedelta(days=31)
    )

    assert client.delete(f"/api/reports/{deleted.pid}").status_code == 204
    assert sweep_files().reports == 1
    assert left_over() == others


def test_processes_that_start_at_once_agree(home):
    def claimed(_):
        try:
            return installation.objection()
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        assert list(threads.map(claimed, range(AT_ONCE))) == [""] * AT_ONCE

    assert written(home) == str(Installation.objects.get())


def test_an_id_that_cannot_be_read_is_an_objection(home):
    (home / "installation_id").mkdir()

    said = f"{home}/installation_id cannot be read: Is a directory"
    assert installation.objection() == said
    with pytest.raises(CommandError, match=said):
        call_command("adopt_home", "--yes")


def w003(databases):
    return [each.msg for each in run_checks(databases=databases) if each.id == "bmat.W003"]


def test_the_check_says_so_where_it_may_ask_the_database(home):
    home_of(home, ANOTHER)
    orphans(home, 1)

    assert w003(["default"]) == [installation.another_database()]
    assert w003(None) == []
    assert not Installation.objects.exists()


def test_the_check_leaves_it_to_others_to_say_what_is_broken(home):
    (home / "installation_id").mkdir()

    assert w003(["default"]) == []


def test_the_check_asks_a_database_that_is_not_migrated(home, monkeypatch):
    home_of(home, ANOTHER)
    monkeypatch.setattr(installation, "has_table", lambda model: False)
    assert w003(["default"]) == []

    orphans(home, 1)
    assert w003(["default"]) == [installation.another_database()]


def test_each_migration_gives_an_id_where_there_is_none(home):
    call_command("migrate", verbosity=0)

    assert written(home) == str(Installation.objects.get())


def answering(monkeypatch, answer):
    def give(_):
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr("builtins.input", give)


@pytest.mark.parametrize("answer", ["", "n", "what?", None])
def test_nobody_adopts_by_mistake(home, monkeypatch, answer):
    home_of(home, ANOTHER)
    orphans(home, 2)
    answering(monkeypatch, answer)

    with pytest.raises(CommandError, match="^Nothing was changed.$"):
        call_command("adopt_home", stdout=StringIO())

    assert installation.objection() != ""


@pytest.mark.parametrize("in_database", ["", str(uuid4())])
@pytest.mark.parametrize("arguments, answer", [([], "yes"), (["--yes"], None)])
def test_whoever_agrees_adopts_the_files(home, monkeypatch, in_database, arguments, answer):
    home_of(home, ANOTHER)
    if in_database:
        database_of(in_database)
    orphans(home, 2)
    answering(monkeypatch, answer)
    out = StringIO()

    call_command("adopt_home", *arguments, stdout=out)

    assert f"The files in {home} are to belong to the database" in out.getvalue()
    assert "Of 2 reports' folders that were looked at, 0 have a report in it" in out.getvalue()
    assert sweep_files() == Swept(0, 2, 0)
    assert written(home) == str(Installation.objects.get()) != ANOTHER


def test_what_is_ours_need_not_be_adopted(home):
    installation.objection()
    out = StringIO()

    call_command("adopt_home", stdout=out)

    assert out.getvalue() == "The files belong to this database already.\n"
