"""The programs that the tests start: where they are, and how they come onto this machine.

`python -m bmat.tests.live.programs [--browser]` installs those that are missing from the system's
packages, where it may, and otherwise says what to install. The tests start private servers from
them; a server that the system's package may have started stays unused and untouched.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")
# Homebrew's folders are on the PATH of a terminal, but not of everything that a Mac starts.
FOLDERS = ("/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin", "/snap/bin")


@dataclass(frozen=True)
class Program:
    """A program by all the names that systems know it by, the preferred ones first.

    `places` are patterns of paths outside of the PATH; the newest version counts where several
    match one. `apt` are the names that its package may have on Debian and its relatives; the others
    are what its system's own installer calls it.
    """

    title: str
    names: tuple[str, ...]
    apt: tuple[str, ...]
    fedora: str
    macos: str
    places: tuple[str, ...] = ()

    def found(self) -> Iterator[Path]:
        """Every file that may be this program."""
        for place in self.places:
            pattern = str(Path(place).expanduser()).removeprefix("/")
            paths = sorted(ROOT.glob(pattern), key=_version_in_path, reverse=True)
            yield from (path for path in paths if os.access(path, os.X_OK))
        search_path = os.pathsep.join([os.environ.get("PATH", os.defpath), *FOLDERS])
        for name in self.names:
            if path := shutil.which(name, path=search_path):
                yield Path(path)

    def is_here(self) -> bool:
        return next(self.found(), None) is not None

    def path(self) -> Path:
        """Where the program is; fails where it is not on this machine."""
        path = next(self.found(), None)
        assert path is not None, f"{self.title} is not on this machine.\n{advice([self])}"
        return path


POSTGRES = Program(
    "PostgreSQL",
    ("initdb",),
    ("postgresql",),
    "postgresql-server",
    "postgresql",
    # Debian's, the PostgreSQL project's for Red Hat, Homebrew's, the app's for macOS.
    (
        "/usr/lib/postgresql/*/bin/initdb",
        "/usr/pgsql-*/bin/initdb",
        "/opt/homebrew/opt/postgresql*/bin/initdb",
        "/usr/local/opt/postgresql*/bin/initdb",
        "/Applications/Postgres.app/Contents/Versions/*/bin/initdb",
    ),
)
REDIS = Program(
    "Redis", ("redis-server", "valkey-server"), ("redis-server", "valkey"), "redis", "redis"
)
NGINX = Program("nginx", ("nginx",), ("nginx", "nginx-light"), "nginx", "nginx")
CURL = Program("curl", ("curl",), ("curl",), "curl", "curl")
BROWSER = Program(
    "Chromium or Chrome",
    ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    ("chromium", "chromium-browser", "google-chrome-stable"),
    "chromium",
    "--cask google-chrome",
    (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "~/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ),
)
# selenium's own way to a driver needs a network.
DRIVER = Program(
    "ChromeDriver",
    ("chromedriver", "chromium-chromedriver", "chromium.chromedriver"),
    ("chromium-driver", "chromium-chromedriver", "chromedriver"),
    "chromedriver",
    "--cask chromedriver",
    ("/usr/lib*/chromium*/chromedriver",),
)
SERVERS = [POSTGRES, REDIS, NGINX, CURL]


def browser_and_driver() -> tuple[Path, Path]:
    """A browser and the driver of its very version; fails where there are none."""
    pair = find_browser_and_driver()
    assert pair is not None, f"No browser has a driver of its version.\n{advice([BROWSER, DRIVER])}"
    return pair


def as_root() -> list[str] | None:
    """What stands before a command so that root runs it; None where this user may not."""
    if os.getuid() == 0:
        return []
    sudo = ["sudo", "-n"]
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0
    return sudo if allowed else None


def find_browser_and_driver() -> tuple[Path, Path] | None:
    """The first browser that has a driver of its version; None where none has."""
    drivers = [(path, _major_version(path)) for path in DRIVER.found()]
    for browser in BROWSER.found():
        version = _major_version(browser)
        for driver, driver_version in drivers:
            if version is not None and version == driver_version:
                return browser, driver
    return None


def missing(programs: Iterable[Program]) -> list[Program]:
    """Those that are not on this machine. A browser without a driver of its version, or the other
    way round, is not there.
    """
    lacking = [program for program in programs if not program.is_here()]
    if BROWSER in programs and not lacking and find_browser_and_driver() is None:
        return [BROWSER, DRIVER]
    return lacking


def obtain(programs: Iterable[Program]) -> list[Program]:
    """Install what is missing where this user may; those that are missing after that."""
    wanted = missing(programs)
    prefix = as_root()
    if not wanted or prefix is None or not shutil.which("apt-get"):
        return wanted
    print("Reading the system's lists of packages", file=sys.stderr)
    complaints = [_apt_get(prefix, "update")]
    for program in wanted:
        complaints.append(_install(program, prefix))
    still_missing = missing(programs)
    if still_missing:
        print("".join(complaints), file=sys.stderr)
    return still_missing


def advice(programs: list[Program]) -> str:
    """The commands that install the programs, one line for each system."""
    debian = " ".join(program.apt[0] for program in programs)
    lines = [
        f"Debian:  sudo apt-get install {debian}",
        f"Fedora:  sudo dnf install {' '.join(program.fedora for program in programs)}",
        f"macOS:   brew install {' '.join(program.macos for program in programs)}",
    ]
    if BROWSER in programs or DRIVER in programs:
        lines.insert(
            1, "Ubuntu:  the same; the browser with its driver: sudo snap install chromium"
        )
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Exit codes: 0 where all programs are there, 1 where some are not."""
    programs = [*SERVERS, BROWSER, DRIVER] if "--browser" in arguments else SERVERS
    lacking = obtain(programs)
    if not lacking:
        return 0
    titles = ", ".join(program.title for program in lacking)
    print(f"The tests need programs that are not on this machine: {titles}.", file=sys.stderr)
    print(f"Install them, and start again:\n{advice(lacking)}", file=sys.stderr)
    return 1


def _install(program: Program, prefix: list[str]) -> str:
    """Install the first package that brings the program; what was said by those that did not.

    Each name by itself: one that this system does not know would undo the others. A package may
    also be there and bring nothing, as Ubuntu's chromium-browser does without snaps.
    """
    complaints = ""
    for package in program.apt:
        print(f"Installing {package} from the system's packages", file=sys.stderr)
        complaints += _apt_get(prefix, "install", "-y", "--no-install-recommends", package)
        if program.is_here():
            return ""
    return complaints


def _apt_get(prefix: list[str], *arguments: str) -> str:
    """Run apt-get, which asks nothing; what it said where it failed, else nothing."""
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *arguments]
    ended = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return ended.stdout if ended.returncode != 0 else ""


def _major_version(program: Path) -> str | None:
    """None where the program does not start: a package may be a mere reference to another one."""
    command = [str(program), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    match = re.search(r"(\d+)\.\d+", said)
    return match[1] if match else None


def _version_in_path(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
