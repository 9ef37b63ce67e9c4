"""`GET /api/reports/<pid>/compare?with=<pid>`."""

from uuid import uuid4

import pytest
from django.core.cache import cache

from bmat.api.errors import invalid
from bmat.api.models import Report
from bmat.api.services import files
from bmat.api.services.conversion import convert
from bmat.api.services.process import process_report
from bmat.api.tests.people import person, token_of

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

EARLIER = b"Gone,2020-01-01,5\nUp,2020-01-01,4\nUp,2020-02-01,4\nDown,2020-01-01,8\n"
LATER = b"New,2020-01-01,7\nUp,2020-01-01,4\nUp,2020-02-01,8\nDown,2020-01-01,2\n"
NOTHING = {"count": 0, "plays_before": 0, "plays": 0, "largest": []}


@pytest.fixture
def pair(submit):
    """The later and the earlier report, both Done, and alice's."""
    reports = [submit(content, owner=person("alice")) for content in (LATER, EARLIER)]
    for report in reports:
        process_report(report.pid, uuid4())
        report.refresh_from_db()
    return reports


@pytest.fixture
def compare(client, pair):
    """Compares the two, with parameters; other arguments are headers."""

    def asked(headers=None, **parameters):
        later, earlier = pair
        query = {"with": earlier.pid, **parameters}
        return client.get(f"/api/reports/{later.pid}/compare", query, headers=headers)

    return asked


def change(song, before, after, percent, date=None):
    told = {"song": song, "date": date, "plays_before": before, "plays": after}
    return {**told, "difference": after - before, "percent": percent}


def of_one(told):
    counts = {"count": 1, "plays_before": told["plays_before"], "plays": told["plays"]}
    return {**counts, "largest": [told]}


def test_it_tells_what_is_new_gone_up_and_down(compare):
    response = compare()

    assert response.status_code == 200
    assert response.json() == {
        "new": of_one(change("New", 0, 7, None)),
        "gone": of_one(change("Gone", 5, 0, -100.0)),
        "up": of_one(change("Up", 8, 12, 50.0)),
        "down": of_one(change("Down", 8, 2, -75.0)),
        "same": NOTHING,
    }


def test_it_compares_periods(compare):
    told = compare(grain="month").json()

    assert told["up"] == of_one(change("Up", 4, 8, 100.0, "2020-02-01"))
    assert told["same"] == {"count": 1, "plays_before": 4, "plays": 4, "largest": []}


@pytest.mark.parametrize("order, first", [("plays", "a"), ("", "a"), ("percent", "b")])
def test_it_lists_the_largest_changes(client, submit, order, first):
    contents = b"a,2020-01-01,100\nb,2020-01-01,1\n", b"a,2020-01-01,150\nb,2020-01-01,9\n"
    pids = []
    for content in contents:
        pids.append(submit(content).pid)
        process_report(pids[-1], uuid4())

    query = {"with": pids[0], "order": order, "limit": 1, "grain": ""}
    told = client.get(f"/api/reports/{pids[1]}/compare", query).json()

    assert (told["up"]["count"], [each["song"] for each in told["up"]["largest"]]) == (2, [first])


HEADER = b"Artist,Song,Date,Number of Plays\n"


@pytest.fixture
def compare_keys(client, submit):
    """Compares two files, each with what its totals are by."""

    def asked(*files):
        pids = []
        for content, group_by in files:
            pids.append(submit(HEADER + content, group_by=group_by).pid)
            process_report(pids[-1], uuid4())
        return client.get(f"/api/reports/{pids[1]}/compare", {"with": pids[0]})

    return asked


def test_it_compares_by_the_whole_key(compare_keys):
    earlier, later = b"A,x,2020-01-01,1\nB,x,2020-01-01,1\n", b"A,x,2020-01-01,2\n"

    told = compare_keys((earlier, "artist,song"), (later, "artist,song")).json()

    keys = {kind: [(c["artist"], c["song"]) for c in told[kind]["largest"]] for kind in told}
    assert keys == {"new": [], "gone": [("B", "x")], "up": [("A", "x")], "down": [], "same": []}


@pytest.mark.parametrize("group_by", ["song", "song,artist", "artist"])
def test_it_compares_no_totals_by_other_columns(compare_keys, group_by):
    response = compare_keys((b"A,x,2020-01-01,1\n", group_by), (b"", "artist,song"))

    assert (response.status_code, list(response.json()["fields"])) == (400, ["with"])
    assert "those of this one by Artist, Song" in response.json()["with"][0]


def test_it_compares_a_day_without_plays(compare_keys):
    told = compare_keys((b"", "song"), (b"A,x,2020-01-01,1\n", "song")).json()

    assert [told[kind]["count"] for kind in told] == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "parameters, field",
    [
        ({"with": "x"}, "with"),
        ({"with": ""}, "with"),
        ({"grain": "hour"}, "grain"),
        ({"order": "song"}, "order"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
    ],
)
def test_it_refuses_what_it_cannot_follow(compare, parameters, field):
    response = compare(**parameters)

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


def test_it_needs_another_report(client, pair):
    response = client.get(f"/api/reports/{pair[0].pid}/compare")

    assert response.json() == invalid({"with": ["This field is required."]})


def test_it_reaches_no_report_of_somebody_else(compare, pair, settings):
    settings.BMAT_REQUIRE_AUTH = True
    alice = token_of(person("alice"))
    assert compare(alice).status_code == 200

    Report.objects.filter(pid=pair[1].pid).update(owner=person("bob"))

    foreign, missing = compare(alice), compare(alice, **{"with": uuid4()})
    assert foreign.status_code == missing.status_code == 404
    assert foreign.json() == missing.json()


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("status, code", [(0, "report_processing"), (2, "report_failed")])
def test_both_reports_have_to_be_done(compare, pair, number, status, code):
    Report.objects.filter(pid=pair[number].pid).update(status=status)

    response = compare()

    assert (response.status_code, response.json()["code"]) == (409, code)


def test_it_is_gone_once_the_other_report_has_expired(compare, pair):
    Report.objects.filter(pid=pair[1].pid).update(expired="2020-01-01T00:00:00Z")

    assert compare().status_code == 410


def test_it_has_both_results_prepared(compare, pair, enqueued, monkeypatch):
    monkeypatch.setattr("bmat.results.files.MOST_CSV_BYTES", 10)
    cache.clear()
    enqueued()

    response = compare()

    assert (response.status_code, response["Retry-After"]) == (202, "1")
    assert sorted(enqueued()) == sorted(f"{report.pid}-totals.parquet" for report in pair)
    for report in pair:
        convert(report.pid, files.PARQUET)
    assert compare().json()["new"]["count"] == 1


def test_it_needs_two_queries(compare, django_assert_num_queries):
    with django_assert_num_queries(2):
        compare()


def test_it_refuses_another_method(client, pair):
    assert client.post(f"/api/reports/{pair[0].pid}/compare").status_code == 405
