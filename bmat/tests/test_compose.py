"""What must be true of the compose files; no container engine is needed to read them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bmat.taskapp.celery import LARGE, SMALL, WEBHOOKS

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
NAMES = ["local.yml", "production.yml"]
FULL_SET = {
    "django",
    "postgres",
    "redis",
    "celeryworker",
    "celeryworker-large",
    "celeryworker-webhooks",
    "celerybeat",
    "flower",
}
NGINX = (PROJECT_FOLDER / "compose/production/nginx/default.conf.template").read_text()
NGINX_FLOWER = (PROJECT_FOLDER / "compose/production/nginx/flower.conf.template").read_text()

Compose = dict[str, Any]


@pytest.fixture(params=NAMES)
def compose(request: pytest.FixtureRequest) -> Compose:
    return read(request.param)


def read(name: str) -> Compose:
    content: Compose = yaml.safe_load((PROJECT_FOLDER / name).read_text())
    return content


def dockerfiles() -> list[Path]:
    contexts = [
        service["build"]
        for name in NAMES
        for service in read(name)["services"].values()
        if "build" in service
    ]
    return sorted({PROJECT_FOLDER / build["context"] / build["dockerfile"] for build in contexts})


def variables(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_it_runs_the_full_set(compose: Compose) -> None:
    assert FULL_SET <= set(compose["services"])


def test_it_checks_the_health_of_every_service(compose: Compose) -> None:
    without = [
        name
        for name, service in compose["services"].items()
        if not service.get("healthcheck", {}).get("test")
    ]
    assert without == []


def test_it_waits_until_what_a_service_needs_is_healthy(compose: Compose) -> None:
    needs = [
        need
        for service in compose["services"].values()
        for need in service.get("depends_on", {}).items()
    ]
    assert len(needs) >= 7
    assert all(name in compose["services"] for name, _ in needs)
    assert {condition["condition"] for _, condition in needs} == {"service_healthy"}


def test_it_names_the_version_of_every_image(compose: Compose) -> None:
    tags = {service["image"].partition(":")[2] for service in compose["services"].values()}
    bases = [
        re.findall(r"^FROM .*:(\S+)", path.read_text(), re.MULTILINE) for path in dockerfiles()
    ]
    assert not tags & {"", "latest"}
    assert bases == [["3.13-slim"], ["3.13-slim"]]


def test_it_keeps_the_broker_over_a_restart_and_evicts_nothing(compose: Compose) -> None:
    redis = compose["services"]["redis"]
    assert "--appendonly yes" in redis["command"]
    assert "--maxmemory-policy noeviction" in redis["command"]
    assert redis["volumes"] == ["redis_data:/data"]


def test_it_shares_the_reports_between_web_server_and_worker(compose: Compose) -> None:
    workers = ("celeryworker", "celeryworker-large", "celeryworker-webhooks")
    for name in ("django", *workers):
        assert "bmat_home:/var/lib/bmat" in compose["services"][name]["volumes"]
    assert all("BMAT_HOME=/var/lib/bmat" in path.read_text() for path in dockerfiles())


def test_it_declares_every_named_volume(compose: Compose) -> None:
    mounts = [
        mount for service in compose["services"].values() for mount in service.get("volumes", [])
    ]
    named = {mount.partition(":")[0] for mount in mounts if not mount.startswith((".", "/"))}
    assert named == set(compose["volumes"])


def test_it_starts_scripts_that_are_there_and_executable(compose: Compose) -> None:
    own = [service["command"] for service in compose["services"].values() if "build" in service]
    scripts = [PROJECT_FOLDER / command.split()[0].removeprefix("/app/") for command in own]
    assert len(scripts) == 6
    assert all(script.stat().st_mode & 0o111 for script in scripts)


def test_it_stops_a_start_script_at_its_first_error() -> None:
    scripts = list((PROJECT_FOLDER / "compose").rglob("start"))
    assert len(scripts) == 4
    assert all(
        "set -o errexit -o pipefail -o nounset\n" in script.read_text() for script in scripts
    )


def test_it_consumes_every_queue(compose: Compose) -> None:
    commands = " ".join(str(each.get("command")) for each in compose["services"].values())
    assert set(re.findall(r"--queues (\w+)", commands)) == {SMALL, LARGE, WEBHOOKS}


@pytest.mark.parametrize("dockerfile", dockerfiles(), ids=lambda path: path.parent.parent.name)
def test_it_does_not_run_as_root(dockerfile: Path) -> None:
    users = re.findall(r"^USER (\S+)", dockerfile.read_text(), re.MULTILINE)
    assert users == ["bmat"]


@pytest.mark.parametrize("dockerfile", dockerfiles(), ids=lambda path: path.parent.parent.name)
def test_it_installs_only_what_the_lock_of_running_names(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    assert "COPY requirements/base.lock requirements/\n" in text
    assert re.findall(r"pip install .* -r (\S+)", text) == ["requirements/base.lock"]


def test_it_shows_flower_locally_to_the_documented_login() -> None:
    flower = read("local.yml")["services"]["flower"]
    login = variables(PROJECT_FOLDER / ".envs/.local/.django")
    assert flower["ports"] == ["127.0.0.1:5555:5555"]
    assert (login["CELERY_FLOWER_USER"], login["CELERY_FLOWER_PASSWORD"]) == ("user", "flower")


def test_it_publishes_only_the_proxy_in_production() -> None:
    services = read("production.yml")["services"]
    assert {name: service["ports"] for name, service in services.items() if "ports" in service} == {
        "nginx": ["80:80", "443:443"]
    }


def test_it_publishes_flower_in_production_only_where_another_file_says_so() -> None:
    services = read("production.flower.yml")["services"]
    assert list(services) == ["nginx"]
    assert services["nginx"]["ports"] == ["5555:5555"]
    template, at, _ = services["nginx"]["volumes"][0].split(":")
    assert (PROJECT_FOLDER / template).read_text() == NGINX_FLOWER
    assert at.startswith("/etc/nginx/templates/")


def test_it_gives_no_secret_away_in_production() -> None:
    example = PROJECT_FOLDER / ".envs/.production.example"
    django, postgres = variables(example / ".django"), variables(example / ".postgres")
    secrets = ["DJANGO_SECRET_KEY", "DATABASE_URL", "CELERY_FLOWER_USER", "CELERY_FLOWER_PASSWORD"]
    assert [django[name] for name in secrets] == [""] * 4
    assert postgres["POSTGRES_PASSWORD"] == ""


def test_it_tells_the_service_the_address_of_a_client_whatever_the_client_says() -> None:
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in NGINX


def test_it_does_not_turn_logins_off_in_production() -> None:
    assert "BMAT_REQUIRE_AUTH" not in (PROJECT_FOLDER / "production.yml").read_text()
    example = variables(PROJECT_FOLDER / ".envs/.production.example/.django")
    assert "BMAT_REQUIRE_AUTH" not in example


def test_it_lets_uploads_through_the_proxy_unbuffered_and_unlimited() -> None:
    assert "client_max_body_size 0;" in NGINX
    assert "proxy_request_buffering off;" in NGINX


def test_it_sets_the_header_that_the_service_trusts_whatever_a_client_sends() -> None:
    servers = [
        server
        for text in (NGINX, NGINX_FLOWER)
        for server in text.split("\nserver {")
        if "proxy_pass " in server
    ]
    assert len(servers) == 2
    for server in servers:
        assert server.count("proxy_set_header X-Forwarded-Proto https;") == 1
        # A location that sets a header of its own loses those of its server.
        assert len(set(re.findall(r"^ +(?=proxy_set_header)", server, re.MULTILINE))) == 1


def test_it_waits_for_whole_requests_of_all_but_uploads() -> None:
    _, _, uploads = NGINX.partition("location ~ ^/api/(reports|inspect|uploads|uploads/[^/]+)/?$ {")
    assert NGINX.count("proxy_request_buffering off;") == 1
    assert "proxy_request_buffering off;" in uploads.partition("}")[0]
    assert "client_max_body_size 64k;" in NGINX


def test_it_lets_the_proxy_send_the_files_of_the_service_and_change_none() -> None:
    services = read("production.yml")["services"]
    prefix = services["django"]["environment"]["BMAT_ACCEL_PREFIX"]
    location = NGINX.partition(f"location {prefix} {{\n")[2].partition("\n    }\n")[0]
    assert "internal;" in location
    assert "alias /var/lib/bmat/reports/;" in location
    assert "bmat_home:/var/lib/bmat:ro" in services["nginx"]["volumes"]


@pytest.mark.parametrize("dockerfile", dockerfiles(), ids=lambda path: path.parent.parent.name)
def test_it_compiles_as_the_user_that_runs_into_a_folder_of_that_user(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    assert "BMAT_KERNEL_CACHE=/var/cache/bmat" in text
    assert re.search(r"install -d -o bmat -g bmat .*/var/cache/bmat", text)
    _, _, as_user = text.partition("USER bmat\n")
    assert "RUN python -m bmat.aggregation.kernels\n" in as_user
