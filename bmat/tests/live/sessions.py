"""What a server takes with all of its processes: those of the session that it leads."""

import os
from pathlib import Path


def peak_bytes_from_now(leader: int) -> int:
    """Start the peak anew; returns the memory in use now."""
    for folder in _session_of(leader):
        (folder / "clear_refs").write_text("5")
    return peak_bytes(leader)


def peak_bytes(leader: int) -> int:
    """The peak resident memory of a server's processes, added up."""
    return sum(_kibibytes(folder / "status", "VmHWM:") for folder in _session_of(leader)) * 1024


def peaks_from_now(leader: int) -> list[int]:
    """Start the peaks anew; returns the memory that each of the processes has in use now."""
    peak_bytes_from_now(leader)
    return peaks_of_each(leader)


def peaks_of_each(leader: int) -> list[int]:
    """The peak resident memory of each of a server's processes."""
    folders = _session_of(leader)
    return [_kibibytes(folder / "status", "VmHWM:") * 1024 for folder in folders]


def _kibibytes(status: Path, field: str) -> int:
    return next(
        int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(field)
    )


def who_has_open(leader: int, file: Path) -> list[int]:
    """The server's processes that have the file open."""
    return [int(folder.name) for folder in _session_of(leader) if str(file) in _open_in(folder)]


def _open_in(folder: Path) -> set[str]:
    """What the process of this /proc folder has open."""
    found = set()
    for link in (folder / "fd").glob("*"):
        try:
            found.add(str(link.readlink()))
        except FileNotFoundError:
            continue  # It was closed meanwhile.
    return found


def _session_of(leader: int) -> list[Path]:
    """The /proc folders of all processes in the session that `leader` leads."""
    folders = [folder for folder in Path("/proc").glob("[0-9]*")]
    return [folder for folder in folders if _session(int(folder.name)) == leader]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
