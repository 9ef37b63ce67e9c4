"""What a worker writes when somebody asks for a format: once, whole, or not at all."""

import fcntl
import os
import resource
import threading
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from bmat.api.models import Report
from bmat.api.services import files, formats, totals
from bmat.api.services.delete import delete_report
from bmat.api.services.formats import RowsMissing, write_format
from bmat.api.services.sweep import sweep_files
from bmat.api.tests.results import beside
from bmat.taskapp.celery import app
from bmat.taskapp.queues import WRITE_FORMAT
from bmat.taskapp.tasks import write_format as write_format_task

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [files.PARQUET, files.JSON_LINES]


@pytest.fixture
def without(done):
    """A report with nothing but CSV, as reports of an earlier version are."""
    for name in NAMES:
        beside(done, name).unlink(missing_ok=True)
    return done


def names_beside(report):
    return {path.name for path in beside(report, "x").parent.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_nothing_but_the_file(without, name):
    before = names_beside(without)

    write_format(without.pid, name)

    assert names_beside(without) == before | {name}


def test_the_file_counts_as_a_part_of_the_result(without):
    write_format(without.pid, files.JSON_LINES)

    without.refresh_from_db()
    sizes = [path.stat().st_size for path in beside(without, "x").parent.iterdir()]
    assert without.result_bytes == sum(sizes) > 0


def test_it_writes_a_file_once(without):
    write_format(without.pid, files.JSON_LINES)
    os.utime(beside(without, files.JSON_LINES), (1, 1))

    write_format(without.pid, files.JSON_LINES)

    assert beside(without, files.JSON_LINES).stat().st_mtime == 1
    assert not files.part_of(beside(without, files.JSON_LINES)).exists()


def test_of_two_at_once_one_writes(without, monkeypatch):
    counts = []

    def slowly(folder, out, look):
        counts.append(threading.get_ident())
        other = threading.Thread(target=write_in_thread, args=[without.pid])
        other.start()
        other.join()
        return totals.write_json_lines(folder, out, look)

    monkeypatch.setitem(formats.WRITERS, files.JSON_LINES, slowly)
    write_format(without.pid, files.JSON_LINES)

    assert len(counts) == 1
    assert len(beside(without, files.JSON_LINES).read_bytes().splitlines()) == without.groups


def write_in_thread(pid):
    write_format(pid, files.JSON_LINES)
    connection.close()


def test_it_does_not_touch_a_file_that_was_renamed_while_it_opened_it(without, monkeypatch):
    target = beside(without, files.JSON_LINES)
    lock = fcntl.flock

    def late(part, how):
        part.write(b"whole")
        part.flush()
        files.part_of(target).replace(target)
        lock(part, how)

    monkeypatch.setattr(fcntl, "flock", late)
    write_format(without.pid, files.JSON_LINES)

    assert target.read_bytes() == b"whole"


def test_it_takes_up_what_a_dead_worker_left(without):
    files.part_of(beside(without, files.JSON_LINES)).write_text("half wri")

    write_format(without.pid, files.JSON_LINES)

    assert len(beside(without, files.JSON_LINES).read_bytes().splitlines()) == without.groups


@pytest.mark.parametrize("pid", [uuid4(), None])
def test_it_writes_nothing_where_there_is_no_result(submit, left_over, pid):
    waiting = submit()
    before = left_over()

    write_format(pid or waiting.pid, files.JSON_LINES)

    assert left_over() == before


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_nothing_of_a_report_that_is_deleted_meanwhile(
    without, monkeypatch, left_over, moment, name
):
    write = formats.WRITERS[name]

    def meanwhile(folder, out, look):
        if moment == "before":
            delete_report(without.pid)
        rows = write(folder, out, look)
        if moment == "after":
            delete_report(without.pid)
        return rows

    monkeypatch.setitem(formats.WRITERS, name, meanwhile)
    write_format(without.pid, name)

    assert left_over() == []


def test_it_removes_what_appeared_behind_the_back_of_a_delete(without, monkeypatch, left_over):
    sync = files.sync

    def sync_after_delete(file):
        sync(file)
        Report.objects.all().delete()

    monkeypatch.setattr(files, "sync", sync_after_delete)
    write_format(without.pid, files.JSON_LINES)

    assert left_over() == []


def test_it_leaves_nothing_of_a_report_that_expires_meanwhile(without, monkeypatch, left_over):
    def expire(folder, out, look):
        Report.objects.update(finished="2020-01-01T00:00:00Z")
        sweep_files()
        return totals.write_json_lines(folder, out, look)

    monkeypatch.setitem(formats.WRITERS, files.JSON_LINES, expire)
    write_format(without.pid, files.JSON_LINES)

    assert left_over() == []


def test_it_stops_at_once_where_the_report_is_gone(without, settings):
    settings.BMAT_HEARTBEAT_SECONDS = 0
    watch = formats.Watch(without.pid)
    watch.look()
    Report.objects.all().delete()

    with pytest.raises(formats.NotWanted):
        watch.look()


def test_it_stops_where_its_worker_ends(without, worker_ends):
    before = names_beside(without)
    worker_ends()

    write_format(without.pid, files.JSON_LINES)

    assert names_beside(without) == before


@pytest.mark.parametrize("name", NAMES)
def test_it_leaves_nothing_where_the_disk_is_full(without, caplog, name):
    before = names_beside(without)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        write_format(without.pid, name)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert names_beside(without) == before
    assert f"there is no room for {name}" in caplog.text


def test_it_says_when_the_disk_fails_otherwise(without, monkeypatch):
    def fail(folder, out, look):
        raise OSError(5, "Input/output error")

    before = names_beside(without)
    monkeypatch.setitem(formats.WRITERS, files.JSON_LINES, fail)

    with pytest.raises(OSError, match="Input/output error"):
        write_format(without.pid, files.JSON_LINES)
    assert names_beside(without) == before


@pytest.mark.parametrize("name", NAMES)
def test_it_publishes_no_file_that_has_lost_rows(without, name):
    Report.objects.update(groups=4)
    before = names_beside(without)

    with pytest.raises(RowsMissing, match="has 3 rows of 4"):
        write_format(without.pid, name)
    assert names_beside(without) == before


def test_it_gives_up_where_the_database_stays_away(without, monkeypatch, settings, caplog):
    def away(pid):
        raise OperationalError("the internal cause")

    settings.BMAT_LEASE_SECONDS = 0
    monkeypatch.setattr(formats, "with_result", away)

    write_format(without.pid, files.JSON_LINES)

    assert "no totals.jsonl, for the database is away" in caplog.text


def test_a_task_writes_it(without):
    write_format_task(str(without.pid), files.JSON_LINES)

    assert beside(without, files.JSON_LINES).exists()
    assert WRITE_FORMAT in app.tasks
