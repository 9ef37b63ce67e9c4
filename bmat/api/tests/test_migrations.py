"""What a migration makes of the rows that are there."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = pytest.mark.django_db(transaction=True)

DUE = datetime(2026, 11, 29, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def migrate():
    """Brings the tables of the API to a migration; the models as they are then."""

    def migrated(name):
        executor = MigrationExecutor(connection)
        executor.migrate([("api", name)])
        return executor.loader.project_state([("api", name)]).apps

    yield migrated
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_a_report_that_waits_keeps_the_time_of_its_next_message(migrate):
    old = migrate("0005_installation").get_model("api", "Report")
    pid = old.objects.create(input_file="a", input_name="b", ring_at=DUE, rings=3).pid

    report = migrate("0006_enqueue").get_model("api", "Report").objects.get()

    assert (report.pid, report.next_enqueue_at, report.enqueue_count) == (pid, DUE, 3)
    assert report.cluster_waits == 0


def test_a_report_of_before_was_by_song_and_of_no_preset(migrate):
    old = migrate("0006_enqueue").get_model("api", "Report")
    old.objects.create(input_file="a", input_name="b", next_enqueue_at=DUE, rows_rejected=3)

    report = migrate("0007_findings").get_model("api", "Report").objects.get()

    assert (report.rows_rejected, report.rows_left_out) == (3, 0)
    assert (report.group_by, report.preset) == (["song"], "")
    assert (report.rejects_sample, report.warnings) == ({}, [])


def test_a_report_of_before_has_its_file_for_an_input(migrate):
    old = migrate("0007_findings").get_model("api", "Report")
    named = {"input_name": "b", "input_bytes": 7, "next_enqueue_at": DUE}
    waits = old.objects.create(input_file="a", **named).pid
    found = {"rows_read": 5, "rows_rejected": 2, "preset": "suisa"}
    done = old.objects.create(input_file="a", output_file="o", **named, **found).pid

    reports = migrate("0008_inputs").get_model("api", "Report").objects

    assert [each.inputs for each in reports.all()] == [
        [{"name": "b", "bytes": 7, "options": {}}]
    ] * 2
    assert (reports.get(pid=waits).inputs_read, reports.get(pid=waits).base) == ([], None)
    [read] = reports.get(pid=done).inputs_read
    assert (read["name"], read["rows_read"], read["rows_rejected"]) == ("b", 5, 2)
    assert (read["preset"], read["encoding"]) == ("suisa", None)
