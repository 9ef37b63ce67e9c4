"""`GET /api/reports/<pid>/rows`."""

import csv
from datetime import date
from uuid import uuid4

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bmat.aggregation import row_groups
from bmat.api.models import Report
from bmat.api.services import files, rows
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

UMBRELLA = [
    {"song": "Umbrella", "date": "2020-01-01", "plays": 100},
    {"song": "Umbrella", "date": "2020-01-02", "plays": 200},
]
IN_THE_END = {"song": "In The End", "date": "2020-01-01", "plays": 500}
# They begin alike, sort by bytes otherwise than by letters, and need quotes or escapes in URLs.
SONGS = [
    "A",
    "a",
    "ab",
    " ab",
    "a&b=c",
    'a"b',
    "a,b",
    "a+b",
    "é",
    "ézé",
    "夜に",
    "100%",
    "x" * 5000,
]
DAYS = [date(2020, 1, day) for day in range(1, 29)]


@pytest.fixture
def done(submit):
    """A report that is Done, of some content."""

    def processed(content=PLAYS):
        report = submit(content)
        process_report(report.pid, uuid4())
        report.refresh_from_db()
        assert report.status == Report.Status.DONE
        return report

    return processed


@pytest.fixture
def ask(client):
    """Asks for rows of a report, with parameters."""

    def asked(report, **parameters):
        return client.get(f"/api/reports/{report.pid}/rows", parameters)

    return asked


@pytest.fixture
def answer(ask):
    """The rows of a page, which has to be there."""

    def rows_of(report, **parameters):
        response = ask(report, **parameters)
        assert response.status_code == 200, response.content
        return response.json()["rows"]

    return rows_of


def test_it_answers_with_all_rows_in_the_order_of_the_output(client, done):
    response = client.get(f"/api/reports/{done().pid}/rows/")

    assert response.json() == {"rows": [IN_THE_END, *UMBRELLA], "next": None}


def test_it_answers_with_the_rows_of_one_song(done, answer):
    assert answer(done(), song="Umbrella") == UMBRELLA
    assert answer(done(), song="umbrella") == []


def test_it_answers_with_the_songs_that_begin_alike(done, answer):
    report = done()

    assert answer(report, song_prefix="I") == [IN_THE_END]
    assert answer(report, song_prefix="Umbrellas") == []


def test_it_answers_with_one_song_if_that_begins_so(done, answer):
    assert answer(done(), song="Umbrella", song_prefix="Umb") == UMBRELLA
    assert answer(done(), song="Umbrella", song_prefix="I") == []


def test_it_answers_with_some_days_both_included(done, answer):
    report = done()

    assert answer(report, song="Umbrella", **{"from": "2020-01-02"}) == UMBRELLA[1:]
    assert answer(report, song="Umbrella", to="2020-01-01") == UMBRELLA[:1]
    assert answer(report, **{"from": "2020-01-02", "to": "2020-01-02"}) == UMBRELLA[1:]


@pytest.mark.parametrize(
    "order, expected",
    [
        ("date", UMBRELLA),
        ("-date", UMBRELLA[::-1]),
        ("plays", UMBRELLA),
        ("-plays", UMBRELLA[::-1]),
    ],
)
def test_it_sorts_the_rows_of_one_song(done, answer, order, expected):
    assert answer(done(), song="Umbrella", order=order) == expected


def test_it_answers_in_reverse(done, answer):
    assert answer(done(), order="-song") == [*UMBRELLA[::-1], IN_THE_END]


def test_it_counts_blank_parameters_as_not_given(done, answer):
    blank = {"song": "", "song_prefix": "", "from": "", "to": "", "cursor": "", "order": ""}

    assert len(answer(done(), **blank)) == 3


def test_it_shows_the_largest_total_exactly(done, answer):
    report = done(b"a,2020-01-01,9223372036854775807\n")

    assert answer(report) == [{"song": "a", "date": "2020-01-01", "plays": 2**63 - 1}]


def pages(client, url):
    """The rows of all pages from `url` on."""
    found = []
    while url:
        body = client.get(url).json()
        found += body["rows"]
        url = body["next"]
    return found


orders = st.sampled_from(["song", "-song", "date", "-date", "plays", "-plays"])
names = st.sampled_from(SONGS) | st.text(st.sampled_from("aAbé夜 &+"), max_size=3)
days = st.none() | st.dates(date(2019, 12, 30), date(2020, 1, 30))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(names, st.booleans(), days, days, orders, st.integers(1, 40))
def property_of_pages(client, url, totals, name, is_prefix, first, last, order, limit):
    if first and last and first > last:
        first, last = last, first
    if is_prefix or not name:
        order = order if order.endswith("song") else "song"
    asked = {"song_prefix" if is_prefix else "song": name, "from": first, "to": last}
    expected = [
        row
        for row in totals
        if (row["song"].startswith(name) if is_prefix else name in ("", row["song"]))
        and (first is None or row["date"] >= first.isoformat())
        and (last is None or row["date"] <= last.isoformat())
    ]
    if order.endswith("plays"):
        expected.sort(key=lambda row: -row["plays"] if order[0] == "-" else row["plays"])
    elif order[0] == "-":
        expected.reverse()
    given_ones = {key: value for key, value in asked.items() if value is not None}
    query = {**given_ones, "order": order, "limit": limit}
    first_page = client.get(url, query)
    assert first_page.status_code == 200, first_page.content
    body = first_page.json()
    assert body["rows"] + pages(client, body["next"]) == expected


def test_its_pages_equal_a_filter_over_the_output(client, done, monkeypatch):
    monkeypatch.setattr(row_groups, "ROWS_PER_GROUP", 11)
    lines = [
        f'"{song.replace(chr(34), chr(34) * 2)}",{day},{(number * 7 + day.day) % 10}\n'
        for number, song in enumerate(SONGS)
        for day in DAYS
        if (number + day.day) % 3
    ]
    report = done("".join(lines).encode())
    with files.path(report.output_file.name).open(encoding="utf-8", newline="") as file:
        _, *found = csv.reader(file)
    totals = [{"song": song, "date": day, "plays": int(plays)} for song, day, plays in found]
    assert len(totals) > 200

    property_of_pages(client, f"/api/reports/{report.pid}/rows", totals)


@pytest.mark.parametrize(
    "parameters, field",
    [
        ({"from": "2020-1-1"}, "from"),
        ({"from": "20200101"}, "from"),
        ({"to": "2020-02-30"}, "to"),
        ({"to": "yesterday"}, "to"),
        ({"to": "٢٠٢٠-٠١-٠١"}, "to"),
        ({"from": "2020-01-02", "to": "2020-01-01"}, "to"),
        ({"song": "a\0"}, "song"),
        ({"order": "plays"}, "order"),
        ({"order": "date", "song_prefix": "a"}, "order"),
        ({"order": "Song", "song": "a"}, "order"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"cursor": "WzAsMV0:x"}, "cursor"),
        ({"cursor": "é:é"}, "cursor"),
    ],
)
def test_it_refuses_what_it_cannot_follow(done, ask, parameters, field):
    response = ask(done(), **parameters)

    assert response.status_code == 400
    assert list(response.json()) == [field]


def test_it_explains_which_orders_it_has(done, ask):
    response = ask(done(), order="-plays")

    assert response.json() == {
        "order": ['"-plays" is for the rows of one song: give song, too.'],
    }


@pytest.mark.parametrize("change", [{"song": "Umbrella"}, {"order": "-song"}, {"to": "2020-01-09"}])
def test_it_refuses_the_cursor_of_another_question(client, done, ask, change):
    report = done()
    url = ask(report, limit=1).json()["next"]

    response = client.get(url, {**cursor_of(url), **change})

    assert response.status_code == 400
    assert "Follow `next`" in response.json()["cursor"][0]


def test_it_refuses_the_cursor_of_another_report(client, done, ask):
    url = ask(done(), limit=1).json()["next"]

    assert ask(done(), **cursor_of(url)).status_code == 400


def cursor_of(url):
    return {"cursor": QueryDict(url.partition("?")[2])["cursor"]}


def test_it_lets_the_size_of_pages_change_on_the_way(done, ask, answer):
    report = done()
    url = ask(report, limit=1).json()["next"]

    assert answer(report, limit=2, **cursor_of(url)) == UMBRELLA


def test_it_sorts_no_song_of_endless_rows(done, ask, monkeypatch):
    monkeypatch.setattr(rows, "MOST_SORTED_ROWS", 1)

    response = ask(done(), song="Umbrella", order="plays")

    assert response.status_code == 400
    assert "too many to sort" in response.json()["order"][0]


def test_it_asks_for_patience_while_the_report_is_processed(submit, ask):
    response = ask(submit())

    assert response.status_code == 409
    assert response["Retry-After"] == "1"
    assert response.json()["code"] == "report_processing"


@pytest.mark.parametrize("status, state", [(2, "failed"), (3, "cancelled")])
def test_it_says_that_there_will_be_no_result(submit, ask, status, state):
    report = submit()
    Report.objects.update(status=status)

    response = ask(report)

    assert (response.status_code, response.json()["code"]) == (409, f"report_{state}")
    assert response.json()["detail"].startswith(f"The report is {state}: it has no files.")
    assert "Retry-After" not in response


def test_it_is_gone_once_the_files_have_expired(done, ask):
    report = done()
    Report.objects.update(expired="2020-01-01T00:00:00Z", output_file="")

    assert ask(report).status_code == 410


def test_it_knows_no_unknown_pid(client):
    assert client.get(f"/api/reports/{uuid4()}/rows").status_code == 404
    assert client.get("/api/reports/x/rows").status_code == 404


def test_it_says_so_where_the_file_was_never_written(done, ask):
    report = done()
    files.path(files.beside(report.output_file.name, files.PARQUET)).unlink()

    response = ask(report)

    assert response.status_code == 409
    assert response.json()["code"] == "no_file"


def test_it_refuses_another_method(client, done):
    assert client.post(f"/api/reports/{done().pid}/rows").status_code == 405


def test_it_needs_one_query(client, done, django_assert_num_queries):
    report = done()

    with django_assert_num_queries(1):
        client.get(f"/api/reports/{report.pid}/rows")


def test_it_reads_the_footer_of_a_result_once(done, ask):
    report = done()
    before = len(rows.footers)

    for _ in range(3):
        ask(report)

    assert len(rows.footers) == before + 1


def test_it_keeps_no_footer_that_is_too_large(done, answer, monkeypatch):
    rows.footers.clear()
    monkeypatch.setattr(rows, "MEMORY_PER_FOOTER_BYTE", rows.FOOTERS_BYTES)

    assert len(answer(done())) == 3

    assert (len(rows.footers), rows.footers.currsize) == (0, 0)
