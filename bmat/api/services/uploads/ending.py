"""How an upload that comes in parts ends: as a report once it is whole, by its owner, or by time.

Its file goes after the row has said so.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from bmat.aggregation import AggregationError
from bmat.api.errors import ApiError
from bmat.api.models import Upload
from bmat.api.services import files
from bmat.api.services.files import ReceivedInput
from bmat.api.services.quotas import QuotaExceeded
from bmat.api.services.reports import Submission, UploadsUsed, WantedCallback, submit_report
from bmat.api.services.uploads import appending
from bmat.api.services.uploads.appending import Locked

logger = logging.getLogger(__name__)

# So long their ids are answered with 410.
REMEMBERED = timedelta(days=7)


def current(upload_id: UUID) -> Upload:
    """The row as it is. Raises ApiError `upload_gone`."""
    return there(Upload.objects.filter(pk=upload_id).first())


def there(upload: Upload | None) -> Upload:
    """The upload. Raises ApiError `upload_gone` where it is not there any more."""
    if upload is None or upload.is_gone:
        raise ApiError("upload_gone")
    return upload


def finished(upload: Upload) -> Upload:
    """The upload with its report, if it is to have one by now. Where its owner has as many
    unfinished ones as the limit allows, the reconciler makes it later.
    """
    if not upload.waits_for_report:
        return upload
    try:
        submit_report(submission_of(upload))
    except QuotaExceeded as error:
        logger.info("upload %s: it is whole, and waits: %s", upload.pk, error)
    except UploadsUsed:
        # Most likely, another process has made the report this moment.
        forget_lost(upload.pk)
    return current(upload.pk)


def submission_of(upload: Upload) -> Submission:
    """What an upload that is whole asks for."""
    callback = None if upload.callback is None else WantedCallback(**upload.callback)
    return Submission(
        [received(upload)],
        upload.options,
        upload.owner,
        uploads=[upload.pk],
        callback=callback,
    )


def received(upload: Upload, options: Mapping[str, Any] | None = None) -> ReceivedInput:
    """A whole upload as an input of a report, with options of its own. It does not take the file
    away: a submission that is refused must not lose it. Its `put_at` raises UploadsUsed.
    """

    def put_at(path: Path) -> None:
        try:
            files.link_or_copy(appending.path_of(upload.pk), path)
        except FileNotFoundError as error:
            raise UploadsUsed from error

    return ReceivedInput(upload.input_name, upload.offset, put_at, str(upload.pk), options or {})


def finish_all() -> None:
    """Makes the reports of those whose server has died between the last byte and the report."""
    for upload in Upload.objects.without_report():
        try:
            with appending.locked(upload.pk, waits=False):
                finished(current(upload.pk))
        except FileNotFoundError:
            forget_lost(upload.pk)
        except (Locked, ApiError):
            # A web process is at it, or somebody has removed it.
            continue
        except AggregationError as error:
            # An earlier version knew its options.
            logger.warning("upload %s: no report can be made of it: %s", upload.pk, error)


def forget_lost(upload_id: UUID) -> None:
    """Takes an upload away whose file is not there, though no report has it."""
    lost = Upload.objects.filter(pk=upload_id, report=None, removed=None)
    if not appending.path_of(upload_id).exists() and lost.update(removed=Now()):
        logger.warning("upload %s: its file is not there any more", upload_id)


def terminate(upload: Upload) -> None:
    """Removes the upload and its file. A report that it has become stays."""
    if Upload.objects.filter(pk=upload.pk, removed=None).update(removed=Now()):
        appending.path_of(upload.pk).unlink(missing_ok=True)


def expire() -> list[Path]:
    """Takes those away that have had their time; their files, which are left to the caller. Forgets
    what was taken away long ago.
    """
    Upload.objects.filter(removed__lt=Now() - REMEMBERED).delete()
    paths = []
    for upload_id in list(Upload.objects.expired().values_list("pk", flat=True)):
        # Bytes may have come this moment.
        if Upload.objects.expired().filter(pk=upload_id).update(removed=Now()):
            paths.append(appending.path_of(upload_id))
    return paths


def kept_paths() -> set[Path]:
    """The files that belong to an upload."""
    ids = Upload.objects.filter(removed=None, report=None).values_list("pk", flat=True)
    return {appending.path_of(upload_id) for upload_id in ids}
