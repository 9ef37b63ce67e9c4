"""A report on the page: as people look at it, ask it, compare it, and run it again."""

from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from bmat.tests.live.analyst import Analyst, analyst_at
from bmat.tests.live.browser import person
from bmat.tests.live.client import Body, Client
from bmat.tests.live.people import PASSWORD
from bmat.tests.live.stack import Stack

HEADER = "Song,Date,Number of Plays\n"
MONTHS = (("2020-01", 31), ("2020-02", 29), ("2020-03", 31))
# Forty songs; song 1 has the most plays, song 40 the fewest.
ROWS = "".join(
    f"Song {song:02},{month}-{day:02},{1000 // song + day}\n"
    for song in range(1, 41)
    for month, days in MONTHS
    for day in range(1, days + 1)
)
BAD_ROWS = "Song 01,2020-02-30,5\n,2020-01-01,5\nSong 02,2020-01-01,many\n"
LATER_ROWS = "Song 01,2020-01-01,1\nSong 02,2020-01-01,900000\nSong 99,2020-01-01,7\n"
TRACKS = "Titel;Tag;Menge\nUmbrella;31.01.2020;200\n"
COLUMN = ".totals tbody tr > :nth-child({})"
TYPE = """
const [field, text] = arguments;
field.value = text;
field.dispatchEvent(new Event("input", { bubbles: true }));
field.dispatchEvent(new Event("change", { bubbles: true }));
"""
IS_WIDE = "document.documentElement.scrollWidth > innerWidth"
HAS_CUT_NUMBERS = (
    "[...document.querySelectorAll('.number')].some((each) => each.scrollWidth > each.clientWidth)"
)


@pytest.fixture(scope="module")
def report(client: Client) -> Body:
    return client.done(client.upload((HEADER + ROWS + BAD_ROWS).encode(), "first quarter.csv"))


@pytest.fixture(scope="module")
def later(client: Client) -> Body:
    return client.done(client.upload((HEADER + LATER_ROWS).encode(), "one day.csv"))


def look_at(analyst: Analyst, report: Body, query: str = "") -> None:
    analyst.open(f"{analyst.home}reports/{report['pid']}{query}")
    analyst.see(".totals tbody tr")


def drag_over_the_chart(analyst: Analyst, start: float, end: float) -> None:
    """Chooses a part of the chart with the mouse, from one share of its width to another."""
    place = "document.querySelector('.days .u-over')"
    analyst.script(f"{place}.scrollIntoView({{ block: 'center' }})")
    box = analyst.script(f"return {place}.getBoundingClientRect().toJSON()")
    steps = [("mouseMoved", start), ("mousePressed", start), ("mouseMoved", end)]
    for kind, share in [*steps, ("mouseReleased", end)]:
        x, y = box["left"] + share * box["width"], box["top"] + box["height"] / 2
        mouse = {"button": "left", "buttons": 1, "clickCount": 1}
        analyst.chrome("Input.dispatchMouseEvent", type=kind, x=x, y=y, **mouse)


def type_into(analyst: Analyst, css: str, text: str) -> None:
    analyst.script(TYPE, analyst.see(css), text)


def shown(analyst: Analyst, number: int) -> list[str]:
    """A column of the totals, once they are no longer asked for."""
    analyst.wait("!document.querySelector('.totals').hasAttribute('aria-busy')")
    return analyst.texts(COLUMN.format(number))


def test_a_report_that_is_done_says_a_sentence_that_adds_up(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    sentence = " ".join(analyst.see(".accounting-rows").text.split())
    plays = f"{report['plays_total']:,}"
    assert sentence == (
        f"3,643 rows read = 3,640 counted + 3 rejected. {plays} plays in = {plays} plays out."
    )
    assert analyst.texts(".days .u-over") and analyst.see(".days-facts", f"{plays} plays")


def test_a_single_day_has_no_curve(analyst: Analyst, later: Body) -> None:
    look_at(analyst, later)
    assert analyst.see(".accounting .soft").text.startswith("Jan 1, 2020 · ")
    assert analyst.texts(".days") == []


def test_the_chart_is_zoomed_by_dragging_and_all_below_follows(
    analyst: Analyst, report: Body
) -> None:
    look_at(analyst, report)
    drag_over_the_chart(analyst, 0.36, 0.66)
    analyst.see(".top-songs .section-head", "Feb")
    query = analyst.script("return Object.fromEntries(new URLSearchParams(location.search))")
    assert query["from"].startswith("2020-02-0") and query["to"].startswith("2020-0")
    analyst.click(".period .link")
    analyst.see(".top-songs .section-head", "Jan 1")
    assert "from=" not in analyst.url


def test_a_period_is_chosen_by_two_dates_and_laid_over_the_one_before(
    analyst: Analyst, report: Body
) -> None:
    look_at(analyst, report, "?from=2020-02-01&per=week")
    type_into(analyst, "input[name=to]", "2020-02-29")
    analyst.click("input[name=before]")
    facts = analyst.see(".days-facts", "in the period before").text
    days = [sum(1000 // song + day for song in range(1, 41)) for day in range(1, 32)]
    assert f"{sum(days[:29]):,} plays" in facts
    assert f"{sum(days[2:]):,} in the period before" in facts
    assert "before=1" in analyst.url


def test_the_chart_is_a_table_too_by_day_week_and_month(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report, "?per=month")
    analyst.click(".days .as-table summary")
    analyst.see(".chart-table tbody tr")
    months = ["January 2020", "February 2020", "March 2020"]
    assert analyst.texts(".chart-table tbody th") == months
    analyst.click("input[name=per][value=week] + span")
    analyst.see(".chart-table tbody tr:nth-child(14)")


def test_the_songs_with_the_most_plays_in_a_period_are_bars(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report, "?from=2020-01-01&to=2020-01-01")
    analyst.wait("document.querySelectorAll('.top li').length === 10")
    assert analyst.texts(".top .key-link")[:2] == ["Song 01", "Song 02"]
    assert analyst.texts(".top li > :nth-child(4)")[:2] == ["1,001", "501"]


def test_the_totals_are_searched_as_one_types(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    analyst.fill_in("input[name=search]", "Song 3")
    analyst.wait("document.querySelectorAll('.totals tbody tr').length === 10")
    assert shown(analyst, 1)[0] == "Song 30"
    analyst.click("input[name=match][value=contains] + span")
    analyst.wait("new URLSearchParams(location.search).get('contains') === 'Song 3'")
    type_into(analyst, "input[name=search]", "ng 40")
    analyst.wait("document.querySelectorAll('.totals tbody tr').length === 1")
    assert shown(analyst, 1) == ["Song 40"]


def test_a_search_without_a_song_says_what_else_to_look_for(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    analyst.fill_in("input[name=search]", "song 4")
    analyst.see(".totals-note", "No song starts with “song 4”. Capitals count.")
    analyst.click(".totals-note button")
    analyst.wait("document.querySelectorAll('.totals tbody tr').length === 1")


def test_the_totals_are_sorted_and_paged(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    analyst.click("th[data-by=plays] button")
    analyst.see("th[data-by=plays][aria-sort=descending]")
    first = shown(analyst, 1)
    assert (first[0], len(first)) == ("Song 01", 25)
    analyst.click(".pages button:nth-child(2)")
    analyst.see(".pages", "26 – 40")
    assert shown(analyst, 1)[-1] == "Song 40"
    analyst.click(".pages button:nth-child(1)")
    analyst.see(".pages", "1 – 25")
    assert shown(analyst, 1) == first


def test_the_totals_are_by_month_and_the_address_shows_the_same_again(
    analyst: Analyst, report: Body
) -> None:
    look_at(analyst, report)
    analyst.choose("select[name=grain]", "month")
    analyst.see("th[data-by=date]", "Month")
    analyst.wait("document.querySelector('.totals tbody td')?.textContent === 'Jan 2020'")
    rows = shown(analyst, 2), shown(analyst, 3)
    analyst.open(analyst.url)
    analyst.see("th[data-by=date]")
    assert (shown(analyst, 2), shown(analyst, 3)) == rows


def test_a_song_has_a_curve_of_its_own_that_a_link_opens(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    analyst.click(".totals tbody .key-link")
    analyst.see(".song-panel h2", "Song 01")
    analyst.see(".song-panel .figures", "91 days")
    address = analyst.url
    assert address.endswith("?song=Song+01")
    analyst.press(Keys.ESCAPE)
    analyst.wait("!location.search")
    analyst.open(address)
    analyst.see(".song-panel .u-over")


def test_rejects_stand_by_reason_with_lines_and_what_to_do(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    assert sorted(analyst.texts(".reject h3")) == [
        "The date cannot be read",
        "The number of plays cannot be read",
        "There is no song",
    ]
    assert "3,642" in " ".join(analyst.texts(".examples"))
    address = analyst.see(".rejects a[download]").get_attribute("href")
    assert str(address).endswith(f"/api/reports/{report['pid']}/rejects")


def test_other_formats_are_prepared_and_curl_gets_the_same(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    analyst.click(".menu summary")
    assert f"/api/reports/{report['pid']}/output" in analyst.see(".copy-text", "curl").text
    analyst.click(".menu-list li:nth-child(2) button")
    analyst.see(".menu [role=status]", "the download has started")


def test_a_report_is_compared_with_another_one(analyst: Analyst, report: Body, later: Body) -> None:
    look_at(analyst, later)
    analyst.click(".report-acts > button:nth-of-type(1)")
    analyst.click(f".chooser a[href$='{report['pid']}']")
    analyst.see(".kinds")
    assert analyst.texts(".kind strong") == ["1", "1", "1", "38"]
    assert analyst.see("#up .key-link").text == "Song 02"
    assert "+" in analyst.see("#up tbody td.number:nth-of-type(3)").text
    assert len(analyst.texts("#gone tbody tr")) == 20
    analyst.click("#gone .key-link")
    analyst.see(".song-panel h2", "Song")


def test_a_report_that_failed_is_read_in_another_way_and_run_again(
    analyst: Analyst, client: Client
) -> None:
    pid = client.upload(TRACKS.encode(), "tracks.csv")
    client.finished(pid)
    analyst.open(f"{analyst.home}reports/{pid}")
    analyst.see(".failure", "The header has no column")
    analyst.see(".failure", "or name yours in the head of the table; where each record is one")
    analyst.see(".failure", "choose “Each row is one play”.")
    analyst.click(".is-failed .primary")
    analyst.see(".again .caution", "Say which column holds")
    for number, role in enumerate(("song", "date", "plays"), start=2):
        analyst.choose(f".again thead th:nth-child({number}) select", role)
    analyst.see(".again .is-wanted", "Dates")
    analyst.choose(".again select[name=date_format]", "dmy")
    analyst.see(".again .preview-value", "2020-01-31")
    analyst.click(".again .primary:not([disabled])")
    analyst.see(".accounting-rows", "1 counted")
    assert client.done(pid)["plays_total"] == 200


def test_a_report_is_deleted_after_a_question(analyst: Analyst, client: Client) -> None:
    body = client.done(client.upload((HEADER + LATER_ROWS).encode(), "to be deleted.csv"))
    look_at(analyst, body)
    analyst.click(".report-acts .bad")
    analyst.click(".ask [value=no]")
    assert client.get(body["pid"]).status_code == 200
    analyst.click(".report-acts .bad")
    analyst.click(".ask [value=yes]")
    analyst.wait("location.pathname === '/'")
    assert client.get(body["pid"]).status_code == 404


def test_a_report_that_is_not_there_says_so(analyst: Analyst) -> None:
    analyst.open(f"{analyst.home}reports/{'0' * 8}-0000-4000-8000-{'0' * 12}")
    analyst.see("h1", "Not found")
    assert all("404" in complaint for complaint in analyst.complaints())


def test_it_fits_on_a_phone_in_the_dark_and_is_open_to_everybody(
    analyst: Analyst, report: Body, later: Body
) -> None:
    scheme = {"name": "prefers-color-scheme", "value": "dark"}
    phone = {"width": 360, "height": 780, "deviceScaleFactor": 2, "mobile": True}
    pages = [f"/reports/{report['pid']}", f"/reports/{later['pid']}/compare/{report['pid']}"]
    try:
        analyst.chrome("Emulation.setEmulatedMedia", features=[scheme])
        analyst.chrome("Emulation.setDeviceMetricsOverride", **phone)
        for page, css in zip(
            [*pages, "/account"], [".totals td", ".kinds", ".tokens"], strict=True
        ):
            analyst.open(analyst.home.rstrip("/") + page)
            analyst.see(css)
            assert not analyst.script(f"return {IS_WIDE}"), page
            assert not analyst.script(f"return {HAS_CUT_NUMBERS}"), page
            assert analyst.obstacles() == [], page
    finally:
        analyst.chrome("Emulation.clearDeviceMetricsOverride")
        analyst.chrome("Emulation.setEmulatedMedia", features=[])


def test_it_is_open_to_everybody_in_the_light_too(
    analyst: Analyst, report: Body, later: Body
) -> None:
    look_at(analyst, report, "?song=Song+01")
    analyst.see(".song-panel .figures")
    assert analyst.obstacles() == []
    analyst.open(f"{analyst.home}reports/{later['pid']}/compare/{report['pid']}")
    analyst.see(".kinds")
    assert analyst.obstacles() == []


def test_the_keyboard_alone_sorts_and_opens_a_song(analyst: Analyst, report: Body) -> None:
    look_at(analyst, report)
    analyst.script("document.querySelector('input[name=search]').focus()")
    # The switch, the menu of periods, then the heads of the table.
    for _ in range(4):
        analyst.press(Keys.TAB)
    analyst.press(Keys.ENTER)
    analyst.see("th[data-by=plays][aria-sort=descending]")
    shown(analyst, 1)
    analyst.press(Keys.TAB)
    analyst.press(Keys.ENTER)
    analyst.see(".song-panel h2", "Song 01")
    analyst.press(Keys.ESCAPE)
    analyst.wait("document.activeElement.closest('.totals') !== null")


def test_a_token_is_made_shown_once_and_revoked(analyst: Analyst, client: Client) -> None:
    analyst.open(f"{analyst.home}account")
    analyst.fill_in("input[name=name]", "nightly upload")
    analyst.click(".token-form .primary")
    token = analyst.see(".token-made code").text
    other = Client(client.base_url, token)
    assert other.send("GET", other.reports_url).status_code == 200
    assert "nightly upload" in analyst.texts(".tokens tbody th")
    analyst.click("[aria-label='Revoke nightly upload']")
    analyst.click(".ask [value=yes]")
    analyst.wait("!document.querySelector('.token-list').textContent.includes('nightly upload')")
    assert other.send("GET", other.reports_url).status_code == 401


def test_a_webhook_is_added_with_its_secret_and_removed(analyst: Analyst, client: Client) -> None:
    address = "https://receiver.example/events"
    analyst.open(f"{analyst.home}account")
    analyst.fill_in("input[name=url]", address)
    analyst.click(".webhooks-section form .primary")
    assert analyst.see(".webhook-made code").text.startswith("whsec_")
    assert analyst.texts(".webhook-list tbody th") == [address]
    analyst.click(f"[aria-label='Remove {address}']")
    analyst.click(".ask [value=yes]")
    analyst.see(".webhook-list .note", "You have no webhooks.")


def test_logging_out_everywhere_ends_at_the_login(
    locked: Stack, client: Client, tmp_path: Path
) -> None:
    token = locked.add_users({"username": "goer", "password": PASSWORD})
    with analyst_at(tmp_path / "browser", client.base_url, "goer", PASSWORD) as goer:
        goer.open(f"{goer.home}account")
        goer.click("#leave-section-heading ~ * .bad")
        goer.click(".ask [value=yes]")
        goer.see("#id_username")
    assert Client(client.base_url, token).send("GET", client.reports_url).status_code == 401


def test_there_are_no_accounts_where_nobody_logs_in(stack: Stack, tmp_path: Path) -> None:
    with person(tmp_path / "browser") as visitor:
        visitor.open(f"{stack.client.base_url}/account")
        visitor.see(".account", "This service asks nobody to log in.")
        assert visitor.complaints() == []
