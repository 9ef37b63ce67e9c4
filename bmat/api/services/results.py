"""Questions about results, of which a process answers a few at a time. To look into a file that was
kept is one, too.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from django.core import signing
from rest_framework.exceptions import ValidationError

from bmat import results
from bmat.api.errors import ApiError
from bmat.api.models import Report
from bmat.api.services import conversion, files
from bmat.results import ChangeOrder, Changes, Databases, Grain, Page, Position, Question, Row

# Each may take a processor and 256 MiB.
MOST_QUESTIONS = 4
WAIT_SECONDS = 2.0
ANSWER_SECONDS = 30.0
CURSOR_REFUSED = "This cursor is not one of these rows. Follow `next`, or start without a cursor."

questions = threading.BoundedSemaphore(MOST_QUESTIONS)
databases = Databases(MOST_QUESTIONS)


@dataclass(frozen=True)
class Answer:
    """Some rows, and the cursor of those after them: None where these are the last."""

    rows: list[Row]
    cursor: str | None


def is_ready(report: Report) -> bool:
    """Whether the report's result can be asked now. A large one is asked as Parquet, which a worker
    is asked to write where it is not there. Raises FileNotFoundError, and conversion.NoRoom.
    """
    return not results.needs_parquet(folder_of(report)) or conversion.is_there(
        report, files.PARQUET
    )


def rows(report: Report, question: Question, limit: int, cursor: str = "") -> Answer:
    """The first `limit` rows that `question` is about, or the next ones, with the `cursor` of the
    answer before. Raises ApiError too_many_questions, and what `bmat.results.rows` raises;
    ValidationError for a cursor that was not made for this question, or not here.
    """
    # The files of a result never change, so that a position in them stays what it is.
    asked = json.dumps([report.output_file.name, asdict(question)], default=str)
    signer = signing.Signer(salt=f"bmat.api.services.results {asked}")
    try:
        position: Position | None = list(signer.unsign_object(cursor)) if cursor else None
    except signing.BadSignature as error:
        raise ValidationError({"cursor": [CURSOR_REFUSED]}) from error
    with a_turn():
        page: Page = results.rows(
            folder_of(report), question, limit, position, ANSWER_SECONDS, databases
        )
    following = None if page.following is None else signer.sign_object(page.following)
    return Answer(page.rows, following)


def compare(
    later: Report, earlier: Report, limit: int, grain: Grain | None, order: ChangeOrder
) -> dict[str, Changes]:
    """The changes between two results: see `bmat.results.compare`. Raises ApiError
    too_many_questions, and what that raises.
    """
    with a_turn():
        folders = folder_of(later), folder_of(earlier)
        return results.compare(*folders, limit, grain, order, ANSWER_SECONDS)


@contextmanager
def a_turn() -> Iterator[None]:
    """One of the MOST_QUESTIONS turns. Raises ApiError too_many_questions where none is free within
    WAIT_SECONDS.
    """
    if not questions.acquire(timeout=WAIT_SECONDS):
        raise ApiError("too_many_questions")
    try:
        yield
    finally:
        questions.release()


def folder_of(report: Report) -> Path:
    """The folder of the report's result."""
    return files.beside_output(report, files.OUTPUT).parent
