"""Every change of a report's status is conditional."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now
from django.utils import timezone

from bmat.aggregation import Progress, Summary
from bmat.api.models import Report
from bmat.api.services import leases
from bmat.api.services.queue import in_seconds

pytestmark = pytest.mark.django_db

LONG_AGO = "2020-01-01T00:00:00Z"
ENDS = [Report.Status.DONE, Report.Status.FAILED, Report.Status.CANCELLED]
SUMMARY = Summary(rows_read=1, rows_counted=1, groups=1, plays_total=2**70)


@pytest.fixture
def report(submit):
    return submit()


def test_it_gives_the_lease_to_one_of_two_claims(report):
    assert leases.claim(report.pid, uuid4())
    assert not leases.claim(report.pid, uuid4())
    assert Report.objects.get().attempts == 1


def test_it_gives_the_lease_again_once_it_has_run_out(report):
    leases.claim(report.pid, uuid4())
    Report.objects.update(lease_expires=LONG_AGO, rows_read=7, progress=0.5)

    assert leases.claim(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.attempts, report.rows_read, report.progress) == (2, 0, 0.0)


def test_it_gives_no_lease_after_the_last_attempt(report, settings):
    Report.objects.update(attempts=settings.BMAT_MAX_ATTEMPTS)

    assert not leases.claim(report.pid, uuid4())


@pytest.mark.parametrize("status", ENDS)
def test_it_changes_nothing_about_a_report_that_has_ended(report, status):
    token = uuid4()
    Report.objects.update(status=status, lease_token=token, lease_expires=LONG_AGO)

    assert not leases.claim(report.pid, uuid4())
    assert not leases.renew(report.pid, token, None)
    assert not leases.finish(report.pid, token, SUMMARY, "a", "b", 1)
    assert not leases.fail(report.pid, token, "code", "message")
    assert not leases.hand_back(report.pid, token)
    assert not leases.requeue_abandoned(report, token)
    assert not leases.cancel(report.pid)
    assert Report.objects.get().status == status


def test_it_lets_only_the_holder_of_the_lease_change_a_report(report):
    leases.claim(report.pid, uuid4())
    before = Report.objects.values().get()

    assert not leases.renew(report.pid, uuid4(), Progress("writing", 1.0, 9))
    assert not leases.finish(report.pid, uuid4(), SUMMARY, "a", "b", 1)
    assert not leases.fail(report.pid, uuid4(), "code", "message")
    assert not leases.hand_back(report.pid, uuid4())
    assert Report.objects.values().get() == before


def test_it_finishes_with_exact_counts(report):
    token = uuid4()
    leases.claim(report.pid, token)

    assert leases.finish(report.pid, token, SUMMARY, "out", "", 1)

    report.refresh_from_db()
    assert report.plays_total == 2**70
    assert (report.state, report.output_file.name, report.stage) == ("done", "out", "")
    assert report.duration_seconds >= 0


def test_it_takes_an_abandoned_report_away(report):
    token = uuid4()
    leases.claim(report.pid, token)
    Report.objects.update(lease_expires=LONG_AGO, enqueue_count=9)

    assert leases.requeue_abandoned(report, token)

    report.refresh_from_db()
    assert (report.stage, report.lease_token, report.enqueue_count) == ("queued", None, 0)
    assert Report.objects.due().get() == report


def test_it_takes_nothing_away_that_somebody_works_on(report):
    token = uuid4()
    leases.claim(report.pid, token)

    assert not leases.requeue_abandoned(report, token)


def test_it_counts_no_attempt_that_was_handed_back(report):
    token = uuid4()
    leases.claim(report.pid, token)

    assert leases.hand_back(report.pid, token)

    report.refresh_from_db()
    assert (report.stage, report.lease_token, report.attempts) == ("queued", None, 0)
    assert (report.enqueue_count, Report.objects.due().count()) == (1, 0)


@pytest.fixture(params=[-60, 60])
def wrong_clock(request, monkeypatch):
    """The clock of this machine, a minute behind or ahead of the database's."""
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(seconds=request.param))


def test_a_worker_with_a_wrong_clock_takes_nothing_away_from_another(report, wrong_clock):
    Report.objects.update(lease_token=uuid4(), lease_expires=in_seconds(5))

    assert not leases.claim(report.pid, uuid4())
    assert not Report.objects.abandoned()


def test_a_worker_with_a_wrong_clock_has_its_lease_for_as_long_as_others(
    report, wrong_clock, settings
):
    token = uuid4()

    for change in (lambda: leases.claim(report.pid, token), lambda: renew(report, token)):
        assert change()
        left = Report.objects.get().lease_expires - database_now()
        assert timedelta(seconds=9) < left <= timedelta(seconds=settings.BMAT_LEASE_SECONDS)


def test_a_worker_with_a_wrong_clock_takes_up_what_another_has_left(report, wrong_clock):
    Report.objects.update(lease_token=uuid4(), lease_expires=in_seconds(-1))

    assert Report.objects.abandoned().get() == report
    assert leases.claim(report.pid, uuid4())


def test_a_report_of_a_web_server_with_a_wrong_clock_gets_its_messages_in_time(wrong_clock, submit):
    submit()

    wait = Report.objects.get().next_enqueue_at - database_now()
    assert timedelta(seconds=3) < wait <= timedelta(seconds=5)


def renew(report, token):
    return leases.renew(report.pid, token, None)


def database_now():
    return Report.objects.values_list(ExpressionWrapper(Now(), DateTimeField()), flat=True).get()


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, 2**63, 2**64 + 1, 10**39])
def test_it_keeps_a_plays_total_of_any_size(report, value):
    report.refresh_from_db()
    report.plays_total = value
    report.full_clean()
    report.save(update_fields=["plays_total"])

    assert Report.objects.get(pid=report.pid).plays_total == value


def test_it_names_itself_by_pid_and_status(report):
    assert str(report) == f"{report.pid} (Processing)"
