"""Where results go: each appears whole, or not at all, and none in place of something else.

A result whose path is a file, or nothing yet, is written beside it under a temporary name and
renamed; symbolic links are followed, and an existing file's mode stays. A FIFO, a device, or
standard output (`-`) is written *into*, once the result is whole.
"""

import errno
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.source.origin import STANDARD_INPUT

STANDARD_OUTPUT = Path("-")
STDOUT_DESCRIPTOR = 1
# Opened by its path, a descriptor that somebody has redirected to a file would be written from
# the file's first byte on, over what is there.
DESCRIPTOR_PATH = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})")
NAMED_DESCRIPTORS = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}


def refuse_shared_paths(inputs: Sequence[Path], outputs: Mapping[str, Path | None]) -> None:
    """Raises AggregationError `invalid_option` where one of `outputs`, by the option's name, is
    the same file as an input or as another one; OSError where standard input or output is closed.
    """
    owners = {_identity(path, is_input=True): f"the input {shown(str(path))}" for path in inputs}
    for option, path in outputs.items():
        if path is None or str(path) == os.devnull:
            continue
        identity = _identity(path, is_input=False)
        if identity in owners:
            advice = f"it is the same file as {owners[identity]}"
            raise failure("invalid_option", option=option, value=shown(str(path)), advice=advice)
        owners[identity] = f"the option {option}"


@contextmanager
def whole(path: Path, temp_folder: Path) -> Iterator[Path]:
    """A temporary path for a result. It goes to `path` at the end of the block, and is removed
    when the block fails.

    Raises at once what would keep it from its place, such as IsADirectoryError: of several results,
    none may be in place when another one cannot be.
    """
    name = f".{secrets.token_hex(8)}.part"
    place = None if is_stream(path) else _writable(path)
    temporary = temp_folder / name if place is None else place.with_name(name)
    try:
        yield temporary
        if place is None:
            _write_into(path, temporary)
        else:
            _keep_owner_and_mode(place, temporary)
            temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)


def is_stream(path: Path) -> bool:
    """Whether `path` is written into: it is no file that could be replaced by another one."""
    if descriptor_of(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def descriptor_of(path: Path) -> int | None:
    """The open descriptor that `path` stands for: 1 for `-` and `/dev/stdout`."""
    numbered = DESCRIPTOR_PATH.fullmatch(str(path))
    return int(numbered[1]) if numbered else NAMED_DESCRIPTORS.get(str(path))


def _identity(path: Path, *, is_input: bool) -> tuple[object, ...]:
    """Equal for two paths of one file, whichever names and links lead to it. A terminal may be
    several things at a time: devices and sockets count as one where their paths are equal.
    """
    role = "input" if is_input and path == STANDARD_INPUT else "output"
    try:
        found = _status(path, is_input)
    except FileNotFoundError:
        # It has no number yet, and some file systems do not tell case apart.
        place = Path(os.path.realpath(path))
        return _identity(place.parent, is_input=is_input) + (place.name.casefold(),)
    if stat.S_ISCHR(found.st_mode) or stat.S_ISSOCK(found.st_mode):
        return (role, os.path.abspath(path))
    return (found.st_dev, found.st_ino)


def _status(path: Path, is_input: bool) -> os.stat_result:
    """Raises OSError for standard input or output that is closed: its number may be another file's
    by now.
    """
    descriptor = 0 if is_input and path == STANDARD_INPUT else descriptor_of(path)
    if descriptor is None:
        return path.stat()
    standard = (sys.stdin, sys.stdout, sys.stderr)
    if descriptor < len(standard) and standard[descriptor] is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), str(path))
    return os.fstat(descriptor)


def _writable(path: Path) -> Path:
    """The file behind `path` and its links. Raises OSError where it may not be replaced."""
    place = Path(os.path.realpath(path))
    if place.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not place.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(place.parent))
    # A rename asks the folder alone, and would replace a file that is protected.
    if place.exists() and not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return place


def _keep_owner_and_mode(place: Path, temporary: Path) -> None:
    try:
        before = place.stat()
    except FileNotFoundError:
        return
    # Only root may give files away.
    with suppress(PermissionError):
        os.chown(temporary, before.st_uid, before.st_gid)
    temporary.chmod(stat.S_IMODE(before.st_mode))


def _write_into(path: Path, temporary: Path) -> None:
    """Raises OSError, which names `path`, where its reader has gone."""
    descriptor = descriptor_of(path)
    try:
        opened = os.open(path, os.O_WRONLY) if descriptor is None else os.dup(descriptor)
        with temporary.open("rb") as source, open(opened, "wb", buffering=0) as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
