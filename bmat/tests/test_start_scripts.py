"""The start scripts, run as plain processes: they do not start without what they need, and need no
shell or tool newer than those of a Mac, whose bash is 3.2.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
SCRIPTS = PROJECT_FOLDER / "compose" / "production"
FLOWER_LOGIN = {"CELERY_FLOWER_USER": "watcher", "CELERY_FLOWER_PASSWORD": "a long password"}
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.production",
    "DJANGO_SECRET_KEY": "a key of the tests, which is long enough for every check of Django's",
    "DJANGO_ALLOWED_HOSTS": "bmat.example",
    "DATABASE_URL": "postgres://bmat:unused@127.0.0.1:1/bmat",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
}

SHELL_SCRIPTS = [
    *sorted((PROJECT_FOLDER / "scripts").glob("*.sh")),
    *sorted((PROJECT_FOLDER / "compose").rglob("start")),
    PROJECT_FOLDER / ".ci" / "run",
]
# What bash 3.2 does not know (an empty array counts as unset there), and what only GNU's tools do.
UNKNOWN_TO_A_MAC = re.compile(
    r"\$\{\w+(\^|,)|\$\{\w+\[@\]\}|\b(declare|local|typeset) -\w*[Ang]"
    r"|\b(mapfile|readarray|coproc)\b|&>>|\|&|\bwait -n|\bsed\b.* -i|\breadlink -f"
    r"|\bdate\b.* -d|\bgrep -\w*P|\bmktemp --"
)


def start(
    service: str, environment: dict[str, str], home: Path
) -> subprocess.CompletedProcess[str]:
    """Run a start script that is expected to end at once."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [str(SCRIPTS / service / "start")],
        env={"PATH": path, "BMAT_HOME": str(home), **environment},
        cwd=PROJECT_FOLDER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_script(script: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts behind `make run`, which is expected to end by itself."""
    return subprocess.run(
        [sys.executable, str(PROJECT_FOLDER / "scripts" / script)],
        env={**os.environ, "BMAT_HOME": str(home), **environment},
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def without(variable: str, environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name != variable}


@pytest.mark.parametrize("variable", sorted(FLOWER_LOGIN))
def test_flower_does_not_start_without_its_login(tmp_path: Path, variable: str) -> None:
    ended = start("flower", PRODUCTION | without(variable, FLOWER_LOGIN), tmp_path)
    assert ended.returncode != 0
    assert f"Set {variable}." in ended.stderr


@pytest.mark.parametrize("variable", sorted(FLOWER_LOGIN))
def test_flower_does_not_start_with_an_empty_login(tmp_path: Path, variable: str) -> None:
    ended = start("flower", PRODUCTION | FLOWER_LOGIN | {variable: ""}, tmp_path)
    assert ended.returncode != 0
    assert f"Set {variable}." in ended.stderr


def test_flower_does_not_start_with_a_password_that_it_would_read_as_two(tmp_path: Path) -> None:
    login = FLOWER_LOGIN | {"CELERY_FLOWER_PASSWORD": "short,x"}
    ended = start("flower", PRODUCTION | login, tmp_path)
    assert ended.returncode != 0
    assert "must hold no comma" in ended.stderr


@pytest.mark.parametrize(
    "variable", ["DJANGO_SECRET_KEY", "DJANGO_ALLOWED_HOSTS", "DATABASE_URL", "CELERY_BROKER_URL"]
)
def test_the_web_server_does_not_start_without_its_settings(tmp_path: Path, variable: str) -> None:
    ended = start("django", without(variable, PRODUCTION), tmp_path)
    assert ended.returncode != 0
    assert variable in ended.stderr


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("PORT", "http", "PORT must be a port number from 1 to 65535, not 'http'"),
        ("FLOWER_PORT", "70000", "FLOWER_PORT must be a port number from 1 to 65535, not '70000'"),
        ("CELERY_FLOWER_PASSWORD", "short,x", "must hold no comma"),
        ("VERBOSE", "loud", "VERBOSE must be 1 or 0, not 'loud'"),
    ],
)
def test_make_run_names_the_setting_that_it_cannot_follow(
    tmp_path: Path, variable: str, value: str, complaint: str
) -> None:
    ended = run_script("run.py", tmp_path, **{variable: value})
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", SHELL_SCRIPTS, ids=lambda path: path.name)
def test_a_script_needs_no_newer_shell_than_a_mac_has(script: Path) -> None:
    text = script.read_text()
    assert not UNKNOWN_TO_A_MAC.search(text), UNKNOWN_TO_A_MAC.search(text)
    shell = text.splitlines()[0].removeprefix("#!").split("/")[-1].split()[-1]
    assert shell == ("sh" if script.suffix == ".sh" else "bash")
    subprocess.run([shell, "-n", str(script)], check=True)


@pytest.mark.parametrize(
    ("queue", "started"), [("large", "scripts/politely.sh celery"), ("small", "celery")]
)
def test_a_worker_for_large_reports_makes_way(queue: str, started: str) -> None:
    # The last command of the script is printed instead.
    script = (SCRIPTS / "celeryworker" / "start").read_text().replace('exec "$@"', 'echo "$*"')
    command = ["bash", "-c", script, "start", "--queues", queue]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed.startswith(f"{started} --app bmat.taskapp.celery worker ")
    assert printed.endswith(f" --concurrency 4 --queues {queue}\n")


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("BMAT_MEMORY_BUDGET", "much", "BMAT_MEMORY_BUDGET must be a size in bytes such as "),
        (
            "DATABASE_URL",
            "postgres://bmat:unused@127.0.0.1:1/bmat",
            "The database cannot be used: ",
        ),
        ("BMAT_LEASE_SECONDS", "1", "SystemCheckError: System check identified some issues:"),
    ],
)
def test_preparing_says_what_is_wrong_in_a_sentence(
    tmp_path: Path, variable: str, value: str, complaint: str
) -> None:
    local = {"DJANGO_SETTINGS_MODULE": "config.settings.local"}
    ended = run_script("prepare.py", tmp_path, **local, **{variable: value})
    assert ended.returncode == 1
    assert ended.stderr.startswith(complaint)
    assert "Traceback" not in ended.stderr


def test_preparing_counts_each_kernel_and_makes_the_database(tmp_path: Path) -> None:
    ended = run_script("prepare.py", tmp_path, DJANGO_SETTINGS_MODULE="config.settings.local")
    assert (ended.returncode, ended.stderr) == (0, "")
    *_, last_kernel, kernels, database = ended.stdout.splitlines()
    count, _, total = last_kernel.removeprefix("Compiling kernels: ").partition(" of ")
    assert count == total
    assert kernels.startswith("Kernels   ready (")
    assert database.startswith("Database  ready (")
    assert (tmp_path / "db.sqlite3").exists()
