"""A folder whose files are submitted, each once it is whole: over restarts, too.

A file is whole once its size and its time have been the same for a while. What was submitted is
kept in the user's state folder: a file that comes again with the same content is not sent again.
"""

import fnmatch
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, NotRequired, TypedDict

from bmat.client.client import Client, Value
from bmat.client.errors import ApiError, FileBusy, FileChanged
from bmat.client.files import only_here, read_json, state_folder, write_whole

# What programs call files that they have not written to the end.
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", ".swp", "~")
HIDDEN = (".", "~")
# The next file would be refused for the same reason.
REFUSES_ALL = (401, 403)


@dataclass(frozen=True)
class Look:
    """Which files are looked at, and how long they have to rest."""

    pattern: str = "*"
    settle_seconds: float = 5.0
    poll_seconds: float = 1.0


class Event(TypedDict):
    """What has become of a file."""

    file: str
    pid: NotRequired[str]
    error: NotRequired[dict[str, str]]


class Kept(TypedDict):
    """A file that was submitted, or will be with this key."""

    size: int
    modified_ns: int
    sha256: str
    key: str
    pid: str | None


# The size and the time of a file, and since when they have been seen.
Stamp = tuple[int, int]


class Watcher:
    """Submits the files of a folder with the same options, as long as it is asked to look."""

    def __init__(
        self,
        client: Client,
        folder: Path,
        options: Mapping[str, Value],
        look: Look,
        on_event: Callable[[Event], None],
    ) -> None:
        self._client = client
        self._folder = folder.resolve(strict=True)
        self._options = options
        self._look = look
        self._on_event = on_event
        described = f"{client.url}\0{self._folder}".encode(errors="surrogateescape")
        name = f"{hashlib.sha256(described).hexdigest()}.json"
        self._state_path = state_folder("watch") / name
        self._kept: dict[str, Kept] = {}
        self._refused: dict[str, Stamp] = {}
        self._seen: dict[str, tuple[Stamp, float]] = {}

    def run(self) -> None:
        """Look again and again. Raises FileBusy where another process looks at the folder, ApiError
        where the service refuses all, NoService, Unreachable, and OSError for the folder.
        """
        with only_here(self._state_path.with_suffix(".lock"), str(self._folder)):
            self._kept = read_json(self._state_path).get("files", {})
            while True:
                self.look()
                time.sleep(self._look.poll_seconds)

    def look(self) -> None:
        """Submit what is whole by now."""
        for name, stamp in self._files():
            before, since = self._seen.get(name, (None, 0.0))
            if before != stamp:
                self._seen[name] = (stamp, time.monotonic())
            elif time.monotonic() - since >= self._look.settle_seconds:
                self._submit_new(name, stamp)

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        """Those that have to be submitted, with their sizes and times."""
        for path in sorted(self._folder.iterdir()):
            name = path.name
            if name.startswith(HIDDEN) or name.lower().endswith(UNFINISHED):
                continue
            if not fnmatch.fnmatch(name, self._look.pattern):
                continue
            try:
                found = path.stat()
            except FileNotFoundError:
                continue  # It went away meanwhile, or is a link to nothing.
            stamp = (found.st_size, found.st_mtime_ns)
            if not S_ISREG(found.st_mode) or not found.st_size or self._refused.get(name) == stamp:
                continue
            kept = self._kept.get(name)
            if kept is None or kept["pid"] is None or stamp != (kept["size"], kept["modified_ns"]):
                yield name, stamp

    def _submit_new(self, name: str, stamp: Stamp) -> None:
        """Submit the file, unless it is the one that was submitted, with another time."""
        path = self._folder / name
        try:
            kept = self._to_be_kept(name, path, stamp)
            if kept["pid"] is None:
                report = self._client.submit(path, options=self._options, key=kept["key"])
                self._keep(name, {**kept, "pid": report["pid"]})
                self._on_event({"file": str(path), "pid": report["pid"]})
        except (FileChanged, FileBusy, FileNotFoundError):
            # It rests no longer: it is looked at anew.
            self._seen.pop(name, None)
        except ApiError as error:
            if error.status in REFUSES_ALL:
                raise
            self._refuse(path, stamp, error.code, error.message)
        except OSError as error:
            self._refuse(path, stamp, "not_readable", str(error))

    def _to_be_kept(self, name: str, path: Path, stamp: Stamp) -> Kept:
        """What is kept of the file from now on. Raises OSError."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        earlier = self._kept.get(name)
        if earlier is not None and earlier["sha256"] == digest:
            # The same content: it has a report, or its key will have one.
            kept: Kept = {**earlier, "size": stamp[0], "modified_ns": stamp[1]}
        else:
            kept = {
                "size": stamp[0],
                "modified_ns": stamp[1],
                "sha256": digest,
                "key": str(uuid.uuid4()),
                "pid": None,
            }
        self._keep(name, kept)
        return kept

    def _keep(self, name: str, kept: Kept) -> None:
        self._kept[name] = kept
        state: dict[str, Any] = {"folder": str(self._folder), "files": self._kept}
        write_whole(self._state_path, json.dumps(state))

    def _refuse(self, path: Path, stamp: Stamp, code: str, message: str) -> None:
        """Leave the file alone until it changes, or this program starts again."""
        self._refused[path.name] = stamp
        self._on_event({"file": str(path), "error": {"code": code, "message": message}})
