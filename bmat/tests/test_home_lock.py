"""One service at a time uses a BMAT_HOME."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.home_lock import HomeInUse, NoLock, lock_home, mark_ending


def test_it_refuses_a_folder_in_use_and_names_its_user(tmp_path: Path) -> None:
    lock = lock_home(tmp_path / "home", pytest.fail)
    message = rf"home is in use by another make run \(process {os.getpid()}\)\. Stop that one, or"
    with pytest.raises(HomeInUse, match=message):
        lock_home(tmp_path / "home", pytest.fail)
    os.close(lock)


def test_it_takes_a_folder_that_nobody_uses_any_more(tmp_path: Path) -> None:
    for _ in range(2):
        os.close(lock_home(tmp_path, pytest.fail))


def test_it_waits_for_a_service_that_is_ending(tmp_path: Path) -> None:
    first = lock_home(tmp_path, pytest.fail)
    mark_ending(first)
    told: list[str] = []

    def end_the_first(line: str) -> None:
        told.append(line)
        os.close(first)

    os.close(lock_home(tmp_path, end_the_first))
    assert told == [f"Waiting for the make run before this one to end (process {os.getpid()})"]


def test_no_process_inherits_the_lock(tmp_path: Path) -> None:
    lock = lock_home(tmp_path, pytest.fail)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        os.close(lock)
        os.close(lock_home(tmp_path, pytest.fail))
        assert child.poll() is None
        child.communicate(b"\n")


def test_it_says_why_a_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoLock, match="file/home cannot be used: Not a directory"):
        lock_home(tmp_path / "file" / "home", pytest.fail)
