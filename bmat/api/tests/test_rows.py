"""`GET /api/reports/<pid>/rows`."""

import csv
from datetime import date
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.http import QueryDict

from bmat.api.errors import told_as
from bmat.api.models import Report
from bmat.api.services import files, process, results
from bmat.api.services.conversion import convert
from bmat.api.services.process import process_report
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.results import beside

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

UMBRELLA = [
    {"song": "Umbrella", "date": "2020-01-01", "plays": 100},
    {"song": "Umbrella", "date": "2020-01-02", "plays": 200},
]
IN_THE_END = {"song": "In The End", "date": "2020-01-01", "plays": 500}
DAY = "2020-01-01"
PAIRS = b"""\
Song,Artist,Date,Number of Plays
y,,2020-01-01,4
x,B,2020-01-01,3
y,A,2020-01-01,2
x,A,2020-01-01,1
"""
DAYS = [date(2020, 1, day) for day in range(1, 29)]


@pytest.fixture
def done(submit):
    """A report that is Done, of some content."""

    def processed(content=PLAYS, **options):
        report = submit(content, **options)
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


def test_each_field_of_the_key_is_in_a_row_and_can_be_asked_for(done, answer):
    report = done(PAIRS, group_by="artist,song")
    rows = [
        {"artist": artist, "song": song, "date": DAY, "plays": plays}
        for artist, song, plays in [("", "y", 4), ("A", "x", 1), ("A", "y", 2), ("B", "x", 3)]
    ]

    assert answer(report) == rows
    assert answer(report, artist="A", order="-song") == [rows[2], rows[1]]
    assert answer(report, song="x", grain="year") == [rows[1], rows[3]]
    assert answer(report, song_prefix="y", order="-plays", artist="") == [rows[0], rows[2]]


def test_pages_follow_one_another_by_the_whole_key(client, done, ask):
    report = done(PAIRS, group_by="song,artist")

    page = ask(report, limit=1).json()
    found = page["rows"]
    while page["next"]:
        page = client.get(page["next"]).json()
        found += page["rows"]

    assert [(row["song"], row["artist"]) for row in found] == [
        ("x", "A"),
        ("x", "B"),
        ("y", ""),
        ("y", "A"),
    ]


@pytest.mark.parametrize("name", ["song", "song_prefix", "contains", "isrc"])
def test_it_names_what_the_totals_are_not_by(done, ask, name):
    response = ask(done(PAIRS, group_by="artist"), **{name: "x"})

    assert response.status_code == 400
    message = "This result has no such column: its totals are by Artist."
    assert response.json()["fields"] == {name: [message]}


def test_a_day_without_plays_has_no_rows(done, ask):
    report = done(b"Song,Date,Number of Plays\n")

    assert ask(report, order="-plays", grain="month").json() == {"rows": [], "next": None}


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


def test_its_pages_hold_what_the_output_holds(client, done):
    songs = ["a&b=c", 'a"b', "a,b", "a+b", " ab", "é", "夜に", "100%"]
    quoted = [song.replace('"', '""') for song in songs]
    report = done("".join(f'"{song}",{day},1\n' for song in quoted for day in DAYS).encode())
    with files.path(report.output_file.name).open(encoding="utf-8", newline="") as file:
        _, *expected = csv.reader(file)

    url, found = f"/api/reports/{report.pid}/rows?limit=50", []
    while url:
        page = client.get(url).json()
        found += [[row["song"], row["date"], str(row["plays"])] for row in page["rows"]]
        url = page["next"]

    assert len(found) == len(songs) * len(DAYS)
    assert found == expected


@pytest.mark.parametrize("contains", ["mbrel", "Umbrella", "la"])
def test_it_answers_with_the_songs_that_contain_a_text(done, answer, contains):
    assert answer(done(), contains=contains) == UMBRELLA


def test_it_sums_up_all_days_that_are_asked_for(done, answer):
    assert answer(done(), grain="all", order="-plays", to=DAY) == [
        {**IN_THE_END, "date": None},
        {**UMBRELLA[0], "date": None},
    ]


@pytest.mark.parametrize(
    "grain, first", [("week", "2019-12-30"), ("month", DAY), ("quarter", DAY), ("year", DAY)]
)
def test_it_sums_up_periods(done, answer, grain, first):
    assert answer(done(), song="Umbrella", grain=grain) == [
        {"song": "Umbrella", "date": first, "plays": 300}
    ]


@pytest.mark.parametrize(
    "order, expected",
    [
        ("plays", [*UMBRELLA, IN_THE_END]),
        ("-plays", [IN_THE_END, *UMBRELLA[::-1]]),
        ("date", [IN_THE_END, *UMBRELLA]),
        ("-date", [UMBRELLA[1], IN_THE_END, UMBRELLA[0]]),
    ],
)
def test_it_sorts_the_rows_of_all_songs(done, answer, order, expected):
    assert answer(done(), order=order) == expected


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
        ({"contains": "a\0"}, "contains"),
        ({"order": "Song"}, "order"),
        ({"grain": "hour"}, "grain"),
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
    assert list(response.json()["fields"]) == [field]


@pytest.mark.parametrize("change", [{"song": "Umbrella"}, {"order": "-song"}, {"grain": "month"}])
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
    assert response.json()["detail"].startswith(f"The report is {state}: it has no")
    assert "Retry-After" not in response


def test_it_is_gone_once_the_files_have_expired(done, ask):
    report = done()
    Report.objects.update(expired="2020-01-01T00:00:00Z", output_file="")

    assert ask(report).status_code == 410


def test_it_knows_no_unknown_pid(client):
    assert client.get(f"/api/reports/{uuid4()}/rows").status_code == 404
    assert client.get("/api/reports/x/rows").status_code == 404


def test_it_says_so_where_somebody_has_removed_the_file(done, ask):
    report = done()
    beside(report, files.OUTPUT).unlink()

    response = ask(report)

    assert response.status_code == 409
    assert response.json()["code"] == "no_file"


def test_it_refuses_another_method(client, done):
    assert client.post(f"/api/reports/{done().pid}/rows").status_code == 405


def test_it_needs_one_query(client, done, django_assert_num_queries):
    report = done()

    with django_assert_num_queries(1):
        client.get(f"/api/reports/{report.pid}/rows")


@pytest.fixture
def large(monkeypatch):
    """Lets each result be too large to be asked as CSV."""
    monkeypatch.setattr("bmat.results.files.MOST_CSV_BYTES", 10)


def test_a_large_result_is_converted_as_soon_as_it_is_done(done, enqueued, answer, large):
    report = done()
    assert enqueued() == [str(report.pid), f"{report.pid}-totals.parquet"]

    convert(report.pid, files.PARQUET)

    assert answer(report) == [IN_THE_END, *UMBRELLA]


def test_a_small_result_is_not_converted(done, enqueued, answer):
    report = done()

    assert answer(report) == [IN_THE_END, *UMBRELLA]
    assert enqueued() == [str(report.pid)]
    assert not beside(report, files.PARQUET).exists()


def test_a_question_that_comes_too_early_is_to_be_asked_again(done, ask, enqueued, large):
    report = done()
    cache.clear()
    enqueued()

    response = ask(report)

    assert (response.status_code, response["Retry-After"]) == (202, "1")
    message = "The result is being prepared for questions. Ask again."
    assert response.json() == told_as("being_written", message)
    assert enqueued() == [f"{report.pid}-totals.parquet"]


def test_it_says_so_where_there_is_no_room_to_prepare_it(done, ask, large, monkeypatch):
    report = done()
    monkeypatch.setattr("bmat.api.services.disk.has_room_for", lambda size: False)

    response = ask(report)

    assert (response.status_code, response.json()["code"]) == (507, "no_room_for_format")


def test_a_result_that_is_deleted_as_soon_as_it_is_done_is_not_converted(
    done, enqueued, monkeypatch, caplog
):
    monkeypatch.setattr(process, "needs_parquet", lambda folder: (folder / "gone").stat())

    report = done()

    assert enqueued() == [str(report.pid)]
    assert "deleted as soon as it was done" in caplog.text


def test_it_takes_a_few_questions_at_a_time(done, ask, monkeypatch):
    report = done()
    monkeypatch.setattr(results, "WAIT_SECONDS", 0.01)
    taken = [results.questions.acquire(blocking=False) for _ in range(results.MOST_QUESTIONS)]
    try:
        response = ask(report)
    finally:
        results.questions.release(len(taken))

    assert all(taken)
    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert response.json()["code"] == "too_many_questions"
    assert ask(report).status_code == 200


def test_a_question_that_takes_too_long_is_given_up(done, ask, monkeypatch):
    report = done()
    monkeypatch.setattr(results, "ANSWER_SECONDS", 0.000_001)

    response = ask(report, order="-plays")

    assert (response.status_code, response["Retry-After"]) == (503, "10")
    assert response.json()["code"] == "question_too_slow"


def test_a_question_that_takes_too_much_memory_is_refused(done, ask, monkeypatch):
    report = done("".join(f"{n}{'x' * 4000},2020-01-01,1\n" for n in range(3000)).encode())
    monkeypatch.setattr("bmat.results.connection.MEMORY_BYTES", 2**22)

    response = ask(report, order="plays", grain="year")

    assert (response.status_code, response.json()["code"]) == (422, "question_too_large")
    assert "fewer songs or days" in response.json()["detail"]
