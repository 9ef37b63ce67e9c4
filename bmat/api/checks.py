"""System checks: combinations of settings that would go wrong later. `python manage.py check
[--deploy]`.
"""

import os
import re
from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from bmat.api.services import installation
from bmat.api.services.installation import Whose
from config.environment import Network
from config.generated import FileUnusable

# This machine, and links: on these, clouds tell secrets.
NEVER_OPEN: list[Network] = [
    ip_network(each) for each in ("127.0.0.0/8", "169.254.0.0/16", "::1/128", "fe80::/10")
]
DAY_SECONDS = 24 * 60 * 60
MOST_WAIT_SECONDS = 30

AppConfigs = Sequence[AppConfig] | None


@register()
def check_folders(app_configs: AppConfigs, **_: Any) -> list[CheckMessage]:
    """E001: saving an upload would copy it, and nothing could be swept. E002: a folder cannot be
    written in.
    """
    uploads, reports = Path(settings.FILE_UPLOAD_TEMP_DIR), Path(settings.BMAT_REPORTS_FOLDER)
    folders = [uploads, reports, Path(settings.BMAT_HOME)]
    closed = [folder for folder in folders if not os.access(folder, os.W_OK | os.X_OK)]
    if closed:
        hint = "Create it, or let BMAT_HOME name another folder."
        message = "{} is not a folder that this process may write in."
        return [Error(message.format(folder), hint=hint, id="bmat.E002") for folder in closed]
    if len({folder.stat().st_dev for folder in folders}) > 1:
        message = f"{uploads}, {reports} and {settings.BMAT_HOME} do not lie on one filesystem."
        hint = "Let them: to save an upload, or to sweep, is then a rename, not a copy."
        return [Error(message, hint=hint, id="bmat.E001")]
    return []


@register()
def check_values(app_configs: AppConfigs, **_: Any) -> list[CheckMessage]:
    """E003: one late heartbeat would cost a worker its lease. E020: the proxy would look for the
    files elsewhere. E021: requests that wait for a format would keep the others out.
    """
    found: list[CheckMessage] = []
    if settings.BMAT_LEASE_SECONDS < 3 * settings.BMAT_HEARTBEAT_SECONDS:
        lease = f"BMAT_LEASE_SECONDS is {settings.BMAT_LEASE_SECONDS:g}"
        hint = f"Set it to {3 * settings.BMAT_HEARTBEAT_SECONDS:g} or more; 10 suits most."
        found.append(Error(f"{lease}, less than three heartbeats.", hint=hint, id="bmat.E003"))
    prefix = settings.BMAT_ACCEL_PREFIX
    if prefix and not re.fullmatch(r"(/[A-Za-z0-9_~-]+)+/", prefix):
        hint = "Let it be the proxy's internal location, for example /accel-reports/"
        found.append(Error(f"BMAT_ACCEL_PREFIX is {prefix!r}.", hint=hint, id="bmat.E020"))
    if settings.BMAT_FORMAT_WAIT_SECONDS > MOST_WAIT_SECONDS:
        message = f"BMAT_FORMAT_WAIT_SECONDS is {settings.BMAT_FORMAT_WAIT_SECONDS:g}."
        hint = f"Set it to {MOST_WAIT_SECONDS} or less: each such request keeps a thread busy."
        found.append(Error(message, hint=hint, id="bmat.E021"))
    return found


@register()
def check_who_comes_in(app_configs: AppConfigs, **_: Any) -> list[CheckMessage]:
    """Said at each start. W001: a public installation without logins must not come about unseen.
    W004: the owner of any website can use it as they like.
    """
    found: list[CheckMessage] = []
    if settings.BMAT_IS_PUBLIC and not settings.BMAT_REQUIRE_AUTH:
        message = (
            "BMAT_REQUIRE_AUTH is off: whoever reaches this service sees and deletes every report."
        )
        hint = "Unset it, or see to it that a proxy lets nobody else in."
        found.append(CheckWarning(message, hint=hint, id="bmat.W001"))
    if "*" in settings.ALLOWED_HOSTS:
        message = (
            "DJANGO_ALLOWED_HOSTS holds *: a page of any website can read and write here, under a "
            "name that it lets lead to this service."
        )
        hint = "Name the hosts that people type."
        found.append(CheckWarning(message, hint=hint, id="bmat.W004"))
    return found


@register(deploy=True)
def check_webhooks(app_configs: AppConfigs, **_: Any) -> list[CheckMessage]:
    """E030: events in plain text, in a deployment. E031: users who send requests to this machine,
    or to what tells machines of a cloud their secrets.
    """
    found: list[CheckMessage] = []
    if settings.BMAT_WEBHOOK_HTTP:
        hint = "Unset BMAT_WEBHOOK_HTTP: whoever stands between reads along."
        found.append(Error("Events are sent over http, too.", hint=hint, id="bmat.E030"))
    opened = [each for each in NEVER_OPEN if overlaps(each, settings.BMAT_WEBHOOK_NETWORKS)]
    if opened:
        named = " and ".join(str(each) for each in opened)
        message = f"BMAT_WEBHOOK_NETWORKS opens addresses of {named}."
        hint = "Name the networks of the receivers, and no more."
        found.append(Error(message, hint=hint, id="bmat.E031"))
    return found


def overlaps(network: Network, others: list[Network]) -> bool:
    """Whether the network has an address that one of the others has."""
    # An address of the other version is in none.
    return any(each[0] in network or network[0] in each for each in others)


@register(Tags.database)
def check_installation(
    app_configs: AppConfigs, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """W003: said at each start, by the command that migrates. Nothing is swept meanwhile."""
    if not databases or DEFAULT_DB_ALIAS not in databases:
        return []
    try:
        is_anothers = installation.whose_files() is Whose.ANOTHERS
    except (DatabaseError, FileUnusable):
        # Both are said by what cannot do without.
        return []
    return [CheckWarning(installation.another_database(), id="bmat.W003")] if is_anothers else []


@register(deploy=True)
def check_clients(app_configs: AppConfigs, **_: Any) -> list[CheckMessage]:
    """E008: a client that repeats its POST on the next day would get a second report. E009: no
    login in a deployment. E010: each web process would count requests by itself.
    """
    found: list[CheckMessage] = []
    if settings.BMAT_IDEMPOTENCY_SECONDS < DAY_SECONDS:
        message = f"BMAT_IDEMPOTENCY_SECONDS is {settings.BMAT_IDEMPOTENCY_SECONDS:g}"
        hint = "Clients rely on a key for 24 hours: set it to 86400 or more."
        found.append(Error(f"{message}, less than a day.", hint=hint, id="bmat.E008"))
    if not settings.BMAT_REQUIRE_AUTH:
        hint = "Unset BMAT_REQUIRE_AUTH, or set it to on."
        found.append(Error("Nobody has to log in.", hint=hint, id="bmat.E009"))
    if settings.BMAT_COUNTERS_URL.startswith("memory:"):
        hint = "Let BMAT_COUNTERS_URL name a Redis: redis://host:6379/0"
        found.append(Error("Each process counts requests alone.", hint=hint, id="bmat.E010"))
    return found


@register(deploy=True)
def check_servers(app_configs: AppConfigs, **_: Any) -> list[CheckMessage]:
    """E004: half of Flower's credentials. E005: those that everybody knows. E006 and E007: the
    embedded database or broker, which serve one machine only, in a deployment.
    """
    found: list[CheckMessage] = []
    user, password = settings.CELERY_FLOWER_USER, settings.CELERY_FLOWER_PASSWORD
    if bool(user) != bool(password):
        message = "Only one of CELERY_FLOWER_USER and CELERY_FLOWER_PASSWORD is set."
        hint = "Set both, or neither where Flower does not run."
        found.append(Error(message, hint=hint, id="bmat.E004"))
    elif password in ("flower", "password") or (user and user == password):
        message = "CELERY_FLOWER_PASSWORD is one that everybody knows."
        hint = 'Make one: python -c "import secrets; print(secrets.token_urlsafe(32))"'
        found.append(Error(message, hint=hint, id="bmat.E005"))
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        hint = "Let DATABASE_URL name a PostgreSQL: postgres://user:password@host:5432/name"
        found.append(Error("The database is SQLite.", hint=hint, id="bmat.E006"))
    if settings.CELERY_BROKER_URL.startswith("filesystem:"):
        hint = "Let CELERY_BROKER_URL name a Redis: redis://host:6379/0"
        found.append(Error("The broker is a folder.", hint=hint, id="bmat.E007"))
    return found
