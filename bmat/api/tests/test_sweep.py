"""Files that belong to nothing: `manage.py sweep_files`."""

import os
import time
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from knox.models import AuthToken

from bmat.aggregation.graph import build
from bmat.api.models import IdempotencyKey, Report
from bmat.api.services import files, installation, leases, sweep
from bmat.api.services.process import process_report
from bmat.api.services.sweep import sweep_files
from bmat.api.tests.people import person, token_of

pytestmark = pytest.mark.django_db(transaction=True)

DAYS_AGO = 1_000_000_000


@pytest.fixture(autouse=True)
def ours(transactional_db, home):
    """The home belongs to the database, whatever will lie in it."""
    assert installation.objection() == ""


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
    leases.claim(report.pid, token)
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
    monkeypatch.setattr("bmat.aggregation.run.build", sweep_first)
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

    assert [path for path in left_over() if not path.startswith("trash")] == before


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


def test_it_keeps_what_it_sweeps_in_the_trash(upload, orphan, home):
    age_all(home)

    sweep_files()

    [kept] = (home / "trash").iterdir()
    assert (kept / "reports" / orphan.name / "input.csv").read_text() == "Song,Date"
    assert (kept / "uploads" / upload.name).read_text() == "Song,Da"


def many(home, count):
    """Folders without a report."""
    for _ in range(count):
        (home / "reports" / str(uuid4())).mkdir()


def test_of_a_small_home_it_sweeps_all(home):
    many(home, sweep.ALWAYS)
    age_all(home)

    assert sweep_files() == sweep.Swept(0, sweep.ALWAYS, 0)


def test_it_sweeps_a_fifth_of_a_large_home(home):
    many(home, 12)
    age_all(home)
    many(home, 48)

    assert sweep_files().folders == 12


def test_it_does_not_sweep_more_than_a_fifth_and_says_what_to_do(home, left_over):
    many(home, 12)
    age_all(home)
    many(home, 47)
    before = left_over()

    swept = sweep_files()

    assert swept.folders == 0
    assert swept.refused == (
        f"12 of 59 files and folders in {home} belong to no report, more than a fifth. Is this the "
        "right database? Where it is, run: python manage.py sweep_files --all"
    )
    assert left_over() == before


def test_whoever_has_looked_has_all_swept(home):
    many(home, 12)
    age_all(home)
    out = StringIO()

    with pytest.raises(CommandError, match="^12 of 12 files and folders in .* --all$"):
        call_command("sweep_files", stdout=out)
    call_command("sweep_files", "--all", stdout=out)

    assert out.getvalue().splitlines() == [
        "0 reports expired, 0 folders and 0 uploads moved into the trash",
        "0 reports expired, 12 folders and 0 uploads moved into the trash",
    ]


def test_it_leaves_alone_what_a_worker_takes_up_again_meanwhile(done, home, monkeypatch):
    part = files.part_of(files.path(files.beside(done.output_file.name, files.JSON_LINES)))
    part.write_text("half wri")
    age_all(home)
    find = sweep.find_useless

    def found_and_taken_up():
        found = find()
        part.touch()
        return found

    monkeypatch.setattr(sweep, "find_useless", found_and_taken_up)

    sweep_files()

    assert part.exists()


def test_it_sweeps_what_is_as_old_as_the_settings_say(orphan, settings):
    os.utime(orphan, (time.time() - 5000, time.time() - 5000))

    settings.BMAT_SWEEP_AGE_SECONDS = 5500
    assert sweep_files().folders == 0
    settings.BMAT_SWEEP_AGE_SECONDS = 4500
    assert sweep_files().folders == 1


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

    assert out.getvalue() == "0 reports expired, 1 folders and 1 uploads moved into the trash\n"


def test_it_removes_tokens_that_have_expired(db):
    token_of(person("alice"), valid_days=-1)
    valid, _ = AuthToken.objects.create(person("alice"))

    sweep_files()

    assert list(AuthToken.objects.all()) == [valid]
