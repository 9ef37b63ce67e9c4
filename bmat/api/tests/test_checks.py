"""The system checks."""

from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command


def ids(deploy=False):
    found = run_checks(include_deployment_checks=deploy)
    return [message.id for message in found if str(message.id).startswith("bmat.")]


def test_it_finds_nothing_wrong_with_the_defaults():
    assert ids() == []


def test_e001_uploads_on_another_filesystem(settings):
    settings.FILE_UPLOAD_TEMP_DIR = "/dev/shm"
    assert Path("/dev/shm").stat().st_dev != settings.BMAT_REPORTS_FOLDER.stat().st_dev
    assert ids() == ["bmat.E001"]


def test_e002_a_folder_that_is_missing(settings):
    settings.BMAT_REPORTS_FOLDER = Path("/nonexistent")
    assert ids() == ["bmat.E002"]


def test_e003_a_lease_that_one_late_heartbeat_would_cost(settings):
    settings.BMAT_LEASE_SECONDS, settings.BMAT_HEARTBEAT_SECONDS = 2, 0.7
    assert ids() == ["bmat.E003"]


@pytest.mark.parametrize(
    "prefix", ["accel-reports/", "/accel-reports", "/", "//", "/../", "/a b/", "http://x/"]
)
def test_e020_a_prefix_that_is_no_location_of_the_proxy(settings, prefix):
    settings.BMAT_ACCEL_PREFIX = prefix
    assert ids() == ["bmat.E020"]


def test_it_accepts_a_location_of_the_proxy(settings):
    settings.BMAT_ACCEL_PREFIX = "/internal/accel-reports/"
    assert ids() == []


def test_e021_requests_that_would_keep_the_others_out(settings):
    settings.BMAT_FORMAT_WAIT_SECONDS = 31
    assert ids() == ["bmat.E021"]


def test_e030_events_in_plain_text_in_a_deployment(settings):
    settings.BMAT_WEBHOOK_HTTP = True
    assert "bmat.E030" in ids(deploy=True)
    assert ids() == []


@pytest.mark.parametrize("network", ["127.0.0.1", "0.0.0.0/0", "169.254.169.254", "::/0"])
def test_e031_a_deployment_that_sends_events_to_itself_or_to_its_cloud(settings, network):
    settings.BMAT_WEBHOOK_NETWORKS = [ip_network(network)]
    assert "bmat.E031" in ids(deploy=True)
    assert ids() == []


def test_it_accepts_a_network_of_receivers(settings):
    settings.BMAT_WEBHOOK_NETWORKS = [ip_network("10.20.0.0/16"), ip_network("fd00:20::/32")]
    assert "bmat.E031" not in ids(deploy=True)


def test_w004_a_service_that_answers_to_any_name(settings):
    settings.ALLOWED_HOSTS = ["testserver", "*"]
    assert ids() == ["bmat.W004"]


def test_e008_keys_that_do_not_last_for_a_day(settings):
    settings.BMAT_IDEMPOTENCY_SECONDS = 3600
    assert "bmat.E008" in ids(deploy=True)


@pytest.mark.parametrize("user, password", [("somebody", ""), ("", "something")])
def test_e004_half_of_flowers_credentials(settings, user, password):
    settings.CELERY_FLOWER_USER, settings.CELERY_FLOWER_PASSWORD = user, password
    assert "bmat.E004" in ids(deploy=True)
    assert ids() == []


@pytest.mark.parametrize("user, password", [("user", "flower"), ("same", "same")])
def test_e005_flower_credentials_that_everybody_knows(settings, user, password):
    settings.CELERY_FLOWER_USER, settings.CELERY_FLOWER_PASSWORD = user, password
    assert "bmat.E005" in ids(deploy=True)


def test_e006_sqlite_in_a_deployment(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")
    assert "bmat.E006" in ids(deploy=True)


def test_e007_a_folder_as_broker_in_a_deployment(settings):
    settings.CELERY_BROKER_URL = "filesystem://localhost"
    assert "bmat.E007" in ids(deploy=True)


def test_w001_a_public_installation_without_logins_at_every_start(settings):
    settings.BMAT_IS_PUBLIC, settings.BMAT_REQUIRE_AUTH = True, False
    assert ids() == ["bmat.W001"]


def test_e009_a_deployment_without_logins(settings):
    settings.BMAT_REQUIRE_AUTH = False
    assert "bmat.E009" in ids(deploy=True)


def test_e010_counters_of_each_process_alone_in_a_deployment(settings):
    settings.BMAT_COUNTERS_URL = "memory://"
    assert "bmat.E010" in ids(deploy=True)


def test_it_finds_nothing_wrong_with_a_proper_deployment(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    settings.CELERY_FLOWER_USER, settings.CELERY_FLOWER_PASSWORD = "somebody", "x1-y2-z3"
    settings.BMAT_REQUIRE_AUTH, settings.BMAT_COUNTERS_URL = True, "redis://redis.invalid:6379/0"
    assert ids(deploy=True) == []


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run")
