"""Settings fail loudly: a wrong environment variable is named, with what is accepted."""

import os
import re
import subprocess
import sys
from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment

PRODUCTION = {
    "DJANGO_SECRET_KEY": "x1" * 40 + "abcdefgh",
    "DJANGO_ALLOWED_HOSTS": "bmat.example",
    "DATABASE_URL": "postgres://bmat:unused@postgres.invalid:5432/bmat",
    "CELERY_BROKER_URL": "redis://redis.invalid:6379/0",
}


def refused(message):
    return pytest.raises(ImproperlyConfigured, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(
    "value, size_bytes",
    [("1", 1), ("10b", 10), ("1KiB", 1024), ("512 MiB", 2**29), ("1gib", 2**30), ("2TiB", 2**41)],
)
def test_it_reads_sizes(monkeypatch, value, size_bytes):
    monkeypatch.setenv("SIZE", value)
    assert environment.size_bytes("SIZE", "1") == size_bytes


@pytest.mark.parametrize("value", ["0", "-1", "1GB", "1.5GiB", "lots", "٣"])
def test_it_refuses_other_sizes(monkeypatch, value):
    monkeypatch.setenv("SIZE", value)
    accepted = "must be a size in bytes such as 1073741824, 512MiB or 1GiB"
    with refused(f"SIZE {accepted}, not {value!r}"):
        environment.size_bytes("SIZE", "1")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "²"])
def test_it_refuses_what_is_no_whole_number(monkeypatch, value):
    monkeypatch.setenv("NUMBER", value)
    with refused(f"NUMBER must be a whole number of 1 or more, not {value!r}"):
        environment.whole_number("NUMBER", 5)


@pytest.mark.parametrize("value, number", [("30", 30.0), ("0.5", 0.5), ("1.0", 1.0)])
def test_it_reads_numbers(monkeypatch, value, number):
    monkeypatch.setenv("NUMBER", value)
    assert environment.number("NUMBER", 5) == number


@pytest.mark.parametrize("value", ["0", "0.0", "-1", "1e3", ".5", "nan", "٣"])
def test_it_refuses_other_numbers(monkeypatch, value):
    monkeypatch.setenv("NUMBER", value)
    with refused(f"NUMBER must be a number above 0 such as 30 or 0.5, not {value!r}"):
        environment.number("NUMBER", 5)


def test_it_refuses_numbers_beyond_a_maximum(monkeypatch):
    monkeypatch.setenv("DAYS", "36500")
    assert environment.number("DAYS", 90, maximum=36500) == 36500
    monkeypatch.setenv("DAYS", "36500.5")
    with refused("DAYS must be at most 36500, not '36500.5'"):
        environment.number("DAYS", 90, maximum=36500)


def test_it_refuses_whole_numbers_beyond_a_maximum(monkeypatch):
    monkeypatch.setenv("INPUTS", "1000")
    assert environment.whole_number("INPUTS", 1, maximum=1000) == 1000
    monkeypatch.setenv("INPUTS", "1001")
    with refused("INPUTS must be at most 1000, not '1001'"):
        environment.whole_number("INPUTS", 1, maximum=1000)


def test_it_takes_the_default_where_a_variable_is_unset_or_empty(monkeypatch):
    monkeypatch.setenv("NUMBER", "")
    assert environment.whole_number("NUMBER", 5) == 5
    assert environment.text("UNSET_TEXT", "default") == "default"


def test_it_refuses_an_unset_variable_without_default():
    with refused("Set the environment variable UNSET_TEXT: it has no default here"):
        environment.text("UNSET_TEXT")


def test_it_reads_names(monkeypatch):
    monkeypatch.setenv("HOSTS", " a.example, b.example ,")
    assert environment.names("HOSTS") == ["a.example", "b.example"]


def test_it_refuses_a_list_without_names(monkeypatch):
    monkeypatch.setenv("HOSTS", " , ")
    with refused("HOSTS must hold one or more names, separated by commas"):
        environment.names("HOSTS")


def test_it_reads_networks(monkeypatch):
    monkeypatch.setenv("NETWORKS", "10.20.0.0/16, 127.0.0.1,fd00::/8,")
    expected = [ip_network("10.20.0.0/16"), ip_network("127.0.0.1/32"), ip_network("fd00::/8")]
    assert environment.networks("NETWORKS") == expected
    assert environment.networks("NOT_SET") == []


@pytest.mark.parametrize(
    "value, why",
    [
        ("10.20.0.1/16", "10.20.0.1/16 has host bits set"),
        ("all", "'all' does not appear to be an IPv4 or IPv6 network"),
    ],
)
def test_it_refuses_what_is_no_network(monkeypatch, value, why):
    monkeypatch.setenv("NETWORKS", f"127.0.0.0/8,{value}")
    message = "NETWORKS must hold networks such as 10.0.0.0/8, separated by commas: "
    with refused(message + why):
        environment.networks("NETWORKS")


@pytest.mark.parametrize(
    "value, address",
    [
        ("", ""),
        ("https://bmat.example/", "https://bmat.example"),
        ("http://10.0.0.1:8000/behind", "http://10.0.0.1:8000/behind"),
    ],
)
def test_it_reads_an_address(monkeypatch, value, address):
    monkeypatch.setenv("ADDRESS", value)
    assert environment.web_address("ADDRESS") == address


@pytest.mark.parametrize("value", ["bmat.example", "ftp://x", "https://", "https://a?b", "/api"])
def test_it_refuses_what_is_no_address(monkeypatch, value):
    monkeypatch.setenv("ADDRESS", value)
    message = f"ADDRESS must be an address such as https://bmat.example, not {value!r}"
    with refused(message):
        environment.web_address("ADDRESS")


def test_it_reads_a_key_and_refuses_a_short_one(monkeypatch):
    monkeypatch.setenv("KEY", "k" * 32)
    assert (environment.key("KEY"), environment.key("NOT_SET")) == ("k" * 32, "")
    monkeypatch.setenv("KEY", "k" * 31)
    make = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
    with refused(f"KEY must have at least 32 characters. Make one: {make}"):
        environment.key("KEY")


def test_it_refuses_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with refused(
        f"BMAT_HOME must be a folder that this process may write in: {tmp_path}/file/a: "
        "Not a directory"
    ):
        environment.make_folders([tmp_path / "file/a"])


def test_it_reads_a_postgres_url(monkeypatch):
    monkeypatch.setenv("DB", PRODUCTION["DATABASE_URL"])
    database = environment.database("DB")
    assert (database["ENGINE"], database["HOST"]) == (
        "django.db.backends.postgresql",
        "postgres.invalid",
    )
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (60, True)
    assert database["OPTIONS"]["connect_timeout"] == 3


def test_it_reads_a_sqlite_url_and_makes_it_durable(monkeypatch):
    monkeypatch.setenv("DB", "sqlite:////tmp/db.sqlite3")
    database = environment.database("DB")
    assert database["NAME"] == "/tmp/db.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "synchronous=FULL" in database["OPTIONS"]["init_command"]


@pytest.mark.parametrize("lease", ["", "2", "60"])
def test_sqlite_waits_for_its_lock_for_less_than_half_a_lease(monkeypatch, lease):
    monkeypatch.setenv("BMAT_LEASE_SECONDS", lease)
    monkeypatch.setenv("DB", "sqlite:////tmp/db.sqlite3")

    assert environment.database("DB")["OPTIONS"]["timeout"] < float(lease or 10) / 2


def test_it_refuses_another_database(monkeypatch):
    monkeypatch.setenv("DB", "mysql://host/name")
    example = "for example postgres://user:password@host:5432/name"
    with refused(f"DB must start with postgres:// or sqlite:///, {example}"):
        environment.database("DB")


def test_it_refuses_another_broker(monkeypatch):
    monkeypatch.setenv("BROKER", "amqp://host")
    accepted = "redis://, rediss:// or filesystem://, for example redis://host:6379/0"
    with refused(f"BROKER must start with {accepted}"):
        environment.broker("BROKER")


@pytest.mark.parametrize("value, means", [("on", True), ("TRUE", True), ("0", False)])
def test_it_reads_switches(monkeypatch, value, means):
    monkeypatch.setenv("SWITCH", value)
    assert environment.switch("SWITCH", not means) is means


def test_it_refuses_what_is_neither_on_nor_off(monkeypatch):
    monkeypatch.setenv("SWITCH", "yes please")
    with refused("SWITCH must be on or off, not 'yes please'"):
        environment.switch("SWITCH", True)


@pytest.mark.parametrize(
    "value, rate", [("10/s", (10, 1)), ("600/min", (600, 60)), ("9/day", (9, 86400))]
)
def test_it_reads_rates(monkeypatch, value, rate):
    monkeypatch.setenv("RATE", value)
    assert environment.rate("RATE") == rate


@pytest.mark.parametrize("value", ["0/s", "10", "10/week", "1.5/s", "-1/min", "٣/s"])
def test_it_refuses_other_rates(monkeypatch, value):
    monkeypatch.setenv("RATE", value)
    accepted = "a rate such as 10/s, 600/min, 5000/hour or 50000/day, or none"
    with refused(f"RATE must be {accepted}, not {value!r}"):
        environment.rate("RATE", "10/s")


def test_it_reads_limits(monkeypatch):
    monkeypatch.setenv("LIMIT", "5")
    assert (environment.limit("LIMIT"), environment.limit_bytes("LIMIT")) == (5, 5)


def test_it_lifts_a_limit_that_says_none(monkeypatch):
    monkeypatch.setenv("LIMIT", "None")
    lifted = (
        environment.limit("LIMIT", 5),
        environment.limit_bytes("LIMIT", "1GiB"),
        environment.rate("LIMIT", "1/s"),
    )
    assert lifted == (None, None, None)


def test_it_takes_the_default_of_a_limit_that_is_unset():
    assert (environment.limit("UNSET_LIMIT", 5), environment.limit("UNSET_LIMIT")) == (5, None)


def test_it_counts_in_the_brokers_redis_or_in_each_process():
    assert environment.counters_beside("redis://host:6379/0") == "redis://host:6379/0"
    assert environment.counters_beside("filesystem://localhost") == "memory://"


def test_it_refuses_counters_elsewhere(monkeypatch):
    monkeypatch.setenv("COUNTERS", "memcached://host")
    accepted = "redis:// or rediss://, for example redis://host:6379/0, or be memory://"
    with refused(f"COUNTERS must start with {accepted}"):
        environment.counters("COUNTERS", "memory://")


def test_it_leaves_redis_to_kombu_and_keeps_long_tasks_from_being_sent_again(tmp_path):
    options = environment.broker_options("redis://host:6379/0", tmp_path)
    assert environment.broker_transport("redis://host:6379/0") is None
    assert options["visibility_timeout"] == 30 * 24 * 60 * 60


def test_it_makes_the_folders_of_a_filesystem_broker(tmp_path):
    options = environment.broker_options("filesystem://localhost", tmp_path)
    assert options["data_folder_in"] == options["data_folder_out"]
    assert (tmp_path / "broker/messages").is_dir()


def manage(settings_module, *arguments, home, **variables):
    """Runs manage.py in an environment of nothing but `variables`."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    names = {"DJANGO_SETTINGS_MODULE": settings_module, "BMAT_HOME": str(home), **variables}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, env={**kept, **names}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("missing", PRODUCTION)
def test_production_has_no_default_for_secrets_and_addresses(tmp_path, missing):
    given = {name: value for name, value in PRODUCTION.items() if name != missing}
    ended = manage("config.settings.production", "check", home=tmp_path, **given)
    assert ended.returncode != 0
    assert f"Set the environment variable {missing}: it has no default here" in ended.stderr


def test_production_passes_djangos_own_deployment_checks(tmp_path):
    check = ["check", "--deploy", "--fail-level", "WARNING"]
    ended = manage("config.settings.production", *check, home=tmp_path, **PRODUCTION)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_production_asks_for_a_login_and_limits_each_user(tmp_path):
    names = ["REQUIRE_AUTH", "REQUEST_RATE", "MAX_RUNNING_REPORTS", "COUNTERS_URL"]
    code = "; ".join(f"print(settings.BMAT_{name})" for name in names)
    shell = ["shell", "--no-imports", "-c", f"from django.conf import settings; {code}"]
    ended = manage("config.settings.production", *shell, home=tmp_path, **PRODUCTION)
    assert ended.stdout.split("\n")[:4] == [
        "True",
        "(600, 60)",
        "100",
        "redis://redis.invalid:6379/0",
    ]


@pytest.mark.parametrize("value, preloaded", [("", "False"), ("on", "True")])
def test_production_has_browsers_preload_its_name_only_where_that_is_asked_for(
    tmp_path, value, preloaded
):
    given = {**PRODUCTION, "BMAT_HSTS_PRELOAD": value}
    code = "from django.conf import settings; print(settings.SECURE_HSTS_PRELOAD)"
    shell = ["shell", "--no-imports", "-c", code]
    ended = manage("config.settings.production", *shell, home=tmp_path, **given)
    assert ended.stdout == f"{preloaded}\n"
    check = ["check", "--deploy", "--fail-level", "WARNING"]
    assert manage("config.settings.production", *check, home=tmp_path, **given).returncode == 0


def test_production_says_at_each_start_that_logins_are_off(tmp_path):
    off = {**PRODUCTION, "BMAT_REQUIRE_AUTH": "off"}
    ended = manage("config.settings.production", "check", home=tmp_path, **off)
    assert (ended.returncode, "bmat.W001" in ended.stderr) == (0, True)


def test_local_needs_nothing(tmp_path):
    ended = manage("config.settings.local", "check", "--fail-level", "WARNING", home=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
