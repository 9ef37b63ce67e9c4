"""Files that people bring to the page: what they are shown of them, and how they get there."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from bmat.tests.live.analyst import Analyst, analyst_at, newest
from bmat.tests.live.client import Client
from bmat.tests.live.people import PASSWORD
from bmat.tests.live.processes import PROJECT_FOLDER
from bmat.tests.live.stack import Stack
from bmat.tests.samples import PLAYS, PLAYS_TOTALS

FORMATS = sorted((PROJECT_FOLDER / "bmat/aggregation/tests/presets").iterdir())
HEADER = "Song,Date,Number of Plays\n"
ROW = "Umbrella,2020-01-02,200\n"
# Larger than what goes in one request.
MANY_ROWS = 250_000
# More than what goes in two: a browser that is cut off sends what is under way to its end.
MORE_ROWS = 1_600_000
BYTES_A_SECOND = 500_000
# How a file is read, and how with what is sent in the end.
INSPECT = """
const [name, text] = arguments;
return (async () => {
  const { inspect, resolved } = await import("/static/web/preview/reading.js");
  const file = new File([text], name);
  const found = await inspect(file, {});
  return [found, await inspect(file, resolved({}, found))];
})();
"""


@pytest.fixture(autouse=True)
def home(analyst: Analyst) -> None:
    """Each test begins at home."""
    analyst.go_home()


def test_a_newcomer_tries_the_sample_with_a_click_and_a_key(locked: Stack, tmp_path: Path) -> None:
    token = locked.add_users({"username": "newcomer", "password": PASSWORD})
    base_url = locked.client.base_url
    with analyst_at(tmp_path / "browser", base_url, "newcomer", PASSWORD) as newcomer:
        newcomer.see(".drop.is-large h1", "Drop play logs here")
        newcomer.click(".drop .link")
        newcomer.see(".preview summary", "Read as CSV, comma, UTF-8, header on line 1")
        newcomer.wait("document.activeElement.matches('.preview .primary:not([disabled])')")
        newcomer.press(Keys.ENTER)
        newcomer.wait("location.pathname.startsWith('/reports/')")
    client = Client(base_url, token)
    assert client.download(newest(client, "plays.csv")) == PLAYS_TOTALS


def test_columns_with_names_that_nobody_knows_are_said_in_the_preview(
    analyst: Analyst, client: Client
) -> None:
    analyst.drop("letters.csv", "A,B,C\n2020-01-01,Umbrella,5\n")
    analyst.see(".preview .caution", "Say which column holds the song, the date and the number")
    assert not analyst.see(".preview .primary").is_enabled()
    analyst.say_what_columns_are("date", "song", "plays")
    analyst.total()
    totals = client.download(newest(client, "letters.csv"))
    assert totals.splitlines()[1:] == [b"Umbrella,2020-01-01,5"]


def test_columns_with_likely_names_are_matched_and_shown(analyst: Analyst, client: Client) -> None:
    analyst.drop("likely.csv", "Day;Track;Streams\n2020-01-01;Umbrella;5\n")
    analyst.see(".preview .caution", "The columns were matched by their names.")
    analyst.total()
    totals = client.download(newest(client, "likely.csv"))
    assert totals.splitlines()[1:] == [b"Umbrella,2020-01-01,5"]


def test_rejected_rows_are_marked_with_the_reason_and_with_what_would_help(
    analyst: Analyst, client: Client
) -> None:
    rows = "R,Umbrella,31/01/2020,200\nB,Halo,30/01/2020,5\n"
    analyst.drop("day first.csv", f"Artist,{HEADER}{rows}")
    analyst.see(".preview-reason", "The date cannot be read")
    assert analyst.texts(".preview .is-at-fault") == ["31/01/2020", "30/01/2020"]
    analyst.click(".preview-offer button")
    analyst.see(".preview-value", "2020-01-31")
    analyst.say_what_columns_are("artist")
    analyst.wait("document.querySelector('select[name=group_by]').value === 'song,artist'")
    analyst.total()
    totals = client.download(newest(client, "day first.csv"))
    assert totals.splitlines()[1:] == [b"Halo,B,2020-01-30,5", b"Umbrella,R,2020-01-31,200"]


def test_the_preview_changes_with_the_menus(analyst: Analyst) -> None:
    analyst.drop("menus.csv", "a title\nSong|Date|Number of Plays\nUmbrella|2020-01-01|1.000\n")
    analyst.click(".preview summary")
    analyst.choose("select[name=header_line]", "2")
    analyst.see(".preview-reason", "The number of plays cannot be read")
    analyst.choose("select[name=thousands]", ".")
    analyst.see(".preview-value", "1000")
    analyst.see(".preview summary", "Read as CSV, vertical bar, UTF-8, header on line 2")
    analyst.press(Keys.ESCAPE)
    analyst.wait("!document.querySelector('dialog')")


def test_a_file_that_cannot_be_read_says_why_and_is_not_sent(analyst: Analyst) -> None:
    analyst.drop("photo.png", "\0PNG\0\n")
    analyst.see(".preview .alert", "The file is not a CSV text")
    assert not analyst.see(".preview .primary").is_enabled()
    analyst.click(".preview-top button")
    analyst.drop("nothing.csv", "")
    analyst.see(".preview .alert", "nothing.csv is empty.")
    analyst.click(".preview-top button")


def test_several_files_become_one_report(analyst: Analyst, client: Client) -> None:
    other = (HEADER + ROW).replace(",", ";")
    analyst.drop_all(
        [("one.csv", HEADER + ROW, "", 0), ("two.csv", other, "", 0), ("x.csv", "x\n", "", 0)]
    )
    analyst.see(".preview-file-note", "CSV, semicolon, UTF-8, header on line 1")
    analyst.click(".preview-offer button")
    analyst.see(".preview .primary", "Total 2 files")
    analyst.total()
    totals = client.download(newest(client, "one.csv"))
    assert totals.splitlines()[1:] == [b"Umbrella,2020-01-02,400"]


def test_several_files_become_a_report_each_if_somebody_wants(
    analyst: Analyst, client: Client
) -> None:
    names = ["each one.csv", "each two.csv"]
    analyst.drop_all([(name, HEADER + ROW, "", 0) for name in names])
    analyst.click(".preview-each label:last-child")
    analyst.total()
    assert [newest(client, name)["input_name"] for name in names] == names
    assert analyst.url == analyst.home


def test_each_format_is_read_by_what_is_sent_as_it_was_shown(analyst: Analyst) -> None:
    for sample in FORMATS:
        found, again = analyst.script(INSPECT, sample.name, sample.read_text())
        assert (found["error"], again) == (None, found), sample.name


def test_an_upload_goes_on_after_a_reload_without_a_click(analyst: Analyst, client: Client) -> None:
    with analyst.network(bytes_a_second=BYTES_A_SECOND):
        analyst.drop("reloaded.csv", HEADER, ROW, MANY_ROWS)
        analyst.total()
        analyst.see(".upload-text", "left")
        analyst.go_home()
        analyst.see(".upload-text", "Continues at")
    assert newest(client, "reloaded.csv")["rows_read"] == MANY_ROWS
    analyst.wait("location.pathname.startsWith('/reports/')")


def test_an_upload_waits_for_the_network_and_goes_on_by_itself(
    analyst: Analyst, client: Client
) -> None:
    with analyst.network(bytes_a_second=BYTES_A_SECOND):
        analyst.drop("away.csv", HEADER, ROW, MORE_ROWS)
        analyst.total()
        analyst.see(".upload-text", "left")
        with analyst.network(is_offline=True):
            analyst.see(".upload-text", "Waiting for the network")
    assert newest(client, "away.csv")["rows_read"] == MORE_ROWS
    analyst.complaints()


def test_another_tab_goes_on_with_an_upload_once_the_first_is_closed(
    analyst: Analyst, client: Client
) -> None:
    with analyst.network(bytes_a_second=BYTES_A_SECOND):
        analyst.drop("two tabs.csv", HEADER, ROW, MORE_ROWS)
        analyst.total()
        analyst.see(".upload-text", "left")
        analyst.open_tab()
        analyst.go_home()
        assert analyst.texts(".upload") == []
        analyst.close_other_tabs()
    assert newest(client, "two tabs.csv")["rows_read"] == MORE_ROWS
    page = client.send("GET", client.reports_url, params={"input_name": "two tabs.csv"}).json()
    assert len(page["results"]) == 1


def test_a_file_that_was_not_kept_is_asked_for_and_goes_on(
    analyst: Analyst, client: Client
) -> None:
    with analyst.network(bytes_a_second=BYTES_A_SECOND):
        analyst.script("navigator.storage.estimate = async () => ({ quota: 1, usage: 0 })")
        analyst.drop("dropped again.csv", HEADER, ROW, MANY_ROWS)
        analyst.total()
        analyst.see(".upload-text", "left")
        analyst.go_home()
        analyst.see(".upload-text", "Drop the same file again to go on.")
    analyst.drop("dropped again.csv", HEADER, ROW, MANY_ROWS)
    assert newest(client, "dropped again.csv")["rows_read"] == MANY_ROWS


def test_large_files_become_one_report_too(analyst: Analyst, client: Client) -> None:
    analyst.drop_all([(f"large {number}.csv", HEADER, ROW, 100_000) for number in range(2)])
    analyst.total()
    assert newest(client, "large 0.csv")["rows_read"] == 200_000


def test_the_page_is_for_everybody(analyst: Analyst) -> None:
    analyst.drop("obstacles.csv", HEADER + ROW + "Halo,x,1\n")
    analyst.see(".preview-reason", "The date cannot be read")
    assert analyst.obstacles() == []
    analyst.press(Keys.ESCAPE)


def test_the_sample_is_the_one_of_the_documents() -> None:
    module = PROJECT_FOLDER / "bmat/web/static/web/upload/sample.js"
    assert f"`{PLAYS.decode()}`" in module.read_text()
