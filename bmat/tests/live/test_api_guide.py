"""docs/api.md, done as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from bmat.api.views.accounts import LOGIN
from bmat.tests import samples
from bmat.tests.live.processes import PROJECT_FOLDER, free_port
from bmat.tests.live.stack import Stack

GUIDE = (PROJECT_FOLDER / "docs" / "api.md").read_text()
WRITTEN = {
    "sh": "http://127.0.0.1:8000",
    "python": "http://127.0.0.1:8000",
    "bash": "https://bmat.example",
    "shell": "http://127.0.0.1:8000",
}


@pytest.fixture
def reader(tmp_path: Path) -> Path:
    """The folder of somebody who reads the guide."""
    (tmp_path / "samples").symlink_to(PROJECT_FOLDER / "samples")
    return tmp_path


def written(language: str) -> str:
    """All that the guide has in `language`."""
    return "".join(re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL))


def blocks(language: str, stack: Stack) -> str:
    """The same, for the service that runs."""
    found = written(language)
    assert WRITTEN[language] in found
    return found.replace(WRITTEN[language], stack.client.base_url)


def run(command: list[str], folder: Path) -> str:
    """What the command prints, with the packages of the tests."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": programs}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_works_with_curl(stack: Stack, reader: Path) -> None:
    printed = run(["sh", "-eu", "-c", blocks("sh", stack)], reader)

    assert samples.PLAYS_TOTALS.decode() in printed
    assert "idempotent-replayed: true" in printed.lower()
    _, gone, resumed = printed.partition(
        '{"code":"not_found","message":"Not found.","detail":"Not found."}'
    )
    assert gone and '"input_name":"plays.csv"' in resumed


def test_it_works_with_python(stack: Stack, reader: Path) -> None:
    printed = run([sys.executable, "-c", blocks("python", stack)], reader)

    assert printed == "2400 plays of 7 rows\n"
    assert (reader / "totals.csv").read_bytes() == samples.PLAYS_TOTALS


def test_it_works_with_a_token(locked: Stack, reader: Path) -> None:
    (reader / "password.txt").write_text(LOGIN["password"])

    printed = run(["sh", "-eu", "-c", blocks("bash", locked)], reader)

    assert '"input_name":"plays.csv"' in printed
    assert (reader / "bmat.curl").stat().st_mode & 0o777 == 0o600
    assert printed.rpartition("{")[2].startswith('"code":"invalid_token"')


def test_it_works_with_a_receiver(stack: Stack, reader: Path) -> None:
    port = str(free_port())
    (reader / "receiver.py").write_text(written("py").replace("9000", port))

    printed = run(["sh", "-eu", "-c", blocks("shell", stack).replace("9000", port)], reader)

    pid = printed.partition('"pid":"')[2].partition('"')[0]
    assert printed.endswith(f"report.done {pid}\n")


def test_its_page_finds_all_that_it_loads(stack: Stack) -> None:
    page = requests.get(f"{stack.client.base_url}/api/docs/", timeout=10)
    addresses = re.findall(r'(?:src|href|data-schema)="([^"]*)"', page.text)

    answers = [requests.get(f"{stack.client.base_url}{each}", timeout=10) for each in addresses]

    assert [answer.status_code for answer in answers] == [200] * 5
