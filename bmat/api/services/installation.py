"""Whose files these are: BMAT_HOME and the database carry the same installation id.

A folder of a report without a row is removed one day. So another database with the same home (a
dump restored, DATABASE_URL changed) would remove every report of the first one. Where the two ids
differ, nothing is swept until somebody has said whose the files are: `manage.py adopt_home`.

    home      database
    none      none       a new pair, or one of an earlier version: given an id where the files fit
    one       none       the same: the database takes the home's id
    none      one        the same: the home takes the database's id
    one       the same   ours
    one       another    another's

Files fit where at least half of the reports' folders have a row in this database. A home without
such folders fits, and belongs to the database that comes: the id of an earlier one goes.
"""

import logging
import os
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, models

from bmat.api.models import Installation, Report
from bmat.api.models.owners import ONLY
from bmat.api.services import files
from config.generated import FileUnusable, generate_once

logger = logging.getLogger(__name__)

FILE_NAME = "installation_id"
# No secret: web server and workers may be different users.
MODE = 0o644
# So many folders tell whether the files fit.
SAMPLE_FOLDERS = 500


class Whose(Enum):
    """To whom the files of BMAT_HOME belong."""

    OURS = auto()
    # One of the two ids is missing, and nothing speaks against giving it.
    UNCLAIMED = auto()
    ANOTHERS = auto()


@dataclass(frozen=True)
class Sample:
    """Some folders of reports: how many there are, and how many have a row in this database."""

    folders: int
    known: int

    @property
    def fits(self) -> bool:
        return 2 * self.known >= self.folders


def objection() -> str:
    """Why no file of BMAT_HOME may be swept; empty where they are ours. Gives an id to a pair that
    is unclaimed.
    """
    try:
        if whose_files() is Whose.UNCLAIMED:
            claim()
        is_ours = whose_files() is Whose.OURS
    except FileUnusable as error:
        return str(error)
    return "" if is_ours else another_database()


def another_database() -> str:
    """What is said where the files belong to another database."""
    return (
        f"The files in {settings.BMAT_HOME} belong to another database than this one, so that none "
        "of them is swept. Set BMAT_HOME or DATABASE_URL as they were; or, where this database is "
        "to have the files, run: python manage.py adopt_home"
    )


def whose_files() -> Whose:
    """Compares the two ids. Changes nothing; the database need not be migrated. Raises
    FileUnusable.
    """
    home, database = home_id(), database_id()
    if home and database:
        return Whose.OURS if home == database else Whose.ANOTHERS
    return Whose.UNCLAIMED if sample().fits else Whose.ANOTHERS


def claim() -> None:
    """Gives the same id to home and database, of which one has none. Of processes that do it at
    once, all give the same. Raises FileUnusable.
    """
    home, is_empty = home_id(), sample().folders == 0
    database = created_id(uuid4() if is_empty or not files.is_uuid(home) else UUID(home))
    if home and is_empty:
        write_home_id(database)
    else:
        generate_once(id_file(), lambda: database, MODE)


def adopt() -> None:
    """Gives the home the id of this database, whatever it had."""
    write_home_id(created_id(uuid4()))


def sample() -> Sample:
    """Looks at some of the reports' folders."""
    names = filter(files.is_uuid, files.names_in(Path(settings.BMAT_REPORTS_FOLDER)))
    pids = [UUID(name) for name in islice(names, SAMPLE_FOLDERS)]
    known = Report.objects.filter(pid__in=pids).count() if has_table(Report) else 0
    return Sample(len(pids), known)


def home_id() -> str:
    """The id in BMAT_HOME; empty where there is none. Raises FileUnusable."""
    try:
        return id_file().read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FileUnusable(f"{id_file()} cannot be read: {error.strerror}") from error


def write_home_id(value: str) -> None:
    """Replaces the id in BMAT_HOME, in one step."""
    written = id_file().with_name(f".{FILE_NAME}.{uuid4()}")
    written.write_text(f"{value}\n")
    written.chmod(MODE)
    os.replace(written, id_file())


def id_file() -> Path:
    return Path(settings.BMAT_HOME) / FILE_NAME


def database_id() -> str:
    """The id in the database; empty where there is none."""
    row = Installation.objects.first() if has_table(Installation) else None
    return "" if row is None else str(row)


def created_id(value: UUID) -> str:
    """The id in the database, which is `value` where there was none."""
    row, _ = Installation.objects.get_or_create(pk=ONLY, defaults={"installation_id": value})
    return str(row)


def has_table(model: type[models.Model]) -> bool:
    return model._meta.db_table in connection.introspection.table_names()
