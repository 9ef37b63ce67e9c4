"""tus 1.0.0: what may be said of a new upload, and what comes with it."""

import json
from io import BytesIO

import pytest

from bmat.aggregation.options import OPTION_NAMES
from bmat.api.models import IdempotencyKey, Report, Upload
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.tus import UPLOADS, Sender, metadata, path_of

pytestmark = pytest.mark.django_db(transaction=True)

SENT = {"Upload_Length": str(len(PLAYS)), "Content_Type": "application/offset+octet-stream"}


@pytest.fixture
def tus(client):
    return Sender(client)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upload_Length": "x"},
        {"Upload_Length": "-1"},
        {"Upload_Length": "9" * 19 + "0"},
        {"Upload_Length": "1", "Upload_Defer_Length": "1"},
        {"Upload_Defer_Length": "2"},
        {"Upload_Length": "0"},
    ],
)
def test_it_has_to_be_a_length(tus, headers, left_over):
    answer = tus.send("POST", UPLOADS, **headers)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert set(answer.json()["fields"]) <= {"Upload-Length", "Upload-Defer-Length"}
    assert left_over() == []


def test_it_may_be_as_large_as_any_upload(tus, settings):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000

    assert tus.create(1000).status_code == 201
    answer = tus.create(1001)
    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_an_option_that_cannot_be_followed_is_refused_at_once(tus, name, left_over):
    wrong = {"strict": "maybe", "header_line": "0", "song_column": "-", "date_column": "-"}
    wrong |= {name: "-" for name in OPTION_NAMES if name.endswith("_column")}
    # Any other text may be the name of a sheet.
    wrong["sheet"] = "\0"

    answer = tus.create(10, **{name: wrong.get(name, "no such thing")})

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [name])
    assert left_over() == []


def test_an_option_that_nobody_knows_is_refused(tus):
    answer = tus.create(10, song_colum="Track", strict="maybe")

    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"song_colum", "strict"})


@pytest.mark.parametrize(
    "value",
    [
        "filename x",
        "filename",
        "filename " + "A" * 20_000,
        "filename YQ==,filename YQ==",
        ",",
        "näme YQ==",
        "filename /w==",
        "filename YQ==, ,report bm8=",
    ],
)
def test_metadata_is_pairs_of_keys_and_base64(tus, value):
    answer = tus.send("POST", UPLOADS, Upload_Length="10", Upload_Metadata=value)

    expected = 201 if value == "filename" else 400
    assert answer.status_code == expected
    assert expected == 201 or list(answer.json()["fields"]) == ["Upload-Metadata"]


@pytest.mark.parametrize(
    "name, kept",
    [
        ("plays.csv", "plays.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\a\\b.csv", "b.csv"),
        ("a\x1b[31m.csv", "a[31m.csv"),
        ("..", "upload"),
        ("", "upload"),
        ("x" * 300, "x" * 255),
    ],
)
def test_a_name_is_the_last_part_of_a_path(tus, name, kept):
    tus.created(10, filename=name)

    assert Upload.objects.get().input_name == kept


def test_it_may_bring_its_first_bytes(tus):
    answer = tus.send("POST", UPLOADS, PLAYS[:20], **SENT)

    assert (answer.status_code, answer["Upload-Offset"]) == (201, "20")
    assert tus.patch(path_of(answer), 20, PLAYS[20:])["Bmat-Report"]


def test_it_may_bring_all_its_bytes(tus, left_over):
    answer = tus.send("POST", UPLOADS, PLAYS, **SENT)

    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(PLAYS)))
    assert answer["Bmat-Report"] == str(Report.objects.get().pid)
    assert len(left_over()) == 2


def test_nothing_is_left_of_it_where_its_first_bytes_are_wrong(tus, left_over):
    answer = tus.send("POST", UPLOADS, PLAYS, **{**SENT, "Upload_Length": "5"})

    assert (answer.status_code, left_over()) == (413, [])
    assert Upload.objects.get().removed is not None


def test_its_length_may_come_later(tus):
    url = path_of(tus.send("POST", UPLOADS, Upload_Defer_Length="1"))
    tus.patch(url, 0, PLAYS[:20])
    before = tus.head(url)

    after = tus.patch(url, 20, PLAYS[20:], Upload_Length=str(len(PLAYS)))

    assert (before["Upload-Defer-Length"], "Upload-Length" in before) == ("1", False)
    assert (after.status_code, after["Upload-Offset"]) == (204, str(len(PLAYS)))
    assert tus.head(url)["Upload-Length"] == str(len(PLAYS))
    assert Report.objects.get().input_bytes == len(PLAYS)


def test_its_end_may_be_said_last(tus):
    url = path_of(tus.send("POST", UPLOADS, Upload_Defer_Length="1"))
    tus.patch(url, 0, PLAYS)

    assert tus.patch(url, len(PLAYS), b"", Upload_Length=str(len(PLAYS)))["Bmat-Report"]


@pytest.mark.parametrize("length", ["5", "21"])
def test_its_length_never_changes(tus, length):
    url = tus.created(20)
    tus.patch(url, 0, b"x" * 10)

    answer = tus.patch(url, 10, b"", Upload_Length=length)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Upload-Length"])


def test_a_length_that_comes_later_is_limited_too(tus, settings):
    settings.BMAT_MAX_UPLOAD_BYTES = 1000
    url = path_of(tus.send("POST", UPLOADS, Upload_Defer_Length="1"))

    assert tus.patch(url, 0, b"x" * 1001).status_code == 413
    assert tus.patch(url, 0, b"x", Upload_Length="1001").status_code == 413
    assert tus.patch(url, 0, b"x" * 10).status_code == 204
    assert tus.patch(url, 10, b"x", Upload_Length="9").status_code == 400


def test_a_key_creates_one_upload(tus):
    first = tus.send("POST", UPLOADS, PLAYS[:20], **SENT, Idempotency_Key="a")
    again = tus.send("POST", UPLOADS, PLAYS[:20], **SENT, Idempotency_Key="a")

    assert again["Location"] == first["Location"]
    assert (again["Idempotent-Replayed"], again["Upload-Offset"]) == ("true", "20")
    assert Upload.objects.count() == 1


def test_a_key_stands_for_one_thing(tus, client):
    tus.send("POST", UPLOADS, Upload_Length="10", Idempotency_Key="a")

    other = tus.send("POST", UPLOADS, Upload_Length="11", Idempotency_Key="a")
    Upload.objects.all().delete()
    gone = tus.send("POST", UPLOADS, Upload_Length="10", Idempotency_Key="a")

    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert (gone.status_code, gone.json()["code"]) == (409, "idempotency_key_outlived")


def test_a_key_that_another_request_has_used_this_moment_is_its(tus, monkeypatch, left_over):
    first = tus.send("POST", UPLOADS, Upload_Length="10", Idempotency_Key="a")
    known, calls = IdempotencyKey.objects.known, []

    def late(owner, key):
        calls.append(key)
        return known(owner, key) if len(calls) > 1 else None

    monkeypatch.setattr(IdempotencyKey.objects, "known", late)
    again = tus.send("POST", UPLOADS, Upload_Length="10", Idempotency_Key="a")

    assert (again["Location"], len(calls)) == (first["Location"], 2)
    assert len(left_over()) == 1


def test_an_upload_with_a_key_goes_on_where_its_first_bytes_broke_off(tus):
    def send():
        headers = {**SENT, "Content_Length": str(len(PLAYS)), "Idempotency_Key": "a"}
        return tus.send("POST", UPLOADS, BytesIO(PLAYS[:20]), **headers)

    answers = [send(), send()]

    assert [answer.status_code for answer in answers] == [400, 201]
    assert answers[1]["Upload-Offset"] == "20"


def test_it_says_a_bad_key_is_bad(tus):
    answer = tus.send("POST", UPLOADS, Upload_Length="10", Idempotency_Key="")

    assert json.loads(answer.content)["fields"].keys() == {"Idempotency-Key"}


def test_metadata_may_be_nothing(tus):
    url = path_of(tus.send("POST", UPLOADS, Upload_Length="10", Upload_Metadata=""))

    assert "Upload-Metadata" not in tus.head(url)
    assert metadata(relativePath="a/b", type="text/csv") != ""
