"""The client, over connections that break, to servers that die, and killed itself."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bmat.client import Client
from bmat.client.retries import RetryPolicy
from bmat.tests import samples
from bmat.tests.live.cutting_proxy import CuttingProxy, cutting
from bmat.tests.live.generated_plays import as_csv, plays
from bmat.tests.live.processes import PROJECT_FOLDER, ServerProcess, free_port, wait_until
from bmat.tests.live.stack import START_SECONDS, Stack

CUT_AFTER_BYTES = 3_000_000
MOST_SENT = 1.1
BMAT = [sys.executable, "-m", "bmat.client"]
IMPATIENT = RetryPolicy(120.0, 0.05, 1.0)
RUN_SECONDS = 100.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A play log of 25 MB, and its totals."""
    content, totals = as_csv(plays(1_000_000))
    path = tmp_path_factory.mktemp("log") / "plays.csv"
    path.write_bytes(content)
    return path, totals


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "plays.csv"
    path.write_bytes(samples.PLAYS)
    return path


def bmat(url: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """One run of the command, with the service at `url`."""
    return subprocess.run(
        [*BMAT, *map(str, arguments)],
        cwd=PROJECT_FOLDER,
        env={**os.environ, "BMAT_URL": url},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def check_sent(proxy: CuttingProxy, path: Path, what: str) -> None:
    """Fails where much more than the file was sent."""
    share = proxy.sent_bytes / path.stat().st_size
    print(f"{what}: {proxy.sent_bytes:,} bytes sent, {share:.1%} of the file")
    assert share <= MOST_SENT


@pytest.mark.parametrize("is_checked", [True, False], ids=["with checksums", "without"])
def test_it_sends_hardly_more_than_the_file_over_a_connection_that_is_cut(
    stack: Stack,
    log: tuple[Path, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_checked: bool,
) -> None:
    path, totals = log
    if not is_checked:
        monkeypatch.setattr("bmat.client.uploads.ALGORITHMS", ())
    with (
        cutting(CuttingProxy(stack.web_port, CUT_AFTER_BYTES)) as proxy,
        Client(proxy.url, policy=IMPATIENT) as client,
    ):
        report = client.wait(client.submit(path)["pid"])
        client.download(report["pid"], tmp_path / "totals.csv")
    assert (tmp_path / "totals.csv").read_bytes() == totals
    assert proxy.cuts >= 7
    check_sent(proxy, path, f"cut {proxy.cuts} times")


@pytest.fixture
def web(stack: Stack, tmp_path: Path) -> Iterator[tuple[ServerProcess, int]]:
    """A web server beside that of the stack, and its port."""
    port = free_port()
    start = str(PROJECT_FOLDER / "compose" / "production" / "django" / "start")
    web = ServerProcess("web-that-dies", [start], tmp_path)
    try:
        begin(web, stack, port)
        yield web, port
    finally:
        web.stop()


def begin(web: ServerProcess, stack: Stack, port: int) -> None:
    """Start the web server, and wait until it takes requests."""
    web.start({**stack.environment, "PORT": str(port)})
    ready = type(stack.client)(f"http://127.0.0.1:{port}").answers
    web.wait_until_ready(ready, START_SECONDS)


@pytest.mark.timeout(400)
def test_it_sends_hardly_more_than_the_file_to_a_server_that_is_killed_three_times(
    stack: Stack, web: tuple[ServerProcess, int], log: tuple[Path, bytes], tmp_path: Path
) -> None:
    path, totals = log
    server, port = web
    kills = [path.stat().st_size * part // 4 for part in (1, 2, 3)]

    def kill(sent: int) -> None:
        if kills and sent > kills[0]:
            kills.pop(0)
            server.kill()
            begin(server, stack, port)

    with (
        cutting(CuttingProxy(port, on_sent=kill)) as proxy,
        Client(proxy.url, policy=IMPATIENT) as client,
    ):
        pid = client.submit(path)["pid"]
        client.wait(pid)
        client.download(pid, tmp_path / "totals.csv")
    assert kills == []
    assert (tmp_path / "totals.csv").read_bytes() == totals
    check_sent(proxy, path, "server killed 3 times")


def test_a_client_that_was_killed_goes_on_where_it_was(
    stack: Stack, log: tuple[Path, bytes], tmp_path: Path
) -> None:
    path, totals = log
    clients: list[subprocess.Popen[bytes]] = []
    half = path.stat().st_size // 2

    def kill(sent: int) -> None:
        if sent > half and clients:
            clients.pop().kill()

    with cutting(CuttingProxy(stack.web_port, on_sent=kill)) as proxy:
        command = [*BMAT, "submit", str(path), "--quiet"]
        first = subprocess.Popen(
            command, cwd=PROJECT_FOLDER, env={**os.environ, "BMAT_URL": proxy.url}
        )
        clients.append(first)
        assert first.wait(RUN_SECONDS) == -signal.SIGKILL
        output = tmp_path / "totals.csv"
        second = bmat(proxy.url, "submit", path, "--json", "-o", output)
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["rows_read"] == 1_000_000
    assert output.read_bytes() == totals
    check_sent(proxy, path, "client killed once")


def test_several_files_are_one_report(stack: Stack, small: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_bytes(samples.PLAYS)
    done = bmat(stack.client.base_url, "submit", small, more, "--wait", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plays_total"] == 2 * 2400


def test_submit_fetches_the_totals(stack: Stack, small: Path, tmp_path: Path) -> None:
    done = bmat(stack.client.base_url, "submit", small, "--wait", "-o", tmp_path / "totals.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "plays.csv: done, 7 rows read, 0 rejected; 4 totals of 2,400 plays\n"
    assert (tmp_path / "totals.csv").read_bytes() == samples.PLAYS_TOTALS


def test_exit_codes_tell_what_has_happened(stack: Stack, small: Path, tmp_path: Path) -> None:
    url, bad, other = stack.client.base_url, tmp_path / "bad.csv", tmp_path / "other.csv"
    bad.write_bytes(samples.BAD_ROWS)
    other.write_bytes(b"no,header\n")
    assert bmat(url, "submit", other, "--wait").returncode == 1
    assert bmat(url, "submit", small, "--delimiter", "no").returncode == 1
    assert bmat(url, "submit", bad, "--max-rejects", "50%").returncode == 4
    assert bmat(url, "submit", bad, "--max-rejects", "7").returncode == 0
    gone = bmat(f"http://127.0.0.1:{free_port()}", "list", "--give-up-after", "0.2")
    assert gone.returncode == 5


def test_questions_are_answered(stack: Stack, small: Path) -> None:
    url = stack.client.base_url
    pid = bmat(url, "submit", small).stdout.strip()
    assert bmat(url, "wait", pid).returncode == 0
    rows = bmat(url, "rows", pid, "--prefix", "Umb", "--order=-plays", "--all").stdout
    assert rows == "song,date,plays\nUmbrella,2020-01-02,250\nUmbrella,2020-01-01,150\n"
    assert "2,400 plays, 2020-01-01 to 2020-01-02" in bmat(url, "summary", pid).stdout
    assert "same: 2, 2,400 -> 2,400 plays" in bmat(url, "compare", pid, pid).stdout
    assert pid in bmat(url, "list", "--state", "done").stdout
    assert "header     line 1" in bmat(url, "inspect", "--remote", small).stdout
    lines = bmat(url, "download", pid, "--format", "jsonl").stdout
    assert json.loads(lines.splitlines()[0])["song"] == "In The End"
    assert bmat(url, "rejects", pid).stderr.startswith("bmat: no_file: ")
    assert bmat(url, "retry", pid).stderr.startswith("bmat: not_retryable: ")
    assert bmat(url, "delete", pid).returncode == 0
    assert bmat(url, "status", pid).stderr == "bmat: not_found: Not found.\n"


def test_watch_submits_each_file_once_over_a_restart(stack: Stack, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    watcher = ServerProcess("watch", [*BMAT, "watch", str(inbox), "--settle", "0.3"], tmp_path)
    environment = {**os.environ, "BMAT_URL": stack.client.base_url, "PYTHONUNBUFFERED": "1"}

    def drop(*names: str) -> None:
        for name in names:
            (inbox / name).write_bytes(samples.PLAYS)

    def wait_for(*names: str) -> None:
        """Wait until these files have been submitted."""
        for name in names:
            path = f"  {inbox / name}\n"
            wait_until(lambda: path in watcher.log(), 30, name, watcher.log_tail)

    try:
        drop("a.csv", "b.csv", "c.csv.part")
        watcher.start(environment)
        wait_for("a.csv", "b.csv")
        os.kill(watcher.pid, signal.SIGTERM)
        wait_until(lambda: watcher.exit_code() == 0, 10, "it to end", watcher.log_tail)
        drop("d.csv")
        watcher.start(environment)
        wait_for("d.csv")
        watcher.kill()
        drop("e.csv")
        watcher.start(environment)
        wait_for("e.csv")
    finally:
        watcher.stop()
    lines = [line for line in watcher.log().splitlines() if str(inbox / "") in line]
    names = sorted(Path(line).name for line in lines if not line.startswith("bmat: "))
    assert names == ["a.csv", "b.csv", "d.csv", "e.csv"]


def test_login_keeps_a_token_that_opens_what_is_locked(
    locked: Stack, small: Path, home: Path
) -> None:
    from bmat.api.views.accounts import LOGIN

    url = locked.client.base_url
    assert bmat(url, "list").returncode == 1
    with Client(url) as client:
        token = client.login(LOGIN["username"], LOGIN["password"])["token"]
    os.environ["BMAT_TOKEN"] = token
    try:
        assert bmat(url, "submit", small, "--wait").returncode == 0
        assert token not in str(bmat(url, "submit", small, "--wait", "--json"))
        assert bmat(url, "logout").returncode == 0
        assert bmat(url, "list").returncode == 1
    finally:
        del os.environ["BMAT_TOKEN"]


def test_the_guide_works_as_it_says(stack: Stack, tmp_path: Path) -> None:
    guide = (PROJECT_FOLDER / "docs" / "client.md").read_text()
    (tmp_path / "samples").symlink_to(PROJECT_FOLDER / "samples")
    command = tmp_path / "bmat"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(BMAT)} "$@"\n')
    command.chmod(0o755)
    environment = {**os.environ, "BMAT_URL": stack.client.base_url}
    environment |= {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT_FOLDER)}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    shell = "".join(re.findall(r"```sh\n(.*?)```", guide, re.DOTALL))
    first, *others = run("sh", "-eu", "-c", shell).splitlines(keepends=True)
    assert f"```\n{first}```" in guide
    assert "Umbrella,2020-01-02,250\n" in others
    (program,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    program = program.replace("http://127.0.0.1:8000", stack.client.base_url)
    said = run(sys.executable, "-c", program)
    assert said == "2020-01-02 250\n2020-01-01 150\n404 not_found\n"
    assert (tmp_path / "totals.csv").read_bytes() == samples.PLAYS_TOTALS
