"""From files to a report, once: whatever breaks on the way, and whoever of the two is restarted.

What is under way is kept in a small file of the user's state folder: the key that makes the report
be made once, and where the uploads are. The next submission of the same files with the same options
to the same service goes on with it.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from time import time
from typing import IO, Any

from bmat.client.connection import Connection, report_of, report_path
from bmat.client.errors import ApiError, FileChanged, Temporary, UsageError
from bmat.client.files import only_here, read_json, state_folder, write_whole
from bmat.client.reports import Report
from bmat.client.uploads import KEY_HEADER, HasReport, Source, UploadGone, Uploads

# In one request, which is repeated whole where it breaks.
SMALL_BYTES = 2**20
# Uploads do not live longer at any service.
FORGOTTEN_AFTER_SECONDS = 30 * 86400.0
NOT_FOUND = 404
KEY_IS_SPENT = ("idempotency_key_reused", "idempotency_key_outlived")

# Told of a file, and of how many of its bytes have arrived.
OnSent = Callable[[Path, int], None]


@dataclass(frozen=True)
class Submission:
    """The files of one report, in order, and its options by their names in the API."""

    sources: Sequence[Source]
    options: Mapping[str, str]

    @property
    def size(self) -> int:
        return sum(source.size for source in self.sources)

    def identity(self, url: str) -> str:
        """The same for the same files, options and service, and for no others."""
        files = [[str(s.path.resolve()), s.size, s.modified_ns] for s in self.sources]
        described = json.dumps([url, files, sorted(self.options.items())])
        return hashlib.sha256(described.encode(errors="surrogateescape")).hexdigest()


class Progress:
    """What is kept of a submission while it is under way."""

    def __init__(self, path: Path, key: str | None) -> None:
        self._path = path
        kept = read_json(path)
        self.was_kept = bool(kept)
        self.key: str = key or kept.get("key") or str(uuid.uuid4())
        # By the place of the file, the path of its upload; and how often all of them were lost.
        self.uploads: dict[str, str] = kept.get("uploads", {})
        self.losses: int = kept.get("losses", 0)

    def keep(self) -> None:
        kept = {"key": self.key, "uploads": self.uploads, "losses": self.losses}
        write_whole(self._path, json.dumps(kept))

    def upload_key(self, place: str) -> str:
        """What makes the service find the same upload again, though its answer was lost."""
        return f"{self.key}/{place}/{self.losses}"

    def lose_uploads(self) -> None:
        """The service has them no longer: they are made anew."""
        self.uploads, self.losses = {}, self.losses + 1
        self.keep()

    def begin_again(self) -> None:
        """Nothing of before counts."""
        self.key, self.uploads, self.was_kept = str(uuid.uuid4()), {}, False

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)


class Submitter:
    """Makes reports of files, at one service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def _offered(self) -> Uploads | None:
        """What larger files are sent with, where the service has that; it is asked once."""
        return Uploads.offered(self._connection)

    def submit(self, submission: Submission, key: str | None, on_sent: OnSent) -> Report:
        """The report of the files; with a `key` of its own where one is given. Raises FileChanged,
        FileBusy, UsageError, ApiError, NoService, Unreachable and OSError.
        """
        with kept_progress(submission, self._connection.settings.url, key) as progress:
            try:
                report = self._submitted(submission, progress, on_sent)
            except ApiError as error:
                # A key that an earlier run has left: its report is another one, or was deleted.
                if error.code not in KEY_IS_SPENT or not progress.was_kept or key:
                    raise
                progress.begin_again()
                report = self._submitted(submission, progress, on_sent)
            progress.forget()
            return report

    def _submitted(self, submission: Submission, progress: Progress, on_sent: OnSent) -> Report:
        uploads = self._uploads_for(submission)
        progress.keep()
        if uploads is None:
            return self._posted_whole(submission, progress.key, on_sent)
        retries = self._connection.retries()
        while True:
            try:
                self._send_all(uploads, submission, progress, on_sent)
                return self._posted(submission, progress)
            except HasReport as made:
                try:
                    return report_of(self._connection.request("GET", report_path(made.pid)))
                except ApiError as error:
                    if error.status != NOT_FOUND:
                        raise
                # It was deleted: this is a new submission.
                progress.begin_again()
            except UploadGone:
                progress.lose_uploads()
                retries.wait(Temporary("the service has lost the upload"))

    def _uploads_for(self, submission: Submission) -> Uploads | None:
        """How the files are sent: None stands for one request. Raises UsageError."""
        is_small, is_one = submission.size < SMALL_BYTES, len(submission.sources) == 1
        if is_small and is_one:
            return None
        # Services that know no uploads take one file, and might pass over the others.
        if self._offered is None and not is_one:
            raise UsageError("This service takes one file for a report: use --separately.")
        return None if is_small else self._offered

    def _send_all(
        self, uploads: Uploads, submission: Submission, progress: Progress, on_sent: OnSent
    ) -> None:
        """Raises UploadGone, HasReport, FileChanged, ApiError, NoService, Unreachable, OSError."""
        for number, source in enumerate(submission.sources):
            place = str(number)
            if place not in progress.uploads:
                path = uploads.create(source, progress.upload_key(place))
                progress.uploads[place] = path
                progress.keep()
            path = progress.uploads[place]
            try:
                uploads.send(path, source, partial(on_sent, source.path))
            except FileChanged:
                for each in progress.uploads.values():
                    uploads.discard(each)
                progress.forget()
                raise

    def _posted(self, submission: Submission, progress: Progress) -> Report:
        """The report of the uploads that are there."""
        places = range(len(submission.sources))
        ids = [progress.uploads[str(place)].rstrip("/").rpartition("/")[2] for place in places]
        fields = [*submission.options.items(), *(("upload", one) for one in ids)]
        # A form of files is what the service takes; these are its fields without a name of a file.
        parts = [(name, (None, value)) for name, value in fields]
        headers = {KEY_HEADER: progress.key}
        return report_of(self._connection.request("POST", "reports/", files=parts, headers=headers))

    def _posted_whole(self, submission: Submission, key: str, on_sent: OnSent) -> Report:
        """The report of files that are sent as a form, again and again until it has arrived."""
        retries = self._connection.retries()
        while True:
            try:
                with ExitStack() as files:
                    parts = [
                        ("input_file", (source.path.name, counted(source, files, on_sent)))
                        for source in submission.sources
                    ]
                    answer = self._connection.attempt(
                        "POST",
                        "reports/",
                        files=parts,
                        data=dict(submission.options),
                        headers={KEY_HEADER: key},
                    )
                return report_of(answer)
            except Temporary as failure:
                retries.wait(failure)


class CountedFile:
    """A file of which is told how far it was read: as much of one as the HTTP library uses. Raises
    FileChanged where it changes meanwhile.
    """

    def __init__(self, file: IO[bytes], source: Source, on_sent: OnSent) -> None:
        self._file = file
        self._source = source
        self._on_sent = on_sent

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._source.check(self._file)
        self._on_sent(self._source.path, self._file.tell())
        return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def counted(source: Source, files: ExitStack, on_sent: OnSent) -> CountedFile:
    """The file, open for as long as the others. Raises FileChanged and OSError."""
    file = files.enter_context(source.path.open("rb"))
    source.check(file)
    return CountedFile(file, source, on_sent)


@contextmanager
def kept_progress(submission: Submission, url: str, key: str | None) -> Iterator[Progress]:
    """What is kept of the submission, for this process alone. Raises FileBusy."""
    folder = state_folder("submissions")
    forget_old(folder)
    identity = submission.identity(url)
    names = ", ".join(str(source.path) for source in submission.sources)
    with only_here(folder / f"{identity}.lock", names):
        yield Progress(folder / f"{identity}.json", key)


def forget_old(folder: Path) -> None:
    """Remove what nobody has gone on with."""
    for path in folder.glob("*.json"):
        try:
            if path.stat().st_mtime < time() - FORGOTTEN_AFTER_SECONDS:
                path.unlink()
        except FileNotFoundError:
            continue  # Another process was faster.
