"""schemathesis: requests made from the API's description, sane and insane, to the running service,
which asks who sends them; every check of every answer to every operation.
https://schemathesis.readthedocs.io/

`make schemathesis` does the same for SCHEMATHESIS_SECONDS.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bmat.tests import samples
from bmat.tests.live.people import TOKEN_VARIABLE
from bmat.tests.live.processes import PROJECT_FOLDER
from bmat.tests.live.stack import Stack

SECONDS = os.environ.get("SCHEMATHESIS_SECONDS", "")
# Without a time, the same requests each time.
SHORT = ["--max-examples=25", "--generation-deterministic"]
LONG = ["--max-time", SECONDS, "--generation-database=none"]
CHECKED = ["--checks=all", "--continue-on-failure", "--no-color", *(LONG if SECONDS else SHORT)]
# Most generated headers of an upload do not go together.
CHECKED += ["--suppress-health-check=filter_too_much"]
HOOKS = "bmat.tests.live.schemathesis_hooks"
READING = ["get_report", "get_output", "get_rejects", "get_rows", "get_summary"]


def outcome(stack: Stack, folder: Path, *arguments: str) -> str:
    """What schemathesis prints. Fails where a check did, or a request could not be made."""
    program = str(Path(sys.executable).with_name("schemathesis"))
    address = f"{stack.client.base_url}/api/schema/"
    token = stack.client.headers["Authorization"]
    hooks = {"SCHEMATHESIS_HOOKS": HOOKS, "PYTHONPATH": str(PROJECT_FOLDER), TOKEN_VARIABLE: token}
    done = subprocess.run(
        [program, "run", address, *CHECKED, *arguments],
        cwd=folder,
        env={**stack.environment, **hooks},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return done.stdout


def configuration(pid: str) -> str:
    """Lets the operations that read a report read this one."""
    parameters = f'parameters = {{ "path.pid" = "{pid}" }}'
    return "".join(
        f'[[operations]]\ninclude-operation-id = "{name}"\n{parameters}\n' for name in READING
    )


@pytest.mark.timeout(int(SECONDS or 0) + 360)
def test_it_keeps_its_word_on_every_operation(locked: Stack, tmp_path: Path) -> None:
    printed = outcome(locked, tmp_path)

    selected, tested = re.findall(r"(?:Selected|Tested): (\d+)", printed)
    assert selected == tested != "0"


@pytest.mark.timeout(int(SECONDS or 0) + 360)
def test_it_keeps_its_word_on_a_report_with_every_file(locked: Stack, tmp_path: Path) -> None:
    pid = locked.client.upload(samples.BAD_ROWS)
    assert locked.client.done(pid)["rejects_file"]
    (tmp_path / "schemathesis.toml").write_text(configuration(pid))
    names = [f"--include-operation-id={name}" for name in READING]

    printed = outcome(locked, tmp_path, *names)

    assert "No issues found" in printed
