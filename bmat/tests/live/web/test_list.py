"""The list of reports on the page: found, watched, cancelled, tried again, deleted, compared."""

import pytest
from selenium.webdriver.common.keys import Keys

from bmat.tests.live.analyst import SECONDS, Analyst
from bmat.tests.live.client import CANCELLED, Client
from bmat.tests.live.processes import wait_until
from bmat.tests.live.stack import Stack
from bmat.tests.samples import PLAYS, PLAYS_TOTALS

NAMES = ".list-name a"


def act(verb: str, name: str) -> str:
    """The button that does this to the report of that name."""
    return f'button[aria-label="{verb} {name}"]'


def is_gone(client: Client, pid: str) -> bool:
    return client.get(pid).status_code == 404


def test_a_report_is_found_by_its_name_and_state_and_the_address_says_so(
    analyst: Analyst, client: Client
) -> None:
    client.done(client.upload(PLAYS, "found.csv"))
    client.finished(client.upload(b"no,header\n", "found to fail.csv"))
    analyst.go_home("?state=failed")
    analyst.see(".list-trouble", "The header has no column")
    assert analyst.texts(NAMES) == ["found to fail.csv"]
    analyst.choose("select[name=state]", "done")
    analyst.fill_in("input[name=q]", "FOUND")
    analyst.see(NAMES, "found.csv")
    analyst.wait("location.search === '?q=FOUND&state=done'")
    analyst.fill_in("input[name=q]", " of no report")
    analyst.see(".list-empty", "No report is like that.")
    analyst.click(".list-empty button")
    analyst.see(NAMES, "found to fail.csv")
    assert analyst.url == analyst.home


def test_a_report_is_cancelled_and_tried_again(
    locked: Stack, analyst: Analyst, client: Client
) -> None:
    with locked.resting():
        pid = client.upload(PLAYS, "cancelled.csv")
        analyst.go_home("?q=cancelled")
        analyst.click(act("Cancel", "cancelled.csv"))
        analyst.click(act("Try again:", "cancelled.csv"))
        wait_until(lambda: client.body(pid)["status"] != CANCELLED, SECONDS, "it to be tried again")
    analyst.see(".list-state .done", "Done")
    assert client.download(client.done(pid)) == PLAYS_TOTALS


def test_a_deleted_report_stays_for_those_who_undo_it(analyst: Analyst, client: Client) -> None:
    pid = client.upload(PLAYS, "kept.csv")
    client.done(pid)
    analyst.go_home("?q=kept")
    analyst.click(act("Delete", "kept.csv"))
    analyst.see(".is-removed", "kept.csv is deleted.")
    analyst.press(Keys.ENTER)
    analyst.see(NAMES, "kept.csv")
    assert not is_gone(client, pid)


def test_a_deleted_report_is_gone_once_the_page_is_left(analyst: Analyst, client: Client) -> None:
    pid = client.upload(PLAYS, "left.csv")
    client.done(pid)
    analyst.go_home("?q=left")
    analyst.click(act("Delete", "left.csv"))
    analyst.see(".is-removed", "left.csv is deleted.")
    assert not is_gone(client, pid)
    analyst.open("about:blank")
    wait_until(lambda: is_gone(client, pid), SECONDS, "the report to be deleted")


def test_a_deleted_report_is_gone_after_ten_seconds(analyst: Analyst, client: Client) -> None:
    pid = client.upload(PLAYS, "late.csv")
    client.done(pid)
    analyst.go_home("?q=late")
    analyst.click(act("Delete", "late.csv"))
    wait_until(lambda: is_gone(client, pid), SECONDS, "the report to be deleted")
    analyst.see(".list-empty", "No report is like that.")


def test_the_list_changes_by_itself(locked: Stack, analyst: Analyst, client: Client) -> None:
    with locked.resting():
        pid = client.upload(PLAYS, "watched.csv")
        analyst.go_home("?q=watched")
        analyst.see(".list-state .processing")
    analyst.see(".list-state .done", "Done")
    assert client.body(pid)["state"] == "done"


def test_two_reports_are_picked_to_be_compared_with_the_keyboard_alone(
    analyst: Analyst, client: Client
) -> None:
    pids = [client.upload(PLAYS, f"picked {number}.csv") for number in range(2)]
    for pid in pids:
        client.done(pid)
    analyst.go_home("?q=picked")
    analyst.wait("document.querySelectorAll('.list-pick input').length === 2")
    analyst.script("document.querySelector('select[name=state]').focus()")
    # The first report's box, its name, its button; the second one's box.
    analyst.press(Keys.TAB)
    analyst.press(Keys.SPACE)
    analyst.see(".compare-bar", "Pick another report to compare it with.")
    for _ in range(3):
        analyst.press(Keys.TAB)
    analyst.press(Keys.SPACE)
    link = analyst.see(".compare-bar a", "Compare")
    assert link.get_attribute("href") == f"{analyst.home}reports/{pids[1]}/compare/{pids[0]}"


def test_more_reports_are_shown_if_somebody_asks(analyst: Analyst, client: Client) -> None:
    for number in range(51):
        client.upload(PLAYS, f"one of many {number}.csv")
    analyst.go_home("?q=one of many")
    analyst.click(".list-more button")
    analyst.wait("document.querySelectorAll('.list tbody tr').length === 51")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_list_is_for_everybody(analyst: Analyst, client: Client, scheme: str) -> None:
    client.finished(client.upload(b"no,header\n", "for everybody.csv"))
    client.done(client.upload(PLAYS, "for everybody.csv"))
    feature = {"name": "prefers-color-scheme", "value": scheme}
    analyst.chrome("Emulation.setEmulatedMedia", features=[feature])
    analyst.go_home("?q=for everybody")
    analyst.see(".list-trouble", "The header has no column")
    analyst.click(".list-pick input")
    assert analyst.obstacles() == []
    analyst.chrome("Emulation.setEmulatedMedia", features=[])


def test_no_page_is_wider_than_a_phone(analyst: Analyst, client: Client) -> None:
    client.done(client.upload(PLAYS, f"{'a long name ' * 20}.csv"))
    analyst.go_home("?q=a long name")
    analyst.see(NAMES)
    assert not analyst.has_to_scroll("html", width_pixels=500)
    analyst.chrome(
        "Emulation.setDeviceMetricsOverride",
        width=360,
        height=780,
        deviceScaleFactor=1,
        mobile=False,
    )
    assert not analyst.script("return document.documentElement.scrollWidth > innerWidth")
    analyst.chrome("Emulation.clearDeviceMetricsOverride")
