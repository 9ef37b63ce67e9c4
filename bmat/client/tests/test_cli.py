"""The command `bmat`: what it prints, where, and with which exit code."""

import io
import json
import re
import sys
from pathlib import Path

import pytest

from bmat.client import cli, engine
from bmat.client.arguments import parser
from bmat.client.tests.service import REJECTS, TOKEN, TOTALS, Service

Captured = pytest.CaptureFixture[str]
DONE, FAILED, MISUSED, CANCELLED, TOO_MANY_REJECTS, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
TOTALS_TEXT = TOTALS.decode()


@pytest.fixture(autouse=True)
def at_the_service(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMAT_URL", service.url)


@pytest.fixture
def pid(service: Service) -> str:
    return str(service.add_report("plays\x1b[2J.csv", [])["pid"])


def bmat(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def test_submit_prints_the_pid(service: Service, small: Path, capsys: Captured) -> None:
    assert bmat("submit", small, "--delimiter", ";", "--strict", "--base", "that") == DONE
    assert capsys.readouterr().out.split() == list(service.reports)
    assert service.forms == [{"delimiter": [";"], "strict": ["true"], "base": ["that"]}]


def test_submit_waits_and_fetches_all_files(small: Path, tmp_path: Path, capsys: Captured) -> None:
    totals, rejects = tmp_path / "totals.csv", tmp_path / "rejects.csv"
    assert bmat("submit", small, "-o", totals, "--rejects", rejects) == DONE
    assert (totals.read_bytes(), rejects.read_bytes()) == (TOTALS, REJECTS)
    said = "plays.csv: done, 8 rows read, 1 rejected; 4 totals of 2,400 plays\n"
    assert capsys.readouterr().out == said


def test_submit_prints_totals_and_nothing_beside_them(
    service: Service, small: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    service.outcome["warnings"] = [{"code": "many_rejects", "message": "Look at them."}]
    assert bmat("submit", small, "-o", "-") == DONE
    said = capsysbinary.readouterr()
    assert said.out == TOTALS
    assert b"bmat: warning: Look at them.\nbmat: plays.csv: done" in said.err


def test_submit_makes_one_report_of_all_files_or_one_of_each(
    service: Service, small: Path, large: Path, capsys: Captured
) -> None:
    assert bmat("submit", small, large) == DONE
    assert bmat("submit", small, large, "--separately", "--wait", "--json") == DONE
    assert [len(contents) for contents in service.contents.values()] == [2, 1, 1]
    first, *others = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["input_name"] for line in others] == ["plays.csv", "large.csv"]


def test_what_is_wrong_with_one_file_does_not_keep_the_others_back(
    service: Service, small: Path, tmp_path: Path, capsys: Captured
) -> None:
    body = {"code": "upload_too_large", "message": "It is too large."}
    service.fail("POST", status=413, body=body)
    other = tmp_path / "other.csv"
    other.write_bytes(b"other")
    files = [small, tmp_path / "nowhere.csv", tmp_path, other]
    assert bmat("submit", "--separately", *files, "--max-rejects", "0", "--json") == 4
    assert [contents for contents in service.contents.values()] == [[b"other"]]
    said = capsys.readouterr()
    assert f"bmat: {small}: upload_too_large: It is too large.\n" in said.err
    assert f"bmat: {tmp_path / 'nowhere.csv'}: No such file or directory\n" in said.err
    lines = [json.loads(line) for line in said.out.splitlines()]
    codes = [line["error"]["code"] if line["error"] else line["state"] for line in lines]
    expected = ["upload_too_large", "os_error", "invalid_usage", "done", "too_many_rejects"]
    assert codes == expected


def test_several_reports_are_under_way_before_one_is_waited_for(
    service: Service, small: Path, large: Path
) -> None:
    assert bmat("submit", "--separately", small, large, "--wait") == DONE
    methods = [method for method, path, _ in service.requests if "/reports/" in path]
    assert methods[:3] == ["POST", "POST", "GET"]


def test_where_the_service_is_away_the_others_are_not_tried(
    service: Service, small: Path, large: Path
) -> None:
    service.fail("POST", status=503, times=1000)
    arguments = ["submit", "--separately", small, large, "--give-up-after", "0"]
    assert bmat(*arguments) == UNREACHABLE
    assert len(service.requests) == 1


def test_results_of_several_reports_have_no_single_place(small: Path, capsys: Captured) -> None:
    assert bmat("submit", "--separately", small, small, "-o", "x.csv") == MISUSED
    assert capsys.readouterr().err == (
        "bmat: -o and --rejects are for one report: leave --separately out.\n"
    )


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ({"state": "done", "status": 1}, DONE),
        ({"state": "failed", "status": 2}, FAILED),
        ({"state": "cancelled", "status": 3}, CANCELLED),
    ],
)
def test_the_exit_code_tells_how_the_report_has_ended(
    service: Service, small: Path, capsys: Captured, outcome: dict[str, object], code: int
) -> None:
    service.outcome = outcome
    assert bmat("submit", small, "--wait", "--json", "--quiet") == code
    assert json.loads(capsys.readouterr().out)["state"] == outcome["state"]


@pytest.mark.parametrize(
    ("most", "code"), [("1", DONE), ("0", TOO_MANY_REJECTS), ("12.5%", DONE), ("12%", 4)]
)
def test_it_ends_with_4_where_too_much_is_rejected(
    small: Path, tmp_path: Path, capsys: Captured, most: str, code: int
) -> None:
    totals = tmp_path / "totals.csv"
    assert bmat("submit", small, "--max-rejects", most, "-o", totals) == code
    assert totals.read_bytes() == TOTALS
    assert ("1 records of" in capsys.readouterr().err) == (code == 4)


def test_rejects_are_fetched_where_all_are(
    service: Service, small: Path, tmp_path: Path, capsys: Captured
) -> None:
    error = {"code": "no_valid_rows", "message": "All were rejected."}
    service.outcome = {"state": "failed", "status": 2, "error": error}
    rejects = tmp_path / "rejects.csv"
    assert bmat("submit", small, "--rejects", rejects) == FAILED
    assert rejects.read_bytes() == REJECTS
    assert "plays.csv: no_valid_rows: All were rejected." in capsys.readouterr().err


def test_it_says_that_there_are_no_rejects(
    service: Service, small: Path, tmp_path: Path, capsys: Captured
) -> None:
    service.outcome["rejects_file"] = None
    assert bmat("submit", small, "--rejects", tmp_path / "rejects.csv") == DONE
    said = f"bmat: nothing was rejected: {tmp_path / 'rejects.csv'} is not written\n"
    assert capsys.readouterr().err == said


def test_wrong_options_are_told_by_their_fields(small: Path, capsys: Captured) -> None:
    assert bmat("submit", small, "--delimiter", "no", "--json") == FAILED
    said = capsys.readouterr()
    assert "bmat:   delimiter: It is no delimiter.\n" in said.err
    error = json.loads(said.out)["error"]
    assert (error["code"], error["fields"]) == ("invalid", {"delimiter": ["It is no delimiter."]})


def test_it_gives_up_in_the_end_and_says_that_it_waits(
    service: Service, pid: str, capsys: Captured
) -> None:
    service.fail("GET", times=1000)
    assert bmat("status", pid, "--give-up-after", "0.3") == UNREACHABLE
    said = capsys.readouterr().err
    assert "; trying again in 0." in said
    assert "bmat: Gave up after 0 s: the connection to 127.0.0.1:" in said


def test_ctrl_c_leaves_the_report_running_and_says_how_to_go_on(
    pid: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bmat.client.client.Client.wait", interrupt)
    assert bmat("wait", pid, "--json") == INTERRUPTED
    assert f"Wait again: bmat wait {pid}" in capsys.readouterr().err


def interrupt(*arguments: object, **named: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("method", "arguments", "said"),
    [
        ("submit", ["submit", "{file}"], "The same command goes on"),
        ("download", ["download", "{pid}"], "goes on where it was"),
        ("report", ["status", "{pid}"], ""),
    ],
)
def test_ctrl_c_ends_all_commands(
    small: Path,
    pid: str,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr(f"bmat.client.client.Client.{method}", interrupt)
    assert bmat(*[each.format(file=small, pid=pid) for each in arguments]) == INTERRUPTED
    assert said in capsys.readouterr().err


def test_status_shows_a_report(service: Service, pid: str, capsys: Captured) -> None:
    assert bmat("status", pid) == DONE
    # Names are anybody's: they do not steer a terminal.
    assert capsys.readouterr().out.splitlines()[0] == r"plays\x1b[2J.csv: reading, 50%"
    service.outcome |= {"rows_left_out": 3, "warnings": [{"code": "x", "message": "Look."}]}
    assert bmat("status", pid) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("done, 8 rows read, 1 rejected, 3 left out; 4 totals of 2,400 plays")
    assert lines[1:] == [
        "  created  2026-11-01T10:00:00",
        "  expires  2026-12-01T10:00:00",
        "  warning  Look.",
    ]


def test_status_shows_why_a_report_has_failed(service: Service, pid: str, capsys: Captured) -> None:
    error = {"code": "missing_column", "message": "There is no column Song."}
    service.outcome = {"state": "failed", "status": 2, "error": error, "expires": None}
    service.looks_until_done = 1
    assert bmat("status", pid) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(": failed, missing_column")
    assert lines[-1] == "  error    There is no column Song."


def test_list_shows_reports_on_a_line_each(service: Service, pid: str, capsys: Captured) -> None:
    service.add_report("b.csv", [])
    assert bmat("cancel", pid) == DONE
    assert bmat("list", "--limit", "1") == DONE
    assert bmat("list", "--all", "--json") == DONE
    cancelled, listed, *others = capsys.readouterr().out.splitlines()
    assert cancelled.endswith("csv: cancelled")
    assert listed.endswith("  2026-11-01T10:00:01  b.csv: reading, 50%")
    assert [json.loads(line)["pid"] for line in others][1] == pid
    assert bmat("list", "--state", "failed", "--name", "x") == DONE
    assert capsys.readouterr().out == ""


def test_rows_are_csv(pid: str, capsys: Captured) -> None:
    assert bmat("rows", pid, "--limit", "2") == DONE
    said = 'song,date,plays\n"Song, 0",2020-01-02,0\n"Song, 1",2020-01-02,1\n'
    assert capsys.readouterr().out == said


def test_rows_pass_the_question_on(service: Service, pid: str, capsys: Captured) -> None:
    asked = ["--prefix", "In", "--from", "2020-01-01", "--to", "2020-01-31", "--grain", "week"]
    assert bmat("rows", pid, "--all", "--json", *asked, "--order=-plays") == DONE
    assert len(capsys.readouterr().out.splitlines()) == 5
    question = "limit=1000&to=2020-01-31&grain=week&order=-plays&song_prefix=In&from=2020-01-01"
    assert service.requests[-1][1].endswith(question)


def test_summary_and_compare_print_what_matters(pid: str, capsys: Captured) -> None:
    assert bmat("summary", pid) == bmat("compare", pid, "earlier") == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "8 rows read = 7 counted + 1 rejected + 0 left out"
    assert lines[1] == "4 totals of 2,400 plays, 2020-01-01 to no day"
    assert lines[3].split() == ["plays", "2,000", "In", "The", "End"]
    assert lines[4] == "new: 1, 0 -> 7 plays"
    assert lines[5].split() == ["+7", "New", "2020-01-01"]
    assert bmat("summary", pid, "--json") == DONE
    assert json.loads(capsys.readouterr().out)["plays_total"] == 2400


def test_download_and_rejects_print_without_a_place(
    pid: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert bmat("download", pid) == bmat("rejects", pid) == DONE
    assert capsysbinary.readouterr().out == TOTALS + REJECTS


def test_download_writes_a_format(service: Service, pid: str, tmp_path: Path) -> None:
    assert bmat("download", pid, "-o", tmp_path / "t.jsonl", "--format", "jsonl") == DONE
    assert (tmp_path / "t.jsonl").read_bytes() == TOTALS
    assert service.requests[-1][1].endswith("?format=jsonl")


def test_a_place_that_is_none_is_told_of(pid: str, tmp_path: Path, capsys: Captured) -> None:
    assert bmat("download", pid, "-o", tmp_path) == FAILED
    assert capsys.readouterr().err == f"bmat: {tmp_path}: Is a directory\n"


def test_cancel_retry_and_delete(service: Service, pid: str, capsys: Captured) -> None:
    assert bmat("cancel", pid) == bmat("retry", pid) == bmat("delete", pid) == DONE
    assert capsys.readouterr().out.splitlines()[2] == f"{pid} deleted"
    assert bmat("delete", pid) == FAILED
    assert capsys.readouterr().err == "bmat: not_found: Not found.\n"


def test_inspect_asks_the_engine_where_it_is(
    service: Service, small: Path, capsys: Captured
) -> None:
    assert bmat("inspect", small) == DONE
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  preset     default",
        "  encoding   utf-8",
        "  delimiter  ','",
        "  line ends  LF",
        "  header     line 1",
        "  columns    Song (song), Date (date), Number of Plays (plays)",
        "  line 2: 'Umbrella' on 2020-01-02: 200",
    ]
    assert service.requests == []


def test_inspect_follows_the_options(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(b"A report\nTrack;Date;Number of Plays\nUmbrella;2020-01-02;1\n")
    options = ["--song-column", "Track", "--delimiter", ";", "--header-line", "2"]
    assert bmat("inspect", path, *options) == DONE
    assert capsys.readouterr().out.endswith("  line 3: 'Umbrella' on 2020-01-02: 1\n")


def test_inspect_says_what_cannot_be_read(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "other.csv"
    path.write_bytes(b"Track;Day;Plays\n")
    assert bmat("inspect", path, "--json") == FAILED
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "missing_column"
    assert bmat("inspect", path, "--delimiter", "no") == MISUSED
    assert bmat("inspect", path) == FAILED
    assert "missing_column: " in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--remote"], []])
def test_inspect_asks_the_service_where_it_is_told_to_or_there_is_no_engine(
    small: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    if not arguments:
        monkeypatch.setattr(engine, "ENGINE", "nothing_of_this_name")
        monkeypatch.setattr(engine.is_here, "__defaults__", ("nothing_of_this_name",))
    assert bmat("inspect", small, *arguments) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert lines[6] == "  columns    Song (song), Price"
    assert lines[-1] == r"  line 3: missing_field: \x1b[2J"


def test_it_runs_the_engine(small: Path, tmp_path: Path, capsys: Captured) -> None:
    totals = tmp_path / "totals.csv"
    assert bmat("aggregate", small, "-o", totals) == DONE
    assert totals.read_bytes().endswith(b"Umbrella,2020-01-02,200\n")
    assert bmat("aggregate", tmp_path / "nowhere.csv", "-o", totals) == FAILED
    assert bmat("convert", totals, tmp_path / "totals.jsonl") == DONE
    assert (tmp_path / "totals.jsonl").exists()


def test_it_says_what_to_install_where_there_is_no_engine(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(engine.COMMANDS, "aggregate", ("nothing_of_this_name", []))
    assert bmat("aggregate", "--help") == MISUSED
    assert "bmat aggregate works on this machine itself, with the engine" in capsys.readouterr().err


def test_it_lists_all_commands(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        bmat("--help")
    assert ended.value.code == DONE
    said = capsys.readouterr().out
    for name in ("aggregate", "inspect", "submit", "status", "list", "rows", "watch", "login"):
        assert re.search(rf"^    {name}\s", said, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments",
    [[], ["sing"], ["submit"], ["status", "x", "--js"], ["wait", "x", "--max-rejects", "few"]],
)
def test_arguments_that_are_none_end_with_2(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        bmat(*arguments)
    assert ended.value.code == MISUSED


def test_it_says_its_version(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        bmat("--version")
    assert capsys.readouterr().out.startswith("bmat 1.")


def test_nobody_has_to_read_to_the_end(
    pid: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Closed(io.TextIOWrapper):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with (tmp_path / "out").open("wb") as file, Closed(file) as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert bmat("rows", pid) == FAILED


def test_login_keeps_the_token_and_logout_forgets_it(
    service: Service, home: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getpass", lambda prompt: "right")
    monkeypatch.setattr("builtins.input", lambda prompt: "alice")
    path = home / "config" / "bmat" / "client.toml"
    assert bmat("login") == DONE
    assert f"Logged in at {service.url} until 2027-01-01" in capsys.readouterr().out
    assert TOKEN in path.read_text()
    service.asks_for_token = True
    assert bmat("list") == bmat("logout") == DONE
    assert TOKEN not in path.read_text()
    assert bmat("list") == FAILED
    assert TOKEN not in "".join(capsys.readouterr())


def test_logout_needs_no_file(home: Path, capsys: Captured) -> None:
    assert bmat("logout", "--json") == DONE
    assert not (home / "config").exists()


def test_a_token_is_no_argument() -> None:
    commands = vars(parser()._subparsers._group_actions[0])["choices"]  # type: ignore[union-attr]
    options = {name for command in commands.values() for name in command._option_string_actions}
    assert {"--url", "--json", "--song-column"} <= options
    assert not {"--token", "--password"} & options


def test_settings_that_cannot_be_used_end_with_2(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BMAT_TOKEN", "secret-token")
    assert bmat("list", "--url", "http://bmat.example") == MISUSED
    said = capsys.readouterr().err
    assert "without TLS" in said
    assert "secret-token" not in said


def test_watch_prints_what_becomes_of_each_file(
    service: Service, small: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(3))

    def sleep(seconds: float) -> None:
        if next(looks, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr("bmat.client.watch.time.sleep", sleep)
    other = small.with_name("other.csv")
    other.write_bytes(b"x")
    service.fail("POST", status=413, body={"code": "upload_too_large", "message": "Too large."})
    arguments = ["watch", small.parent, "--settle", "0", "--pattern", "*.csv"]
    assert bmat(*arguments) == DONE
    said = capsys.readouterr()
    (pid,) = service.reports
    assert f"{other}: upload_too_large: Too large." in said.err
    assert said.out == f"{pid}  {small}\n"
