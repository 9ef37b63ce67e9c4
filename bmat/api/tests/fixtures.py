"""What the tests of api and taskapp share: folders of their own, a broker in memory, a file."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from kombu import Connection
from pytest_django import Settings

from bmat.api.access import counters
from bmat.api.models import Report
from bmat.api.services.files import ReceivedInput
from bmat.api.services.reports import Submission, submit_report
from bmat.taskapp import shutdown
from bmat.taskapp.celery import LARGE, SMALL, app

PLAYS = (
    b"Song,Date,Number of Plays\n"
    b"Umbrella,2020-01-02,200\n"
    b"Umbrella,2020-01-01,100\n"
    b"In The End,2020-01-01,500\n"
)
TOTALS = (
    b"Song,Date,Total Number of Plays for Date\n"
    b"In The End,2020-01-01,500\n"
    b"Umbrella,2020-01-01,100\n"
    b"Umbrella,2020-01-02,200\n"
)
ALWAYS_THERE = ("installation_id", "reports", "uploads")


@pytest.fixture(autouse=True)
def home(settings: Settings, tmp_path: Path) -> Path:
    """A BMAT_HOME that ends with the test."""
    settings.BMAT_HOME = tmp_path
    settings.BMAT_REPORTS_FOLDER = tmp_path / "reports"
    settings.BMAT_TRASH_FOLDER = tmp_path / "trash"
    settings.BMAT_UPLOADS_FOLDER = settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.BMAT_REPORTS_FOLDER.mkdir()
    settings.BMAT_UPLOADS_FOLDER.mkdir()
    storage = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "reports"}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}
    return tmp_path


@pytest.fixture(autouse=True)
def fresh_counters() -> None:
    """Nobody has sent any request yet."""
    counters.cache_clear()


@pytest.fixture
def worker_ends() -> Iterator[Callable[[], None]]:
    """Asks this process to end, as SIGTERM asks a worker, until the end of the test."""
    yield shutdown.request
    shutdown.withdraw()


@pytest.fixture
def left_over(home: Path) -> Callable[[], list[str]]:
    """The paths of every file and folder in `home`, without those that are always there."""

    def found() -> list[str]:
        paths = [str(path.relative_to(home)) for path in home.rglob("*")]
        return sorted(path for path in paths if path not in ALWAYS_THERE)

    return found


@pytest.fixture
def enqueued() -> Iterator[Callable[[], list[str]]]:
    """The pids for which the broker, a real one in memory, was given a task since last asked."""
    with app.connection_for_read() as connection:
        drain(connection)
        yield lambda: drain(connection)


def drain(connection: Connection) -> list[str]:
    """Takes every message off the queues of reports; the ids of their tasks."""
    return [pid for name in (SMALL, LARGE) for pid in drain_queue(connection, name)]


def drain_queue(connection: Connection, name: str) -> list[str]:
    """Takes every message off one queue; the ids of their tasks."""
    with connection.channel() as channel:
        queue = app.amqp.queues[name](channel)
        queue.declare()
        messages = iter(lambda: queue.get(no_ack=True), None)
        return [message.headers["id"] for message in messages]


def received(name: str = "plays.csv", content: bytes = PLAYS) -> ReceivedInput:
    """A file that has been received."""

    def put_at(path: Path) -> None:
        path.write_bytes(content)

    return ReceivedInput(name, len(content), put_at)


@pytest.fixture
def submit(db: None) -> Callable[..., Report]:
    """Submits a file the way the API does."""

    def submitted(content: bytes = PLAYS, owner: User | None = None, **options: object) -> Report:
        return submit_report(Submission([received("plays.csv", content)], options, owner))

    return submitted
