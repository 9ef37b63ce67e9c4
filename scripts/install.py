"""`install.py VENV LOCK...`: makes the virtual environment VENV, and installs lock files into it.

A lock file is a closure: it names every package that is needed, with its version and its hashes,
so that pip has nothing to resolve, whatever its own version, and whatever was published since. The
last LOCK holds all of those before it, so it alone is installed. VENV/installed tells what the
environment holds. It is written last: an installation that was interrupted is begun again, with
the downloads that pip has kept. Where a lock has changed, the environment is made anew, so that no
package stays behind that no lock names. VENV/install.log is what pip said. VENV/bin/bmat is the
command `bmat`.

It needs the standard library only, and runs before anything is installed.
"""

import argparse
import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROJECT_FOLDER = Path(__file__).resolve().parent.parent
# Nothing is resolved, nothing unknown is run: no setup.py, and no file that the lock does not know.
PIP_INSTALL = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
# Byte code is written here, once: where PYTHONDONTWRITEBYTECODE is set, each start would compile
# all modules anew. The connection is tried again by pip itself, whole downloads are by
# `install_packages`.
PIP_INSTALL_HERE = [*PIP_INSTALL, "--retries", "2", "--progress-bar", "off"]
PIP_INSTALL_HERE += ["--disable-pip-version-check", "--no-input"]
RETRY_WAITS_SECONDS = (2, 5, 10)
# A user's settings that would have pip install somewhere else, or say less. Those of the index, the
# proxy, the certificates and the cache hold.
FOREIGN_SETTINGS = ("PREFIX", "QUIET", "REQUIRE_VIRTUALENV", "ROOT", "TARGET", "USER", "VERBOSE")
SUPPORTED = "Linux with glibc (x86-64, ARM64) and macOS on Apple silicon, Python 3.11 to 3.14"

PACKAGE = re.compile(r"(Collecting|Processing|Requirement already satisfied:) (?P<name>\S+)")
NOT_FOUND = re.compile(
    r"ERROR: Could not find a version that satisfies the requirement (?P<name>\S+)"
)
DOWNLOAD = re.compile(r"\s+(Downloading|Using cached) \S+ (?P<size>\(.+\))")
# What pip says about a download that goes well. The rest is shown where one does not.
ROUTINE = re.compile(
    r"Collecting |Processing |Requirement already |Ignoring |Looking in |\s+Using c"
)
POLL_SECONDS = 0.5
# The shell runs the second line, and Python reads it as a text: a path in the first line could have
# no space in it.
COMMAND = """#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
# Made by scripts/install.py: `bmat` from any folder.
import sys

sys.path.insert(0, {project!r})

from bmat.client.cli import main

sys.exit(main())
"""


class InstallError(Exception):
    """The environment could not be made. The text says what is wrong, and what to do."""


class Progress:
    """How far a long step is: one line, written anew, on a terminal; else one now and then."""

    SECONDS_BETWEEN_LINES = 15.0

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()
        self._written = time.monotonic()

    def show(self, text: str) -> None:
        if self._on_terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{text[:width]}\033[K", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._written >= self.SECONDS_BETWEEN_LINES:
            self.say(text)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        start = "\r\033[K" if self._on_terminal else ""
        print(start + text, file=sys.stderr, flush=True)
        self._written = time.monotonic()


def requirements(lock: Path) -> list[str]:
    """The lock's lines that name a package, or one of its hashes."""
    lines = [line.strip() for line in lock.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def state(folder: Path, locks: list[Path]) -> dict[str, Any]:
    """What the environment `folder` holds once it holds `locks`: the content of VENV/installed."""
    digests = {
        lock.name: hashlib.sha256("\n".join(requirements(lock)).encode()).hexdigest()
        for lock in locks
    }
    # The programs of an environment name its folder: it cannot be moved.
    version = "{}.{}".format(*sys.version_info[:2])
    return {"python": version, "folder": str(folder.resolve()), "locks": digests}


def recorded_state(folder: Path) -> dict[str, Any]:
    """What VENV/installed says; empty where the environment is not there, not whole, or broken."""
    try:
        recorded = json.loads((folder / "installed").read_text(encoding="utf-8"))
        subprocess.run([folder / "bin" / "python", "-c", ""], check=True, capture_output=True)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return recorded if isinstance(recorded, dict) else {}


def may_be_added_to(recorded: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether all that the environment holds of `wanted` is as it is wanted now."""
    if any(recorded.get(key) != wanted[key] for key in ("python", "folder")):
        return False
    held = recorded["locks"]
    return all(held.get(name, digest) == digest for name, digest in wanted["locks"].items())


def make_environment(folder: Path, progress: Progress) -> None:
    """An empty environment with pip, in place of the one that may be there."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        if any(folder.iterdir()) and not (folder / "pyvenv.cfg").exists():
            raise InstallError(
                f"{folder} is no virtual environment. Move it away, and start again."
            )
        shutil.rmtree(folder)
    progress.say(f"Making {folder} with Python {sys.version.split()[0]}")
    try:
        venv.create(folder, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError as error:
        said = (error.output or b"").decode(errors="replace")
        raise InstallError(f"{said}\n{folder} could not be made: see the message above.") from error


class PipInstall:
    """One run of `pip install` of a lock file: what it does, and what it said."""

    def __init__(self, folder: Path, lock: Path, progress: Progress) -> None:
        self._folder = folder
        self._lock = lock
        self._progress = progress
        self._total = sum("==" in line for line in requirements(lock))
        self._seen = 0
        self.package = lock.name
        self.output: list[str] = []
        self.has_downloaded_all = threading.Event()

    def run(self, *options: str) -> bool:
        """Whether all is installed. `options` are passed on to pip."""
        python = str(self._folder / "bin" / "python")
        # Isolated: a PYTHONPATH of the user's would pass for packages that are installed.
        command = [python, "-I", "-m", "pip", "install", *PIP_INSTALL_HERE, *options]
        foreign = {f"PIP_{name}" for name in FOREIGN_SETTINGS}
        settings = {name: value for name, value in os.environ.items() if name not in foreign}
        with subprocess.Popen(
            [*command, "-r", str(self._lock)],
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as pip:
            threading.Thread(target=self._watch_installing, args=(pip,), daemon=True).start()
            assert pip.stdout is not None
            with (self._folder / "install.log").open("a", encoding="utf-8") as log:
                for line in pip.stdout:
                    log.write(line)
                    self._read(line.rstrip())
        return pip.returncode == 0

    def error(self) -> str:
        """The line that says what went wrong."""
        errors = [line for line in self.output if re.match(r"ERROR: (?!Exception:)", line)]
        return [*errors, *self.output[-1:], "pip said nothing"][0].removeprefix("ERROR: ")

    def complaints(self) -> str:
        """All that pip said, without what it says where all goes well."""
        return "\n".join(line for line in self.output if not ROUTINE.match(line))

    def _read(self, line: str) -> None:
        self.output.append(line)
        if line.startswith("Ignoring "):
            # A package that other systems need, or other versions of Python.
            self._total -= 1
        elif line.startswith("Installing collected packages"):
            self.has_downloaded_all.set()
        elif package := PACKAGE.match(line):
            self._seen += 1
            self.package = Path(package["name"]).name
            self._show_download("")
        elif not_found := NOT_FOUND.match(line):
            self.package = not_found["name"]
        elif download := DOWNLOAD.match(line):
            self._show_download(download["size"])

    def _show_download(self, size: str) -> None:
        what = f"{self.package} {size}".rstrip()
        self._progress.show(f"Downloading package {self._seen} of {self._total}: {what}")

    def _watch_installing(self, pip: subprocess.Popen[str]) -> None:
        """Show how many packages lie in the environment, which pip does not tell."""
        while pip.poll() is None:
            if self.has_downloaded_all.wait(POLL_SECONDS):
                done = len(list(self._folder.glob("lib/python*/site-packages/*.dist-info/RECORD")))
                # pip itself is one of those in the folder.
                self._progress.show(f"Installing package {min(done, self._total)} of {self._total}")
                time.sleep(POLL_SECONDS)


def install_packages(folder: Path, lock: Path, progress: Progress) -> None:
    """Have pip install the lock; a download that breaks is tried again, a few times."""
    progress.say(f"Installing the packages of {lock}")
    options: list[str] = []
    for wait in (*RETRY_WAITS_SECONDS, None):
        pip = PipInstall(folder, lock, progress)
        if pip.run(*options):
            return
        if pip.has_downloaded_all.is_set():
            progress.say(pip.complaints())
            raise InstallError(f"The packages of {lock} could not be installed: see above.")
        if wait is not None:
            # Whatever the reason seems to be: pip names a network that is away, an index that is
            # busy and a package that does not exist in the same words.
            progress.say(f"{pip.package} was not downloaded: {pip.error()}")
            progress.say(f"Trying again in {wait} s")
            time.sleep(wait)
        if "DO NOT MATCH THE HASHES" in "\n".join(pip.output):
            # pip may have kept what came over the network broken.
            options = ["--no-cache-dir"]
    progress.say(pip.complaints())
    raise InstallError(
        f"{pip.package} of {lock} could not be downloaded: {pip.error()}\n"
        "Look whether this machine reaches the package index (pip's own settings of a proxy or a "
        f"mirror hold here),\nand whether this is a supported system: {SUPPORTED}.\n"
        "Then start again."
    )


def check_packages(folder: Path) -> None:
    """Refuse an environment in which a package misses another one, or has a wrong version of it."""
    command = [str(folder / "bin" / "python"), "-I", "-m", "pip", "check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    if checked.returncode != 0:
        raise InstallError(f"{checked.stdout}{checked.stderr}The lock is no closure: `make lock`.")


def write_command(folder: Path) -> None:
    """Have the environment hold the command `bmat`, which runs the code of this folder."""
    python = shlex.quote(str(folder.absolute() / "bin" / "python"))
    text = COMMAND.format(python=python, project=str(PROJECT_FOLDER))
    path = folder / "bin" / "bmat"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)


def compile_kernels(folder: Path, progress: Progress) -> None:
    """Compile the kernels of the aggregation, in the environment itself."""
    progress.say("Compiling the kernels of the aggregation")
    script = PROJECT_FOLDER / "scripts" / "compile_kernels.py"
    compiled = subprocess.run([str(folder / "bin" / "python"), str(script)], check=False)
    if compiled.returncode != 0:
        raise InstallError("The kernels were not compiled: see the message above.")


def install(folder: Path, locks: list[Path], with_kernels: bool) -> None:
    """Make the environment hold `locks`; InstallError where that cannot be."""
    wanted, recorded = state(folder, locks), recorded_state(folder)
    addable = may_be_added_to(recorded, wanted)
    if addable and wanted["locks"].items() <= recorded["locks"].items():
        write_command(folder)
        return
    progress, started = Progress(), time.monotonic()
    if addable:
        wanted["locks"] = recorded["locks"] | wanted["locks"]
        (folder / "installed").unlink()
    else:
        make_environment(folder, progress)
    install_packages(folder, locks[-1], progress)
    check_packages(folder)
    progress.say(f"The packages are installed, after {time.monotonic() - started:.0f} s")
    if with_kernels:
        compile_kernels(folder, progress)
    write_command(folder)
    (folder / "installed").write_text(json.dumps(wanted, indent=1), encoding="utf-8")


@contextmanager
def only_one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until no other process installs into an environment beside this one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Another installation is under way: waiting for its end", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    """Exit codes: 0 where the environment holds the locks, 1 where it cannot, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("venv", type=Path)
    parser.add_argument("locks", type=Path, nargs="+", metavar="lock")
    parser.add_argument("--kernels", action="store_true", help="compile the kernels, too")
    options = parser.parse_args(arguments)
    try:
        with only_one_at_a_time(options.venv.absolute().parent):
            install(options.venv, options.locks, options.kernels)
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next start begins the installation again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
