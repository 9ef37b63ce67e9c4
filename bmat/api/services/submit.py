"""Taking an upload in: the bytes are on disk and the row committed before anybody hears of the
report.
"""

from contextlib import ExitStack
from functools import partial
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from bmat.api.models import Report
from bmat.api.models.queries import seconds_from_now
from bmat.api.models.reports import INPUT_NAME_LENGTH
from bmat.api.services import bell, files


def submit_report(upload: "UploadedFile[Any]", options: dict[str, Any]) -> Report:
    """Keeps the upload and creates its report; a worker is told after the commit.

    `options` are those of bmat.aggregation.Options that the user gave, and have been checked.
    """
    pid = uuid4()
    with ExitStack() as on_failure:
        on_failure.callback(files.remove, files.report_folder(pid))
        # The upload's temporary file lies on the reports' own filesystem: saving it is a rename.
        name = default_storage.save(files.input_name(pid), upload)
        files.sync(files.path(name))
        with transaction.atomic():
            report = Report.objects.create(
                pid=pid,
                input_file=name,
                input_name=(upload.name or "")[:INPUT_NAME_LENGTH],
                options=options,
                ring_at=seconds_from_now(settings.BMAT_RING_AGAIN_SECONDS),
            )
            transaction.on_commit(partial(bell.ring, pid), robust=True)
        on_failure.pop_all()
    return report
