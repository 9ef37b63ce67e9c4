"""The settings of `make run`: who is answered, who has to log in, and what is kept at home."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import hosts
from config.generated import KEY_LENGTH, generate_once, secret_key

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
READ = """
import json, sys
from django.conf import settings
print(json.dumps([getattr(settings, name) for name in sys.argv[1:]]))
"""
PAGES = ["/static/api/docs.js", "/static/admin/css/base.css", "/api/docs/", "/"]
GET = """
import sys, django
django.setup()
from django.test import Client
def get(path, host):
    return Client().get(path, headers={"host": host})
print([get(path, "localhost:8000").status_code for path in sys.argv[1:]])
for host in ("evil.example", "evil {{1}}"):
    answer = get("/static/api/docs.js", host)
    print(answer.status_code, answer.content.decode(), end="")
"""
# Without the project's packages, whose import would take longer than the race.
KEEP_ONE = """
import runpy, secrets, sys
from pathlib import Path
generate_once = runpy.run_path("config/generated.py")["generate_once"]
sys.stdin.readline()
print(generate_once(Path(sys.argv[1]), secrets.token_hex))
"""
AT_ONCE = 12


def python(
    code: str, *arguments: str, home: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Runs Python with the settings of `make run`, in an environment of nothing but `variables`."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"PATH": os.environ["PATH"], **settings_at(home), **variables},
        cwd=PROJECT_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )


def settings_at(home: Path) -> dict[str, str]:
    return {"DJANGO_SETTINGS_MODULE": "config.settings.local", "BMAT_HOME": str(home)}


def values(home: Path, *names: str, **variables: str) -> list[Any]:
    """What the settings of these names are."""
    ended = python(READ, *names, home=home, **variables)
    assert ended.returncode == 0, ended.stderr
    found: list[Any] = json.loads(ended.stdout)
    return found


@pytest.fixture
def no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_ALLOWED_HOSTS", raising=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"])
def test_it_knows_what_only_this_machine_reaches(host: str) -> None:
    assert hosts.is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "mybox", "localhost.example", "0"])
def test_it_knows_what_others_may_reach(host: str) -> None:
    assert not hosts.is_loopback(host)


@pytest.mark.parametrize(
    "host, more",
    [("127.0.0.1", []), ("mybox", ["mybox"]), ("fd00::2", ["[fd00::2]"]), ("192.0.2.1", None)],
)
def test_it_answers_to_the_loopback_and_to_host(
    no_names: None, host: str, more: list[str] | None
) -> None:
    assert hosts.allowed(host) == LOOPBACK + ([host] if more is None else more)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_listening_everywhere_it_answers_to_what_the_machine_is_called(
    no_names: None, host: str
) -> None:
    names = hosts.allowed(host)

    assert {*LOOPBACK, socket.gethostname().lower()} <= set(names)
    assert not {"0.0.0.0", "[::]", "*"} & set(names)
    assert all(name.startswith("[") == (":" in name) for name in names)


def test_it_answers_to_names_that_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", "reports.example, 127.0.0.1")

    assert hosts.allowed("::1") == [*LOOPBACK, "reports.example"]


@pytest.mark.parametrize("sites", ["", "https://a.example, http://*.b.example:81"])
def test_it_reads_the_sites_that_are_trusted(monkeypatch: pytest.MonkeyPatch, sites: str) -> None:
    monkeypatch.setenv("DJANGO_CSRF_TRUSTED_ORIGINS", sites)

    assert hosts.trusted_origins() == [site for site in sites.split(", ") if site]


@pytest.mark.parametrize("site", ["a.example", "https://a.example/", "*", "https://a:b"])
def test_it_refuses_what_is_no_site(monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    monkeypatch.setenv("DJANGO_CSRF_TRUSTED_ORIGINS", site)

    with pytest.raises(ImproperlyConfigured, match="such as https://pages.example or"):
        hosts.trusted_origins()


def test_at_home_nobody_logs_in_and_nobody_is_shown_the_inside(tmp_path: Path) -> None:
    names = ["DEBUG", "BMAT_REQUIRE_AUTH", "BMAT_IS_PUBLIC", "ALLOWED_HOSTS"]

    assert values(tmp_path, *names) == [False, False, False, LOOPBACK]


def test_where_others_reach_it_they_have_to_log_in(tmp_path: Path) -> None:
    assert values(tmp_path, "BMAT_REQUIRE_AUTH", HOST="0.0.0.0") == [True]


def test_logins_can_be_turned_off_where_others_reach_it_but_not_unseen(tmp_path: Path) -> None:
    check = "import django; django.setup(); from django.core.management import call_command as c; "
    off = {"HOST": "0.0.0.0", "BMAT_REQUIRE_AUTH": "off"}

    ended = python(f"{check} c('check')", home=tmp_path, **off)

    assert (ended.returncode, "bmat.W001" in ended.stderr) == (0, True)


def test_it_shows_the_inside_only_at_home_and_where_it_is_asked_to(tmp_path: Path) -> None:
    assert values(tmp_path, "DEBUG", DJANGO_DEBUG="true") == [True]

    ended = python(READ, "DEBUG", home=tmp_path, DJANGO_DEBUG="true", HOST="192.0.2.1")

    said = "DJANGO_DEBUG shows the source and the settings to whoever reaches HOST=192.0.2.1"
    assert ended.returncode != 0
    assert said in ended.stderr


@pytest.mark.parametrize("debug", ["true", "false"])
def test_it_finds_static_files_pages_and_the_admin_for_a_host_of_its_own(
    tmp_path: Path, debug: str
) -> None:
    secret = "postgres://bmat:a-password@127.0.0.1:1/bmat"

    ended = python(GET, *PAGES, home=tmp_path, DJANGO_DEBUG=debug, CELERY_FLOWER_PASSWORD=secret)

    pages, other, malformed = ended.stdout.splitlines()
    assert pages == "[200, 200, 200, 200]", ended.stderr
    assert "Warning" not in ended.stderr
    assert other == malformed
    assert other == (
        "400 This service does not answer to the host name of this request. It answers to: "
        "localhost, 127.0.0.1, [::1]. DJANGO_ALLOWED_HOSTS=NAME, at its start, adds one."
    )


def test_it_makes_its_key_once_for_its_owner_alone(tmp_path: Path) -> None:
    [key] = values(tmp_path, "SECRET_KEY")
    file = tmp_path / "secret_key"

    assert values(tmp_path, "SECRET_KEY", DJANGO_SECRET_KEY="") == [key]
    assert (len(key), file.read_text(), file.stat().st_mode & 0o777) == (64, f"{key}\n", 0o600)


def test_a_key_that_is_given_goes_first_and_none_is_made(tmp_path: Path) -> None:
    given = "a key of whoever runs this"

    assert values(tmp_path, "SECRET_KEY", DJANGO_SECRET_KEY=given) == [given]
    assert not (tmp_path / "secret_key").exists()


def test_processes_that_start_at_once_agree_on_a_text(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KEEP_ONE, str(tmp_path / "text")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, cwd=PROJECT_FOLDER, **pipes) for _ in range(AT_ONCE)]
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()

    texts = {process.communicate()[0] for process in processes}

    assert texts == {(tmp_path / "text").read_text()}
    assert generate_once(tmp_path / "text", str) == texts.pop().strip()


def test_it_refuses_half_a_key(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("x" * (KEY_LENGTH - 1))

    with pytest.raises(ImproperlyConfigured, match="secret_key holds no whole key. Remove it"):
        secret_key(tmp_path)


def test_it_says_which_file_it_cannot_keep(tmp_path: Path) -> None:
    (tmp_path / "secret_key").mkdir()

    with pytest.raises(
        ImproperlyConfigured, match="secret_key must be a file .*: Is a directory. Or set DJANGO_"
    ):
        secret_key(tmp_path)


@pytest.mark.parametrize("seconds, is_enough", [("3599", False), ("3600", True)])
def test_nothing_is_swept_that_is_younger_than_an_hour(
    tmp_path: Path, seconds: str, is_enough: bool
) -> None:
    ended = python(READ, "BMAT_SWEEP_AGE_SECONDS", home=tmp_path, BMAT_SWEEP_AGE_SECONDS=seconds)

    assert (ended.returncode == 0) is is_enough
    refused = "BMAT_SWEEP_AGE_SECONDS must be at least 3600, not '3599'"
    assert (refused in ended.stderr) is not is_enough
