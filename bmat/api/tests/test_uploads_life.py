"""How uploads end: by their owner, by time, or as a report, whatever dies meanwhile."""

import os
import shutil
from datetime import timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import OperationalError
from django.db.models.functions import Now
from django.utils import timezone

from bmat.api.models import Report, Upload
from bmat.api.models.uploads import UploadQuerySet
from bmat.api.services import installation, quotas
from bmat.api.services.reconcile import reconcile_reports
from bmat.api.services.reports import delete_report
from bmat.api.services.sweep import sweep_files
from bmat.api.services.uploads import appending, ending, pieces
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.people import person, token_of
from bmat.api.tests.tus import UPLOADS, Sender, path_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def ours(transactional_db, home):
    assert installation.objection() == ""


@pytest.fixture
def tus(client):
    return Sender(client)


@pytest.fixture
def killed(monkeypatch):
    """The server ends between the last byte of an upload and its report."""
    with monkeypatch.context() as until:
        until.setattr(ending, "finished", lambda upload: upload)
        yield until.undo


def id_of(url):
    return Upload.objects.get(pk=url.rsplit("/", 1)[1]).pk


def in_uploads(home):
    return sorted(os.listdir(home / "uploads"))


def let_expire(url):
    Upload.objects.filter(pk=id_of(url)).update(expires=Now() - timedelta(seconds=1))


def tus_record(url):
    """Bytes have come."""
    pieces.record(Upload.objects.get(pk=id_of(url)), 5)


def test_its_owner_removes_it(tus, home):
    url = tus.created(10)

    answer = tus.send("DELETE", url)

    assert (answer.status_code, answer.content) == (204, b"")
    assert in_uploads(home) == []
    for method in ("HEAD", "PATCH", "DELETE"):
        again = tus.send(method, url, Upload_Offset="0")
        assert again.status_code == 410


def test_a_report_stays_whose_upload_is_removed(tus):
    url = tus.whole(PLAYS)

    assert tus.send("DELETE", url).status_code == 204
    assert Report.objects.count() == 1


def test_an_upload_goes_with_its_report(tus):
    url = tus.whole(PLAYS)
    delete_report(Report.objects.get().pid)

    assert tus.head(url).status_code == 404


def test_each_byte_gives_it_more_time(tus, settings):
    settings.BMAT_UPLOAD_EXPIRY_SECONDS = 60
    url = tus.created(10)
    first = parsedate_to_datetime(tus.head(url)["Upload-Expires"])
    settings.BMAT_UPLOAD_EXPIRY_SECONDS = 3600

    later = parsedate_to_datetime(tus.patch(url, 0, b"x")["Upload-Expires"])

    assert abs((first - timezone.now()).total_seconds() - 60) < 10
    assert later - first > timedelta(minutes=50)


def test_one_that_brings_nothing_has_its_room_for_an_hour(tus):
    url = tus.created(10)

    empty = parsedate_to_datetime(tus.head(url)["Upload-Expires"])
    begun = parsedate_to_datetime(tus.patch(url, 0, b"x")["Upload-Expires"])

    assert abs((empty - timezone.now()).total_seconds() - 3600) < 10
    assert begun - empty > timedelta(hours=22)


def test_it_is_gone_when_its_time_is_over(tus):
    url = tus.created(10)
    let_expire(url)

    assert tus.head(url).status_code == tus.patch(url, 0, b"x").status_code == 410


def test_the_sweep_moves_it_into_the_trash(tus, home):
    url, other = tus.created(10), tus.created(10)
    name = str(id_of(url))
    let_expire(url)

    assert sweep_files().uploads == 1

    assert in_uploads(home) == [str(id_of(other))]
    assert len(list(home.glob(f"trash/*/uploads/{name}"))) == 1
    assert tus.head(url).status_code == 410


def test_the_sweep_leaves_the_uploads_of_another_database_alone(tus, home):
    url = tus.created(10)
    let_expire(url)
    (home / installation.FILE_NAME).write_text(str(uuid4()))

    assert sweep_files().refused
    assert in_uploads(home) == [str(id_of(url))]


def test_the_sweep_leaves_an_upload_alone_that_pauses_for_long(tus, home):
    url = tus.created(10)
    os.utime(appending.path_of(id_of(url)), (0, 0))

    assert sweep_files().uploads == 0
    assert tus.patch(url, 0, b"x").status_code == 204


def test_the_sweep_removes_what_belongs_to_no_upload(tus, home):
    for name in (str(uuid4()), f"{uuid4()}.wanted"):
        (home / "uploads" / name).touch()
        os.utime(home / "uploads" / name, (0, 0))

    assert sweep_files().uploads == 2


def test_an_upload_whose_bytes_come_this_moment_does_not_expire(tus, monkeypatch):
    url = tus.created(10)
    let_expire(url)
    values_list = UploadQuerySet.values_list

    def late(self, *columns, **kwargs):
        found = list(values_list(self, *columns, **kwargs))
        tus_record(url)
        return found

    monkeypatch.setattr(UploadQuerySet, "values_list", late)

    assert ending.expire() == []
    assert tus.head(url).status_code == 200


def test_what_was_removed_is_forgotten_one_day(tus):
    url = tus.created(10)
    tus.send("DELETE", url)
    Upload.objects.update(removed=Now() - timedelta(days=8))

    sweep_files()

    assert tus.head(url).status_code == 404


def test_the_next_head_makes_the_report_of_a_server_that_died(tus, killed):
    url = tus.whole(PLAYS)
    assert Report.objects.count() == 0
    killed()

    assert tus.head(url)["Bmat-Report"] == str(Report.objects.get().pid)


def test_the_next_patch_makes_it_too(tus, killed):
    url = tus.whole(PLAYS)
    killed()

    assert tus.patch(url, len(PLAYS), b"")["Bmat-Report"] == str(Report.objects.get().pid)


def test_the_reconciler_makes_it_where_no_client_comes_again(tus, killed, enqueued):
    url = tus.whole(PLAYS)
    let_expire(url)
    killed()

    reconcile_reports()
    reconcile_reports()

    assert enqueued() == [str(Report.objects.get().pid)]
    assert tus.head(url)["Bmat-Report"]


def test_the_reconciler_leaves_alone_what_a_web_process_has(tus, killed):
    url = tus.whole(PLAYS)
    killed()

    with appending.locked(id_of(url)):
        ending.finish_all()

    assert Report.objects.count() == 0


def test_an_upload_becomes_one_report_however_many_make_it(tus, killed, left_over):
    url = tus.whole(PLAYS)
    killed()
    upload = Upload.objects.get()

    made = [ending.finished(upload) for _ in range(2)]

    assert made[0].report_id == made[1].report_id == Report.objects.get().pid
    assert len(left_over()) == 2
    assert tus.head(url)["Bmat-Report"] == str(made[0].report_id)


def test_a_whole_upload_whose_file_is_lost_is_gone(tus, killed, caplog):
    url = tus.whole(PLAYS)
    appending.path_of(id_of(url)).unlink()
    killed()

    ending.finish_all()

    assert tus.head(url).status_code == 410
    assert "its file is not there any more" in caplog.text


def test_an_upload_whose_file_is_lost_takes_no_bytes(tus):
    url = tus.created(10)
    appending.path_of(id_of(url)).unlink()

    assert tus.head(url).status_code == 200
    assert tus.patch(url, 0, b"x").status_code == 410
    assert tus.head(url).status_code == 410


def test_options_that_nobody_knows_any_more_hold_up_no_others(tus, killed, caplog):
    urls = [tus.whole(PLAYS), tus.whole(PLAYS)]
    Upload.objects.filter(pk=id_of(urls[1])).update(options={"preset": "of yesterday"})
    killed()

    ending.finish_all()

    assert Report.objects.count() == 1
    assert "no report can be made of it" in caplog.text


def test_an_upload_counts_as_the_report_that_it_will_be(client, settings):
    settings.BMAT_MAX_RUNNING_REPORTS = 1
    tus = Sender(client, token_of(person("alice")))
    url = tus.created(len(PLAYS))

    refused = tus.create(10)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_reports")
    assert refused["RateLimit"].startswith('"running-reports"')
    assert tus.create(10, report="no").status_code == 201
    assert tus.patch(url, 0, PLAYS)["Bmat-Report"]
    assert tus.create(10).status_code == 429


def test_a_report_waits_where_the_limit_has_become_smaller(client, settings, submit):
    tus = Sender(client, token_of(person("alice")))
    url = tus.created(len(PLAYS))
    submit(owner=person("alice"))
    settings.BMAT_MAX_RUNNING_REPORTS = 1

    answer = tus.patch(url, 0, PLAYS)

    assert (answer.status_code, "Bmat-Report" in answer) == (204, False)
    settings.BMAT_MAX_RUNNING_REPORTS = 2
    assert tus.head(url)["Bmat-Report"]


def test_an_upload_counts_by_its_announced_length(client, settings):
    settings.BMAT_MAX_STORED_BYTES = 1000
    tus = Sender(client, token_of(person("alice")))
    url = tus.created(600)

    refused = tus.create(500)
    other = Sender(client, token_of(person("bob"))).create(500)
    tus.send("DELETE", url)

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_bytes")
    assert other.status_code == tus.create(1000).status_code == 201


def test_a_limit_that_is_passed_by_two_at_once_leaves_nothing(client, settings, monkeypatch, home):
    settings.BMAT_MAX_STORED_BYTES = 1000
    tus, calls = Sender(client, token_of(person("alice"))), []
    check = quotas.check

    def look(owner, more_reports=0, more_bytes=0):
        calls.append(more_bytes)
        # The first look, before anything is done, does not see what comes at the same moment.
        check(owner, more_reports, more_bytes if len(calls) > 1 else 0)

    monkeypatch.setattr(quotas, "check", look)

    assert tus.create(1001).status_code == 429
    assert calls == [1001, 0]
    assert (in_uploads(home), Upload.objects.count()) == ([], 0)


def test_a_file_stays_whose_row_may_have_been_committed(tus, monkeypatch, home):
    def away(*_, **__):
        raise OperationalError("the connection broke")

    monkeypatch.setattr(UploadQuerySet, "create", away)

    assert tus.create(10).json()["code"] == "unavailable"
    assert len(in_uploads(home)) == 1


def test_a_length_that_comes_later_counts_too(client, settings):
    settings.BMAT_MAX_STORED_BYTES = 1000
    tus = Sender(client, token_of(person("alice")))
    url = path_of(tus.send("POST", UPLOADS, Upload_Defer_Length="1"))

    assert tus.patch(url, 0, b"x", Upload_Length="1001").status_code == 429
    assert tus.patch(url, 0, b"x", Upload_Length="1000").status_code == 204


def test_its_room_is_reserved_from_the_first_moment(tus, settings):
    free = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    settings.BMAT_MIN_FREE_BYTES = free - 4 * 2**30

    assert tus.create(2**30).status_code == 201
    refused = tus.create(2**30)

    assert (refused.status_code, refused.json()["code"]) == (507, "disk_full")
    assert tus.create(2**20).status_code == 201


def test_a_length_that_comes_later_needs_room(tus, settings):
    url = path_of(tus.send("POST", UPLOADS, Upload_Defer_Length="1"))
    free = shutil.disk_usage(settings.FILE_UPLOAD_TEMP_DIR).free
    settings.BMAT_MIN_FREE_BYTES = free - 2**30

    assert tus.patch(url, 0, b"x", Upload_Length=str(2**30)).status_code == 507


def test_room_that_the_system_does_not_give_is_none(tus, monkeypatch, home):
    def too_large(*_):
        raise OSError(27, "File too large")

    monkeypatch.setattr(os, "truncate", too_large)

    assert tus.create(10).status_code == 507
    assert in_uploads(home) == []


def test_it_is_there_for_its_owner_alone(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    alice, bob, root = (Sender(client, token_of(person(name))) for name in ("alice", "bob", "root"))
    url = alice.created(len(PLAYS))

    assert Sender(client).head(url).status_code == 401
    assert bob.head(url).status_code == bob.patch(url, 0, PLAYS).status_code == 404
    assert bob.send("DELETE", url).status_code == 404
    assert root.head(url).status_code == alice.head(url).status_code == 200
    assert alice.patch(url, 0, PLAYS).status_code == 204
    assert Report.objects.get().owner == person("alice")


def test_who_is_not_let_in_sends_no_byte(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    body = BytesIO(b"x" * 100_000)

    answer = Sender(client).send(
        "POST", UPLOADS, body, Content_Length="100000", Upload_Length="100000"
    )

    assert (answer.status_code, body.tell()) == (401, 0)
