"""Files that belong to nothing: `manage.py sweep_files`."""

import os
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import call_command
from knox.models import AuthToken

from bmat.aggregation.graph import build
from bmat.api.models import IdempotencyKey, Report
from bmat.api.services import files, sweep
from bmat.api.services.process import process_report
from bmat.api.services.sweep import sweep_files
from bmat.api.tests.people import person, token_of

pytestmark = pytest.mark.django_db(transaction=True)

DAYS_AGO = 1_000_000_000


@pytest.fixture
def upload(home):
    """What the web server leaves that is killed in the middle of an upload."""
    file = home / "uploads" / "tmp1234.upload"
    file.write_text("Song,Da")
    return file


@pytest.fixture
def orphan(home):
    """What the web server leaves that is killed between file and row."""
    folder = home / "reports" / str(uuid4())
    folder.mkdir()
    (folder / "input.csv").write_text("Song,Date")
    return folder


@pytest.fixture
def done(submit):
    report = submit()
    process_report(report.pid, uuid4())
    return Report.objects.get()


def age(*paths):
    for path in paths:
        os.utime(path, (DAYS_AGO, DAYS_AGO))


def age_all(home):
    age(*home.rglob("*"))


def test_it_removes_an_upload_that_broke_off(upload):
    age(upload)

    assert sweep_files().uploads == 1
    assert not upload.exists()


def test_it_keeps_an_upload_that_may_be_under_way(upload):
    assert sweep_files().uploads == 0
    assert upload.exists()


def test_it_removes_a_folder_without_a_report(orphan):
    age(orphan)

    assert sweep_files().folders == 1
    assert not orphan.exists()


def test_it_keeps_a_folder_whose_report_may_be_on_its_way(orphan):
    assert sweep_files().folders == 0
    assert orphan.exists()


def test_it_keeps_everything_of_a_report(done, home, left_over):
    age_all(home)
    before = left_over()

    assert sweep_files() == sweep.Swept(0, 0, 0)
    assert left_over() == before


def test_it_keeps_the_folder_of_a_running_attempt(submit, home):
    report, token = submit(), uuid4()
    Report.objects.claim(report.pid, token)
    folder = files.start_attempt(report.pid, token)
    age_all(home)

    assert sweep_files().folders == 0
    assert folder.exists()


def test_it_keeps_what_an_attempt_writes_that_takes_longer_than_anything_is_kept(
    submit, home, monkeypatch
):
    def sweep_first(job):
        assert job.output.exists()
        age_all(home)
        sweep_files()
        return build(job)

    report = submit()
    monkeypatch.setattr("bmat.aggregation.engine.build", sweep_first)
    process_report(report.pid, uuid4())

    report.refresh_from_db()
    assert (report.status, report.error_code) == (Report.Status.DONE, "")


def test_it_removes_the_folder_of_an_attempt_that_does_not_count(done, home):
    stale = files.start_attempt(done.pid, uuid4())
    (stale / "output.csv").write_text("half wri")
    age_all(home)

    assert sweep_files().folders == 1
    assert not stale.exists()
    assert files.path(done.output_file.name).exists()


def test_it_keeps_the_folder_of_an_attempt_that_has_just_begun(done, home):
    young = files.start_attempt(done.pid, uuid4())
    age(files.report_folder(done.pid))

    assert sweep_files().folders == 0
    assert young.exists()


def test_it_removes_the_folder_of_an_expired_report_after_a_crash(done, home):
    Report.objects.update(expired="2020-01-01T00:00:00Z")
    age_all(home)

    assert sweep_files().folders == 1
    assert not files.report_folder(done.pid).exists()


def test_it_removes_what_a_dead_worker_left_of_a_format(done, home, left_over):
    before = left_over()
    part = files.part_of(files.path(files.beside(done.output_file.name, files.JSON_LINES)))
    part.write_text("half wri")
    age_all(home)

    sweep_files()

    assert left_over() == before


def test_it_keeps_what_a_worker_is_writing(done, home):
    part = files.part_of(files.path(files.beside(done.output_file.name, files.JSON_LINES)))
    part.touch()
    age(files.report_folder(done.pid), part.parent)

    sweep_files()

    assert part.exists()


@pytest.mark.parametrize("name", ["lost+found", "NOTES", str(uuid4()).upper()])
def test_it_leaves_alone_what_is_not_its_own(home, name):
    (home / "reports" / name).mkdir()
    age_all(home)

    assert sweep_files().folders == 0
    assert (home / "reports" / name).exists()


def test_it_minds_nothing_that_goes_away_meanwhile(orphan, home):
    assert list(sweep.entries(orphan / "gone")) == []
    assert not sweep.is_old(orphan / "gone")


def test_it_looks_at_all_folders_a_limited_number_at_once(home, monkeypatch):
    monkeypatch.setattr(sweep, "REPORTS_AT_ONCE", 2)
    for _ in range(5):
        (home / "reports" / str(uuid4())).mkdir()
    age_all(home)

    assert sweep_files().folders == 5


def test_it_forgets_idempotency_keys_that_have_expired(submit):
    for key in ("old", "new"):
        IdempotencyKey.objects.take(None, key, "fingerprint", submit().pid)
    IdempotencyKey.objects.filter(key="old").update(created="2020-01-01T00:00:00Z")

    sweep_files()

    assert [each.key for each in IdempotencyKey.objects.all()] == ["new"]


def test_it_can_be_called_by_hand(upload, orphan, home):
    age_all(home)
    out = StringIO()

    call_command("sweep_files", stdout=out)

    assert out.getvalue() == "0 reports expired, 1 folders and 1 uploads removed\n"


def test_it_removes_tokens_that_have_expired(db):
    token_of(person("alice"), valid_days=-1)
    valid, _ = AuthToken.objects.create(person("alice"))

    sweep_files()

    assert list(AuthToken.objects.all()) == [valid]
