"""Working on a report: who may, what comes of it, and what is left when it comes to nothing."""

import errno
import re
from uuid import uuid4

import pytest
from django.db import OperationalError

from bmat import aggregation
from bmat.aggregation import AggregationError, ClusterAway
from bmat.api.models import Report
from bmat.api.services import files, leases, process, queue
from bmat.api.services.process import process_report
from bmat.api.services.reconcile import reconcile_reports
from bmat.api.services.reports import delete_report
from bmat.api.tests.fixtures import PLAYS, TOTALS

pytestmark = pytest.mark.django_db(transaction=True)

Status = Report.Status


@pytest.fixture
def report(submit):
    return submit()


@pytest.fixture
def aggregate_then(monkeypatch):
    """Lets something happen after the real aggregation, while the worker still holds the lease."""
    real = aggregation.aggregate

    def arrange(happening):
        def aggregate(*args, **kwargs):
            summary = real(*args, **kwargs)
            happening()
            return summary

        monkeypatch.setattr(process, "aggregate", aggregate)

    return arrange


def lose_lease(pid):
    Report.objects.filter(pid=pid).update(lease_token=uuid4())


def test_it_brings_a_report_to_done(report, left_over):
    token = uuid4()

    process_report(report.pid, token)

    report.refresh_from_db()
    assert (report.status, report.progress, report.stage) == (Status.DONE, 1.0, "")
    assert (report.rows_read, report.groups, report.plays_total) == (3, 3, 800)
    assert (report.lease_token, report.lease_expires) == (None, None)
    assert files.path(report.output_file.name).read_bytes() == TOTALS
    folder = f"reports/{report.pid}"
    results = ["output.csv", "summary.json"]
    expected = [folder, f"{folder}/{token}", f"{folder}/input.csv"]
    assert left_over() == sorted(expected + [f"{folder}/{token}/{name}" for name in results])


def test_it_notes_what_the_result_takes(report):
    process_report(report.pid, uuid4())

    report.refresh_from_db()
    folder = files.path(report.output_file.name).parent
    assert report.result_bytes == sum(path.stat().st_size for path in folder.iterdir()) > 0


def test_it_makes_every_result_safe_on_disk_before_it_is_done(submit, monkeypatch):
    synced: list[tuple[str, bool]] = []

    def sync(*together):
        synced.extend((path.name, path.stat().st_size > 0) for path in together)
        assert Report.objects.get().status == Status.PROCESSING

    report = submit(PLAYS + b"bad,x,1\n")
    monkeypatch.setattr(files, "sync", sync)

    process_report(report.pid, uuid4())

    names = ["output.csv", "rejects.csv", "summary.json"]
    assert sorted(synced) == [(name, True) for name in names]


def test_it_counts_the_rejects_by_reason(submit):
    report = submit(PLAYS + b"A,2020-01-32,1\nB,2020-01-01,x\nC,2020-01-33,1\n")

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert report.rejects_by_reason == {"invalid_date": 2, "invalid_plays": 1}
    assert report.rows_rejected == 3


def test_it_follows_the_options_of_the_upload(submit):
    report = submit(b"Titel;Tag;Zahl\nA;2020-01-01;5\n", song_column="Titel", strict=True)
    Report.objects.update(
        options={"song_column": "Titel", "date_column": "Tag", "plays_column": "Zahl"}
    )

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert report.plays_total == 5


@pytest.mark.parametrize(
    "content, code",
    [
        (b"", "empty_file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not_text"),
        (b"a,b,c\n1,2,3\n", "missing_column"),
    ],
)
def test_it_fails_a_report_whose_file_is_at_fault(submit, left_over, content, code):
    report = submit(content)

    assert process_report(report.pid, uuid4()) == code

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Status.FAILED, code)
    assert str(files.report_folder(report.pid)) not in report.error_message
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_it_keeps_what_the_file_has_told(submit):
    report = submit(b"Song,Date,Number of Plays\nA,2020-01-01,5\nB,never,1\n")

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert report.rejects_sample == {"invalid_date": [{"line": 3, "record": "B,never,1"}]}
    assert [warning["code"] for warning in report.warnings] == ["many_rejects"]
    assert (report.preset, report.group_by, report.rows_left_out) == ("default", ["song"], 0)


def test_it_totals_by_what_the_upload_says(submit):
    report = submit(b"Song,ISRC,Date,Number of Plays\nA,x,2020-01-01,5\n", group_by="isrc,song")

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    written = files.path(report.output_file.name).read_text()
    assert written == "ISRC,Song,Date,Total Number of Plays for Date\nx,A,2020-01-01,5\n"
    assert report.group_by == ["isrc", "song"]


def test_a_file_without_records_is_a_day_without_plays(submit):
    report = submit(b"Song,Date,Number of Plays\n")

    assert process_report(report.pid, uuid4()) is None

    report.refresh_from_db()
    assert (report.status, report.groups, report.plays_total) == (Status.DONE, 0, 0)
    assert files.path(report.output_file.name).read_bytes() == TOTALS.splitlines(True)[0]


@pytest.mark.parametrize("call", ["files.start_attempt", "files.os.fsync"])
def test_it_names_a_disk_that_is_full_outside_the_aggregation(report, monkeypatch, left_over, call):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = left_over()
    monkeypatch.setattr(f"bmat.api.services.{call}", fail)

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Status.FAILED, "out_of_disk")
    assert left_over() == before


@pytest.fixture
def cluster_is_away(monkeypatch):
    def fail(*_, **__):
        raise ClusterAway("The Dask cluster at tcp://nowhere:8786 cannot be reached")

    monkeypatch.setattr(process, "aggregate", fail)


def test_it_hands_a_report_back_while_the_cluster_is_away(report, cluster_is_away, left_over):
    before = left_over()

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.stage, report.attempts) == (Status.PROCESSING, "queued", 0)
    assert (report.lease_token, report.enqueue_count, left_over()) == (None, 0, before)


def test_it_waits_longer_each_time_for_the_cluster_and_never_gives_up(
    report, cluster_is_away, caplog
):
    for _ in range(20):
        process_report(report.pid, uuid4())

    waits = re.findall(r"tried again in (\d+) s: The Dask cluster at tcp://nowhere", caplog.text)
    assert waits == ["1", "2", "4", "8"] + ["10"] * 16
    assert Report.objects.queued().get() == report
    assert not report.attempt_log.exists()


def test_it_sends_the_next_message_when_the_wait_is_over_whatever_else_is_in_the_queue(
    enqueued, report, submit, cluster_is_away
):
    enqueued()
    process_report(report.pid, uuid4())
    other = submit()

    assert reconcile_reports() == 0
    Report.objects.filter(pid=report.pid).update(next_enqueue_at=queue.in_seconds(0))
    assert reconcile_reports() == 1

    assert enqueued() == [str(other.pid), str(report.pid)]


def test_it_leaves_the_wait_for_the_cluster_to_the_worker_that_took_over(report, monkeypatch):
    def fail(*_, **__):
        lose_lease(report.pid)
        raise ClusterAway("The Dask cluster has gone away")

    monkeypatch.setattr(process, "aggregate", fail)

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.attempts, report.cluster_waits, report.attempt_log.count()) == (1, 0, 1)


def test_it_goes_on_with_a_claim_whose_answer_comes_after_its_lease(report, monkeypatch):
    claim, answers = leases.claim, []

    def late(*args):
        answers.append(claim(*args))
        if len(answers) == 1:
            Report.objects.update(lease_expires="2020-01-01T00:00:00Z")
            raise OperationalError("server closed the connection unexpectedly")
        return answers[-1]

    monkeypatch.setattr(leases, "claim", late)

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.attempts, len(answers)) == (Status.DONE, 1, 2)


def test_it_does_nothing_for_an_unknown_pid(db, left_over):
    process_report(uuid4(), uuid4())

    assert left_over() == []


def test_it_does_nothing_when_the_task_is_delivered_again(report, left_over):
    process_report(report.pid, uuid4())
    before = Report.objects.values().get(), left_over()

    process_report(report.pid, uuid4())

    assert (Report.objects.values().get(), left_over()) == before


def test_it_does_nothing_while_another_worker_has_the_report(report, left_over):
    leases.claim(report.pid, uuid4())
    before = Report.objects.values().get(), left_over()

    process_report(report.pid, uuid4())

    assert (Report.objects.values().get(), left_over()) == before


def test_it_removes_what_a_dead_worker_left(report, left_over):
    dead = uuid4()
    leases.claim(report.pid, dead)
    (files.start_attempt(report.pid, dead) / "output.csv").write_text("half wri")
    Report.objects.update(lease_expires="2020-01-01T00:00:00Z")

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.attempts) == (Status.DONE, 2)
    assert not any(str(dead) in path for path in left_over())


def test_it_throws_the_result_away_when_the_lease_is_lost(report, aggregate_then, left_over):
    aggregate_then(lambda: lose_lease(report.pid))

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.output_file.name) == (Status.PROCESSING, "")
    assert left_over() == [f"reports/{report.pid}", f"reports/{report.pid}/input.csv"]


def test_it_leaves_the_files_of_the_worker_that_took_over(report, aggregate_then, left_over):
    winner, loser = uuid4(), uuid4()

    def take_over():
        aggregate_then(lambda: None)
        Report.objects.update(lease_expires="2020-01-01T00:00:00Z")
        process_report(report.pid, winner)

    aggregate_then(take_over)
    process_report(report.pid, loser)

    report.refresh_from_db()
    assert report.status == Status.DONE
    assert report.output_file.name == files.output_name(report.pid, winner)
    assert files.path(report.output_file.name).read_bytes() == TOTALS
    assert not any(str(loser) in path for path in left_over())


def test_it_does_not_fail_a_report_that_another_worker_has(report, monkeypatch):
    def fail(*_, **__):
        lose_lease(report.pid)
        raise AggregationError("empty_file", "The file is empty.")

    monkeypatch.setattr(process, "aggregate", fail)

    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Status.PROCESSING, "")


def test_it_leaves_nothing_of_a_report_deleted_meanwhile(report, aggregate_then, left_over):
    aggregate_then(lambda: Report.objects.all().delete())

    process_report(report.pid, uuid4())

    assert left_over() == []


def test_it_leaves_nothing_of_a_report_deleted_right_after_the_claim(
    report, monkeypatch, left_over
):
    claim = leases.claim

    def claim_then_delete(pid, token, worker):
        claimed = claim(pid, token, worker)
        delete_report(pid)
        return claimed

    monkeypatch.setattr(leases, "claim", claim_then_delete)

    process_report(report.pid, uuid4())

    assert left_over() == []


def test_a_report_deleted_as_it_starts_is_one_line_in_the_log(report, monkeypatch, caplog):
    def delete_first(*args, **kwargs):
        delete_report(report.pid)
        return aggregation.aggregate(*args, **kwargs)

    monkeypatch.setattr(process, "aggregate", delete_first)

    process_report(report.pid, uuid4())

    [record] = [record for record in caplog.records if record.levelname != "INFO"]
    assert record.getMessage().startswith(
        f"report {report.pid}: broken off, for its lease was lost"
    )
    assert record.exc_info is None


def test_it_does_not_pass_over_a_folder_that_is_gone_though_its_report_is_there(report):
    files.remove(files.report_folder(report.pid))

    with pytest.raises(FileNotFoundError):
        process_report(report.pid, uuid4())
