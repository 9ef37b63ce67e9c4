"""A disk that can be filled up: a file system of the suite's own where this user may mount one,
else the limit that the system puts on the size of the files of a process.
"""

import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bmat.tests.live.processes import wait_until

DISK_BYTES = 6 * 2**30
SHRINK_SECONDS = 5.0
# What `make faults` prints about where it ran.
MOUNTED, LIMITED = "a tmpfs of its own", "a limit on the size of files"
# Set in the environment, it chooses the limit also where a file system could be mounted.
NO_MOUNT = "FAULT_NO_MOUNT"


class Disk:
    """The disk on which the service's home lies. `pids` are the processes that write on it."""

    def __init__(self, folder: Path, pids: Callable[[], Sequence[int]]) -> None:
        self.folder = folder
        self._pids = pids
        folder.mkdir()
        may_mount = NO_MOUNT not in os.environ
        self.kind = MOUNTED if may_mount and self._mount(f"size={DISK_BYTES}") else LIMITED

    def _mount(self, options: str) -> bool:
        """Whether the disk is there with these options, which only root may ask for."""
        command = ["mount", "-t", "tmpfs", "-o", options, "bmat-faults", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    @property
    def home(self) -> Path:
        """Where BMAT_HOME may be created."""
        return self.folder / "home"

    @property
    def error_code(self) -> str:
        """With what a report fails that finds no room. A limit is an error of another name."""
        return "out_of_disk" if self.kind == MOUNTED else "internal_error"

    @contextmanager
    def full(self) -> Iterator[None]:
        """For the time of the block, nothing more can be written on the disk."""
        if self.kind == MOUNTED:
            wait_until(self._shrunk, SHRINK_SECONDS, "the disk to shrink to what is on it")
        else:
            self._limit(1)
        try:
            yield
        finally:
            self.free()

    def free(self) -> None:
        """Give the room back, if it was taken."""
        if self.kind == MOUNTED:
            assert self._mount(f"remount,size={DISK_BYTES}"), "the disk did not grow again"
        else:
            self._limit(resource.RLIM_INFINITY)

    def _shrunk(self) -> bool:
        """Whether the disk is now as small as what is on it. Not if somebody wrote meanwhile."""
        disk = os.statvfs(self.folder)
        used_bytes = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
        # A size of 0 would mean no limit at all.
        return self._mount(f"remount,size={max(used_bytes, disk.f_frsize)}")

    def _limit(self, size: int) -> None:
        for pid in self._pids():
            with suppress(ProcessLookupError):
                _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    def remove(self) -> None:
        """Unmount the disk; what lay on it is gone."""
        if self.kind == MOUNTED:
            subprocess.run(["umount", str(self.folder)], check=True)
