"""Every change of a report's status is conditional."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from bmat.aggregation import Progress, Summary
from bmat.api.models import Report

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00:00Z"
ENDS = [Report.Status.DONE, Report.Status.FAILED, Report.Status.CANCELLED]
SUMMARY = Summary(rows_read=1, rows_counted=1, groups=1, plays_total=2**70)


@pytest.fixture
def report(submit):
    return submit()


def test_it_gives_the_lease_to_one_of_two_claims(report):
    assert Report.objects.claim(report.pid, uuid4())
    assert not Report.objects.claim(report.pid, uuid4())
    assert Report.objects.get().attempts == 1


def test_it_gives_the_lease_again_once_it_has_run_out(report):
    Report.objects.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO, rows_read=7, progress=0.5)

    assert Report.objects.claim(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.attempts, report.rows_read, report.progress) == (2, 0, 0.0)


def test_it_gives_no_lease_after_the_last_attempt(report, settings):
    Report.objects.update(attempts=settings.BMAT_MAX_ATTEMPTS)

    assert not Report.objects.claim(report.pid, uuid4())


@pytest.mark.parametrize("status", ENDS)
def test_it_changes_nothing_about_a_report_that_has_ended(report, status):
    token = uuid4()
    Report.objects.update(status=status, lease_token=token, lease_expires=LONG_AGO)

    assert not Report.objects.claim(report.pid, uuid4())
    assert not Report.objects.renew(report.pid, token, None)
    assert not Report.objects.finish(report.pid, token, SUMMARY, "a", "b", 1)
    assert not Report.objects.fail(report.pid, token, "code", "message")
    assert not Report.objects.hand_back(report.pid, token)
    assert not Report.objects.take_away(report, token, "code", "message")
    assert not Report.objects.cancel(report.pid)
    assert Report.objects.get().status == status


def test_it_lets_only_the_holder_of_the_lease_change_a_report(report):
    Report.objects.claim(report.pid, uuid4())
    before = Report.objects.values().get()

    assert not Report.objects.renew(report.pid, uuid4(), Progress("writing", 1.0, 9))
    assert not Report.objects.finish(report.pid, uuid4(), SUMMARY, "a", "b", 1)
    assert not Report.objects.fail(report.pid, uuid4(), "code", "message")
    assert not Report.objects.hand_back(report.pid, uuid4())
    assert Report.objects.values().get() == before


def test_it_finishes_with_exact_counts(report):
    token = uuid4()
    Report.objects.claim(report.pid, token)

    assert Report.objects.finish(report.pid, token, SUMMARY, "out", "", 1)

    report.refresh_from_db()
    assert report.plays_total == 2**70
    assert (report.state, report.output_file.name, report.stage) == ("done", "out", "")
    assert report.duration_seconds >= 0


def test_it_takes_an_abandoned_report_away(report):
    token = uuid4()
    Report.objects.claim(report.pid, token)
    Report.objects.update(lease_expires=LONG_AGO, rings=9)

    assert Report.objects.take_away(report, token, "code", "message")

    report.refresh_from_db()
    assert (report.stage, report.lease_token, report.rings) == ("queued", None, 0)
    assert Report.objects.due().get() == report


def test_it_takes_nothing_away_that_somebody_works_on(report):
    token = uuid4()
    Report.objects.claim(report.pid, token)

    assert not Report.objects.take_away(report, token, "code", "message")


def test_it_counts_no_attempt_that_was_handed_back(report):
    token = uuid4()
    Report.objects.claim(report.pid, token)

    assert Report.objects.hand_back(report.pid, token)

    report.refresh_from_db()
    assert (report.stage, report.lease_token, report.attempts) == ("queued", None, 0)
    assert Report.objects.due().get() == report


def test_it_lets_one_of_two_reconcilers_ring(report):
    Report.objects.update(ring_at=LONG_AGO)
    report.refresh_from_db()

    assert Report.objects.postpone_ring(report)
    assert not Report.objects.postpone_ring(report)


@pytest.mark.parametrize("rings, wait_seconds", [(0, 5), (1, 10), (3, 40), (20, 60), (10**6, 60)])
def test_it_waits_twice_as_long_before_each_ring(report, rings, wait_seconds):
    Report.objects.update(rings=rings)
    report.refresh_from_db()

    Report.objects.postpone_ring(report)

    wait = Report.objects.get().ring_at - timezone.now()
    assert timedelta(seconds=wait_seconds - 2) < wait <= timedelta(seconds=wait_seconds)


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, 2**63, 2**64 + 1, 10**39])
def test_it_keeps_a_plays_total_of_any_size(report, value):
    report.plays_total = value
    report.full_clean()
    report.save(update_fields=["plays_total"])

    assert Report.objects.get(pid=report.pid).plays_total == value


def test_it_names_itself_by_pid_and_status(report):
    assert str(report) == f"{report.pid} (Processing)"
