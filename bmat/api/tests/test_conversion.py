"""What a worker writes when a format is wanted: once, whole, or not at all."""

import fcntl
import os
import resource
import threading
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from bmat.api.models import Report
from bmat.api.services import conversion, files
from bmat.api.services.conversion import RowsMissing, convert
from bmat.api.services.reports import delete_report
from bmat.api.services.sweep import sweep_files
from bmat.api.tests.results import beside
from bmat.results import write_json_lines
from bmat.taskapp.celery import CONVERT_RESULT, app
from bmat.taskapp.tasks import convert_result

pytestmark = pytest.mark.django_db(transaction=True)


def names_beside(report):
    return {path.name for path in beside(report, "x").parent.iterdir()}


def test_it_leaves_nothing_but_the_file(done):
    before = names_beside(done)

    convert(done.pid, files.JSON_LINES)

    assert names_beside(done) == before | {files.JSON_LINES}


def test_the_file_counts_as_a_part_of_the_result(done):
    convert(done.pid, files.JSON_LINES)

    done.refresh_from_db()
    sizes = [path.stat().st_size for path in beside(done, "x").parent.iterdir()]
    assert done.result_bytes == sum(sizes) > 0


def test_the_file_counts_though_its_writer_died_before_it_said_so(done, monkeypatch):
    def die(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "size_of", die)
        with pytest.raises(KeyboardInterrupt):
            convert(done.pid, files.JSON_LINES)

    convert(done.pid, files.JSON_LINES)

    done.refresh_from_db()
    sizes = [path.stat().st_size for path in beside(done, "x").parent.iterdir()]
    assert done.result_bytes == sum(sizes)


def test_the_file_counts_before_it_is_written(done, monkeypatch):
    seen = []

    def write(source, target, watch):
        seen.append(Report.objects.get().result_bytes)
        return 0

    monkeypatch.setitem(conversion.WRITERS, files.JSON_LINES, write)
    before = Report.objects.get().result_bytes

    with pytest.raises(conversion.RowsMissing):
        convert(done.pid, files.JSON_LINES)

    assert seen == [before + conversion.most_bytes_of(done)]
    assert Report.objects.get().result_bytes == before


def test_it_begins_no_file_for_which_there_is_no_room(done, monkeypatch, caplog):
    monkeypatch.setattr("bmat.api.services.disk.has_room_for", lambda _: False)

    convert(done.pid, files.JSON_LINES)

    assert "there is no room for totals.jsonl" in caplog.text
    assert not beside(done, files.JSON_LINES).exists()


def test_a_part_counts_as_nothing(done):
    folder = beside(done, "x").parent
    before = files.size_of(folder)
    files.part_of(beside(done, files.JSON_LINES)).write_text("half wri")

    assert files.size_of(folder) == before > 0


def test_it_writes_a_file_once(done):
    convert(done.pid, files.JSON_LINES)
    os.utime(beside(done, files.JSON_LINES), (1, 1))

    convert(done.pid, files.JSON_LINES)

    assert beside(done, files.JSON_LINES).stat().st_mtime == 1
    assert not files.part_of(beside(done, files.JSON_LINES)).exists()


def test_of_two_at_once_one_writes(done, monkeypatch):
    counts = []

    def slowly(source, target, look):
        counts.append(threading.get_ident())
        other = threading.Thread(target=write_in_thread, args=[done.pid])
        other.start()
        other.join()
        return write_json_lines(source, target, look)

    monkeypatch.setitem(conversion.WRITERS, files.JSON_LINES, slowly)
    convert(done.pid, files.JSON_LINES)

    assert len(counts) == 1
    assert len(beside(done, files.JSON_LINES).read_bytes().splitlines()) == done.groups


def write_in_thread(pid):
    convert(pid, files.JSON_LINES)
    connection.close()


def test_it_does_not_touch_a_file_that_was_renamed_while_it_opened_it(done, monkeypatch):
    target = beside(done, files.JSON_LINES)
    lock = fcntl.flock

    def late(part, how):
        part.write(b"whole")
        part.flush()
        files.part_of(target).replace(target)
        lock(part, how)

    monkeypatch.setattr(fcntl, "flock", late)
    convert(done.pid, files.JSON_LINES)

    assert target.read_bytes() == b"whole"


def test_it_takes_up_what_a_dead_worker_left(done):
    files.part_of(beside(done, files.JSON_LINES)).write_text("half wri")

    convert(done.pid, files.JSON_LINES)

    assert len(beside(done, files.JSON_LINES).read_bytes().splitlines()) == done.groups


@pytest.mark.parametrize("pid", [uuid4(), None])
def test_it_writes_nothing_where_there_is_no_result(submit, left_over, pid):
    waiting = submit()
    before = left_over()

    convert(pid or waiting.pid, files.JSON_LINES)

    assert left_over() == before


@pytest.mark.parametrize("moment", ["before", "after"])
def test_it_leaves_nothing_of_a_report_that_is_deleted_meanwhile(
    done, monkeypatch, left_over, moment
):
    write = conversion.WRITERS[files.JSON_LINES]

    def meanwhile(source, target, look):
        if moment == "before":
            delete_report(done.pid)
        rows = write(source, target, look)
        if moment == "after":
            delete_report(done.pid)
        return rows

    monkeypatch.setitem(conversion.WRITERS, files.JSON_LINES, meanwhile)
    convert(done.pid, files.JSON_LINES)

    assert left_over() == []


def test_it_removes_what_appeared_behind_the_back_of_a_delete(done, monkeypatch, left_over):
    sync = files.sync

    def sync_after_delete(file):
        sync(file)
        Report.objects.all().delete()

    monkeypatch.setattr(files, "sync", sync_after_delete)
    convert(done.pid, files.JSON_LINES)

    assert left_over() == []


def test_it_leaves_nothing_of_a_report_that_expires_meanwhile(done, monkeypatch, left_over):
    def expire(source, target, look):
        Report.objects.update(finished="2020-01-01T00:00:00Z")
        sweep_files()
        return write_json_lines(source, target, look)

    monkeypatch.setitem(conversion.WRITERS, files.JSON_LINES, expire)
    convert(done.pid, files.JSON_LINES)

    assert left_over() == []


def test_it_stops_at_once_where_the_report_is_gone(done, settings):
    settings.BMAT_HEARTBEAT_SECONDS = 0
    part = beside(done, "part")
    part.touch()
    os.utime(part, (1, 1))
    watch = conversion.Watch(done.pid, part)
    watch()
    assert part.stat().st_mtime > 1
    Report.objects.all().delete()

    with pytest.raises(conversion.NotWanted):
        watch()


def test_it_stops_where_its_worker_ends(done, worker_ends):
    before = names_beside(done)
    worker_ends()

    convert(done.pid, files.JSON_LINES)

    assert names_beside(done) == before


def test_it_leaves_nothing_where_the_disk_is_full(done, caplog, monkeypatch):
    def write(*arguments):
        """Writes no more than 20 bytes."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
        try:
            return write_json_lines(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    before = names_beside(done)
    monkeypatch.setitem(conversion.WRITERS, files.JSON_LINES, write)

    convert(done.pid, files.JSON_LINES)

    assert names_beside(done) == before
    assert "there is no room for totals.jsonl" in caplog.text


def test_it_says_when_the_disk_fails_otherwise(done, monkeypatch):
    def fail(source, target, look):
        raise OSError(5, "Input/output error")

    before = names_beside(done)
    monkeypatch.setitem(conversion.WRITERS, files.JSON_LINES, fail)

    with pytest.raises(OSError, match="Input/output error"):
        convert(done.pid, files.JSON_LINES)
    assert names_beside(done) == before


def test_it_publishes_no_file_that_has_lost_rows(done):
    Report.objects.update(groups=4)
    before = names_beside(done)

    with pytest.raises(RowsMissing, match="has 3 rows of 4"):
        convert(done.pid, files.JSON_LINES)
    assert names_beside(done) == before


def test_it_gives_up_where_the_database_stays_away(done, monkeypatch, settings, caplog):
    def away(pid):
        raise OperationalError("the internal cause")

    settings.BMAT_LEASE_SECONDS = 0
    monkeypatch.setattr(conversion, "with_result", away)

    convert(done.pid, files.JSON_LINES)

    assert "no totals.jsonl, for the database is away" in caplog.text


def test_a_task_writes_it(done):
    convert_result(str(done.pid), files.JSON_LINES)

    assert beside(done, files.JSON_LINES).exists()
    assert CONVERT_RESULT in app.tasks
