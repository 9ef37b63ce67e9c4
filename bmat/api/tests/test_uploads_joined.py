"""Several uploads become one: by concatenation, or as the inputs of one report."""

from pathlib import Path
from uuid import uuid4

import pytest

from bmat.api.models import Report, Upload
from bmat.api.services.process import process_report
from bmat.api.services.reports import Submission, UploadsUsed, submit_report
from bmat.api.services.uploads import creation, ending
from bmat.api.tests.fixtures import PLAYS, TOTALS
from bmat.api.tests.people import person, token_of
from bmat.api.tests.results import body
from bmat.api.tests.tus import UPLOADS, Sender, metadata, path_of

pytestmark = pytest.mark.django_db(transaction=True)

HEADER, ROWS = PLAYS[:26], PLAYS[26:]
REPORTS = "/api/reports/"


@pytest.fixture
def tus(client):
    return Sender(client)


def id_of(url):
    return url.rsplit("/", 1)[1]


def partial(tus, content):
    """The path of a whole upload that is there to be joined."""
    answer = tus.send(
        "POST", UPLOADS, content, Upload_Length=str(len(content)), Upload_Concat="partial"
    )
    assert answer.status_code == 201
    return path_of(answer)


def join(tus, *urls, **headers):
    return tus.send("POST", UPLOADS, Upload_Concat=f"final;{' '.join(urls)}", **headers)


def test_a_final_upload_has_the_bytes_of_the_others(tus):
    # In the middle of a record, as a client cuts that sends in parallel.
    parts = [partial(tus, PLAYS[:40]), partial(tus, PLAYS[40:])]

    answer = join(tus, *parts, Upload_Metadata=metadata(filename="plays.csv"))

    report = Report.objects.get()
    assert (answer.status_code, answer["Bmat-Report"]) == (201, str(report.pid))
    assert answer["Upload-Offset"] == str(len(PLAYS))
    assert Path(report.input_file.path).read_bytes() == PLAYS
    assert report.input_name == "plays.csv"


def test_head_says_what_was_joined(tus):
    parts = [partial(tus, PLAYS[:40]), f"http://testserver{partial(tus, PLAYS[40:])}/"]
    url = path_of(join(tus, *parts))

    final, part = tus.head(url), tus.head(parts[0])

    assert (final["Upload-Concat"], part["Upload-Concat"]) == (
        f"final;{' '.join(parts)}",
        "partial",
    )
    assert final["Upload-Length"] == final["Upload-Offset"] == str(len(PLAYS))


def test_a_part_may_be_used_again_for_a_while(tus):
    part = partial(tus, PLAYS)
    before = Upload.objects.get().expires

    assert len({join(tus, part)["Bmat-Report"] for _ in range(2)}) == 2
    assert Upload.objects.get(pk=id_of(part)).expires < before


def test_a_final_upload_may_be_no_report(tus):
    url = path_of(join(tus, partial(tus, PLAYS), Upload_Metadata=metadata(report="no")))

    assert "Bmat-Report" not in tus.head(url)
    assert Report.objects.count() == 0


def test_nothing_is_added_to_a_final_upload(tus):
    url = path_of(join(tus, partial(tus, PLAYS)))

    answer = tus.patch(url, len(PLAYS), b"x")

    assert (answer.status_code, answer.json()["code"]) == (403, "final_upload")


def test_parts_are_joined_that_are_whole_and_there_to_be_joined(tus, left_over):
    unfinished = path_of(tus.send("POST", UPLOADS, Upload_Length="9", Upload_Concat="partial"))
    other = tus.whole(PLAYS, report="no")
    removed = partial(tus, PLAYS)
    tus.send("DELETE", removed)
    before = left_over()

    for part in (unfinished, other, removed, f"{UPLOADS}{uuid4()}"):
        answer = join(tus, partial(tus, PLAYS), part)
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Upload-Concat"])
    assert len(left_over()) == len(before) + 4


@pytest.mark.parametrize(
    "value",
    [
        "final",
        "final;",
        "parts",
        f"final;/api/reports/{uuid4()}",
        "final;/api/uploads/x",
        "final;http://[/",
        "final;" + " ".join(["/api/uploads/x"] * 1001),
    ],
)
def test_it_knows_no_other_way_to_join(tus, value):
    answer = tus.send("POST", UPLOADS, Upload_Concat=value)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Upload-Concat"])


def test_one_part_is_not_joined_with_itself(tus, left_over):
    part = partial(tus, PLAYS)

    answer = join(tus, part, f"{part}/")

    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Upload-Concat"])
    assert len(left_over()) == 1


def test_what_is_joined_brings_no_bytes_and_no_length(tus):
    part = partial(tus, PLAYS)

    for answer in (
        join(tus, part, Upload_Length="10"),
        tus.send("POST", UPLOADS, b"x", Upload_Concat=f"final;{part}"),
    ):
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Upload-Concat"])


def test_what_is_joined_may_be_as_large_as_any_upload(tus, settings):
    parts = [partial(tus, PLAYS), partial(tus, PLAYS)]
    settings.BMAT_MAX_UPLOAD_BYTES = len(PLAYS) + 1

    assert join(tus, *parts).status_code == 413


def test_a_part_that_goes_this_moment_is_missed(tus, monkeypatch, left_over):
    part = partial(tus, PLAYS)
    length_of_parts = creation.length_of_parts

    def late(*arguments):
        length = length_of_parts(*arguments)
        tus.send("DELETE", part)
        return length

    monkeypatch.setattr(creation, "length_of_parts", late)

    assert join(tus, part).status_code == 400
    assert left_over() == []


def test_parts_of_others_are_not_there(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    part = partial(Sender(client, token_of(person("alice"))), PLAYS)

    assert join(Sender(client, token_of(person("bob"))), part).status_code == 400
    assert join(Sender(client, token_of(person("alice"))), part).status_code == 201


@pytest.mark.parametrize("option", ["group_by", "strict"])
def test_options_of_a_report_are_for_what_becomes_one(tus, option):
    values = {"group_by": "song", "strict": "yes"}
    told = {option: values[option]}

    alone = tus.create(10, report="no", **told)
    to_be_joined = tus.send(
        "POST",
        UPLOADS,
        Upload_Length="10",
        Upload_Concat="partial",
        Upload_Metadata=metadata(**told),
    )

    for answer in (alone, to_be_joined):
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [option])


def test_several_uploads_become_one_report(tus, client, left_over):
    urls = [
        tus.whole(HEADER + ROWS[:24], filename="a.csv", report="no"),
        tus.whole(HEADER + ROWS[24:], filename="b.csv", report="no"),
    ]

    answer = client.post(REPORTS, {"upload": [id_of(url) for url in urls]})

    assert answer.status_code == 201
    pid = answer.json()["pid"]
    assert [each["name"] for each in answer.json()["inputs"]] == ["a.csv", "b.csv"]
    assert {tus.head(url)["Bmat-Report"] for url in urls} == {pid}
    process_report(Report.objects.get().pid, uuid4())
    assert body(client.get(f"{REPORTS}{pid}/output")) == TOTALS
    assert [path for path in left_over() if path.startswith("uploads/")] == []


def test_a_report_may_be_made_of_many_uploads(tus, client):
    urls = [tus.whole(PLAYS, report="no") for _ in range(60)]

    answer = client.post(REPORTS, {"upload": [id_of(url) for url in urls]})

    assert answer.status_code == 201
    assert len(answer.json()["inputs"]) == 60


def test_uploads_come_behind_the_files_of_the_form(tus, client):
    url = tus.whole(PLAYS, filename="b.csv", report="no")
    with open(__file__, "rb") as file:
        answer = client.post(REPORTS, {"input_file": file, "upload": id_of(url)})

    names = [each["name"] for each in answer.json()["inputs"]]
    assert names == [Path(__file__).name, "b.csv"]


def test_each_upload_is_read_with_its_own_options(tus, client):
    other = tus.whole(
        b"Track;Date;Number of Plays\nUmbrella;2020-01-02;5\n",
        filename="a.csv",
        report="no",
        song_column="Track",
        delimiter=";",
    )
    plain = tus.whole(PLAYS, filename="b.csv", report="no", delimiter=";")

    client.post(REPORTS, {"upload": [id_of(other), id_of(plain)], "delimiter": ","})

    inputs = Report.objects.get().inputs
    assert [each["options"] for each in inputs] == [{"song_column": "Track"}, {}]


def test_options_that_do_not_go_together_are_refused(tus, client):
    url = tus.whole(PLAYS, report="no", song_column="Track")

    answer = client.post(REPORTS, {"upload": id_of(url), "date_column": "Track"})

    assert (answer.status_code, "date_column" in str(answer.json()["fields"])) == (400, True)
    assert tus.head(url).status_code == 200


def test_an_upload_is_of_one_report(tus, client, left_over):
    url = tus.whole(PLAYS, report="no")
    client.post(REPORTS, {"upload": id_of(url)})
    before = left_over()

    again = client.post(REPORTS, {"upload": id_of(url)})

    assert (again.status_code, again.json()["code"]) == (409, "upload_used")
    assert left_over() == before


def test_a_key_repeats_a_report_of_uploads(tus, client):
    url = tus.whole(PLAYS, report="no")

    answers = [
        client.post(REPORTS, {"upload": id_of(url)}, headers={"Idempotency-Key": "a"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[1]["Idempotent-Replayed"] == "true"
    assert answers[0].json()["pid"] == answers[1].json()["pid"]


def test_uploads_have_to_be_there_whole_and_once(tus, client):
    coming, whole = tus.created(10, report="no"), tus.whole(PLAYS, report="no")
    gone, missing = tus.whole(PLAYS, report="no"), str(uuid4())
    tus.send("DELETE", gone)

    for wrong, said in [
        ([id_of(coming)], "has 0 bytes, and is not whole"),
        ([id_of(whole)] * 2, "comes twice"),
        ([id_of(gone)], "no such upload"),
        ([missing], "no such upload"),
        (["x", id_of(whole)], "valid UUID"),
    ]:
        answer = client.post(REPORTS, {"upload": wrong})
        assert answer.status_code == 400
        assert said in answer.json()["fields"]["upload"][0]
    assert Report.objects.count() == 0


def test_a_report_is_made_of_something(client):
    answer = client.post(REPORTS, {"strict": "yes"})

    assert answer.json()["fields"] == {"input_file": ["No file was submitted."]}


def test_a_report_has_a_limit_of_inputs(tus, client, settings):
    settings.BMAT_MAX_INPUTS = 1
    urls = [tus.whole(PLAYS, report="no") for _ in range(2)]

    answer = client.post(REPORTS, {"upload": [id_of(url) for url in urls]})

    assert "more than the 1 inputs" in answer.json()["fields"]["input_file"][0]


def test_uploads_of_others_are_not_there(client, settings):
    settings.BMAT_REQUIRE_AUTH = True
    url = Sender(client, token_of(person("alice"))).whole(PLAYS, report="no")

    answer = client.post(REPORTS, {"upload": id_of(url)}, headers=token_of(person("bob")))

    assert "no such upload" in answer.json()["fields"]["upload"][0]


def test_an_upload_that_is_used_this_moment_makes_no_second_report(tus, home):
    upload = Upload.objects.get(pk=id_of(tus.whole(PLAYS, report="no")))
    Upload.objects.update(report=None, removed=upload.created)

    with pytest.raises(UploadsUsed):
        submit_report(Submission([ending.received(upload)], uploads=[upload.pk]))
    assert list((home / "reports").iterdir()) == []
