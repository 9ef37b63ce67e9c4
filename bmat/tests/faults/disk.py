"""A disk that can be filled up: a file system of the suite's own where this user may mount one,
else the limit that the system puts on the size of the files of a process.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

DISK_BYTES = 6 * 2**30
# What `make faults` prints about where it ran.
MOUNTED, LIMITED = "a tmpfs of its own", "a limit on the size of files"


class Disk:
    """The disk on which the service's home lies. `pids` are the processes that write on it."""

    def __init__(self, folder: Path, pids: Callable[[], Sequence[int]]) -> None:
        self.folder = folder
        self._pids = pids
        self._ballast = folder / "ballast"
        folder.mkdir()
        self.kind = MOUNTED if os.getuid() == 0 and self._mounted() else LIMITED

    def _mounted(self) -> bool:
        size = f"size={DISK_BYTES}"
        command = ["mount", "-t", "tmpfs", "-o", size, "bmat-faults", str(self.folder)]
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0

    @property
    def home(self) -> Path:
        """Where BMAT_HOME may be created."""
        return self.folder / "home"

    @contextmanager
    def full(self) -> Iterator[None]:
        """For the time of the block, nothing more can be written on the disk."""
        if self.kind == MOUNTED:
            self._fill()
        else:
            self._limit(0)
        try:
            yield
        finally:
            self.free()

    def free(self) -> None:
        """Give the room back, if it was taken."""
        if self.kind == MOUNTED:
            self._ballast.unlink(missing_ok=True)
        else:
            self._limit(resource.RLIM_INFINITY)

    def _fill(self) -> None:
        with self._ballast.open("ab") as ballast:
            while room := os.statvfs(self.folder).f_bavail:
                size = room * os.statvfs(self.folder).f_frsize
                os.posix_fallocate(ballast.fileno(), ballast.tell(), size)
                ballast.seek(0, os.SEEK_END)

    def _limit(self, size: int) -> None:
        for pid in self._pids():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def remove(self) -> None:
        """Unmount the disk; what lay on it is gone."""
        if self.kind == MOUNTED:
            subprocess.run(["umount", str(self.folder)], check=True)
