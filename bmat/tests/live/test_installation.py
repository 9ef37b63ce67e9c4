"""What `scripts/install.sh` makes of lock files, with pips of several years and real packages."""

import importlib.util
import os
import re
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bmat import __version__
from bmat.tests.live.package_index import Index, index, make_wheel, write_lock
from bmat.tests.live.processes import PROJECT_FOLDER

SCRIPTS = PROJECT_FOLDER / "scripts"
BASE_LOCK = PROJECT_FOLDER / "requirements" / "base.lock"
# What Debian 12 ships. Later versions of Python do not run it: there, what they came with.
OLDEST_PIP = {11: "pip==23.0.1", 12: "pip==23.2.1", 13: "pip==24.2"}.get(
    sys.version_info.minor, "pip==25.2"
)
SITE_PACKAGES = "lib/python*/site-packages"


def load_installer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", SCRIPTS / "install.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


installer = load_installer()


class Sandbox:
    """A folder with packages, locks and an environment, and no index but the packages' folder."""

    def __init__(self, folder: Path, environment: Path | None = None) -> None:
        self.folder = folder
        self.venv = environment or folder / "venv"
        self.wheels = folder / "wheels"
        self.wheels.mkdir()

    def wheel(self, name: str, version: str, *metadata: str) -> Path:
        return make_wheel(self.wheels, name, version, *metadata)

    def lock(self, name: str, *wheels: Path) -> Path:
        return write_lock(self.folder / name, *wheels)

    def newer_release(self) -> Path:
        """A lock of two packages. Of the one that the other needs there is a newer release."""
        needy = self.wheel("needy", "1.0", "Requires-Dist: needed[more]>=1.0")
        needed = self.wheel("needed", "1.0", "Provides-Extra: more")
        self.wheel("needed", "2.0", "Provides-Extra: more")
        return self.lock("requirements/base.lock", needed, needy)

    def install(self, *locks: Path) -> subprocess.CompletedProcess[str]:
        """`scripts/install.sh`, as make calls it."""
        return run(["sh", str(SCRIPTS / "install.sh"), str(self.venv), *map(str, locks)])

    def install_packages(self, lock: Path) -> None:
        """What the installer does in an environment that is there."""
        installer.install_packages(self.venv, lock, installer.Progress())
        installer.check_packages(self.venv)

    def version(self, name: str) -> str | None:
        """Of a package that the environment holds; None where it does not."""
        found = [path.stem.split("-") for path in self.venv.glob(f"{SITE_PACKAGES}/*.dist-info")]
        return dict(found).get(name)


def run(
    command: list[str], folder: Path = PROJECT_FOLDER, **settings: str
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **settings}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests that only add packages to it, each by names of its own."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    installer.make_environment(folder, installer.Progress())
    return folder


@pytest.fixture
def only_own_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"NO_INDEX": "1", "EXTRA_INDEX_URL": "", "CONFIG_FILE": os.devnull}
    settings |= {"FIND_LINKS": str(tmp_path / "wheels"), "CACHE_DIR": str(tmp_path / "cache")}
    for name, value in settings.items():
        monkeypatch.setenv(f"PIP_{name}", value)


@pytest.fixture
def fresh(tmp_path: Path, only_own_packages: None) -> Sandbox:
    """Without an environment yet."""
    return Sandbox(tmp_path)


@pytest.fixture
def sandbox(tmp_path: Path, only_own_packages: None, environment: Path) -> Sandbox:
    return Sandbox(tmp_path, environment)


@pytest.fixture
def served(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index that serves the sandbox's packages; pip asks no other."""
    with index(sandbox.wheels) as server:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(installer, "RETRY_WAITS_SECONDS", (0.1, 0.1))
        yield server


@pytest.mark.timeout(900)
@pytest.mark.parametrize("pip", [OLDEST_PIP, "pip"], ids=["oldest pip", "newest pip"])
def test_it_installs_what_running_needs(tmp_path: Path, pip: str) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    outer = [sys.executable, "-m", "pip", "--python", python, "install", "--no-compile", "--quiet"]
    assert run([*outer, pip]).returncode == 0

    installer.install_packages(tmp_path / "venv", BASE_LOCK, installer.Progress())
    installer.check_packages(tmp_path / "venv")
    imported = run([python, "-c", "import bmat.aggregation, celery, django, flower, granian"])
    assert imported.returncode == 0, imported.stderr


def test_it_installs_what_is_locked_where_a_newer_release_has_appeared(sandbox: Sandbox) -> None:
    sandbox.install_packages(sandbox.newer_release())
    assert (sandbox.version("needy"), sandbox.version("needed")) == ("1.0", "1.0")


@pytest.mark.parametrize("image", ["local", "production"])
def test_an_image_installs_as_the_installer_does(sandbox: Sandbox, image: str) -> None:
    dockerfile = (PROJECT_FOLDER / f"compose/{image}/django/Dockerfile").read_text()
    (line,) = re.findall(r"^RUN (pip install .*)$", dockerfile, re.MULTILINE)
    assert f"pip install {' '.join(installer.PIP_INSTALL)} -r" in line
    run([f"{sandbox.venv}/bin/pip", "uninstall", "--yes", "needy", "needed"])
    sandbox.newer_release()
    path = f"{sandbox.venv}/bin:{os.environ['PATH']}"
    done = run(["sh", "-ec", line], sandbox.folder, PATH=path)
    assert done.returncode == 0, done.stderr
    assert (sandbox.version("needy"), sandbox.version("needed")) == ("1.0", "1.0")


@pytest.mark.parametrize(("how", "name"), [("garbled", "cracked"), ("cut off", "torn")])
def test_it_tries_a_broken_download_again(
    sandbox: Sandbox, served: Index, how: str, name: str
) -> None:
    lock = sandbox.lock("run.lock", sandbox.wheel(name, "1.0"))
    served.break_downloads(2, how)
    sandbox.install_packages(lock)
    assert served.broken == 0
    assert sandbox.version(name) == "1.0"


def test_it_names_the_package_that_it_cannot_download(
    sandbox: Sandbox, served: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = sandbox.lock("run.lock", sandbox.wheel("fine", "1.0"), sandbox.wheel("foul", "1.0"))
    (sandbox.wheels / "foul-1.0-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(installer.InstallError) as refused:
        sandbox.install_packages(lock)
    assert f"foul==1.0 of {lock} could not be downloaded: THESE PACKAGES" in str(refused.value)
    said = capsys.readouterr().err
    assert said.count("foul==1.0 was not downloaded: ") == 2
    assert "Expected sha256" in said
    assert sandbox.version("fine") is None


def test_it_names_the_package_that_the_index_does_not_have(sandbox: Sandbox, served: Index) -> None:
    lost = sandbox.wheel("lost", "1.0")
    lock = sandbox.lock("run.lock", lost)
    lost.unlink()
    with pytest.raises(installer.InstallError) as refused:
        sandbox.install_packages(lock)
    assert f"lost==1.0 of {lock} could not be downloaded: " in str(refused.value)


def test_it_begins_again_what_it_did_not_finish_and_what_is_locked_no_more(fresh: Sandbox) -> None:
    needy = fresh.wheel("needy", "1.0", "Requires-Dist: needed")
    failed = fresh.install(fresh.lock("run.lock", needy, fresh.wheel("other", "1.0")))
    assert failed.returncode == 1
    assert "needy 1.0 requires needed, which is not installed." in failed.stderr

    lock = fresh.lock("run.lock", needy, fresh.wheel("needed", "1.0"))
    assert fresh.install(lock).returncode == 0
    assert (fresh.version("needed"), fresh.version("other")) == ("1.0", None)

    lock.write_text(lock.read_text() + "# A comment changes nothing.\n")
    assert fresh.install(lock).stderr == ""
    fresh.lock("run.lock", fresh.wheel("needed", "2.0"))
    assert fresh.install(lock).returncode == 0
    assert (fresh.version("needed"), fresh.version("needy")) == ("2.0", None)


def test_the_command_bmat_works_from_any_folder(
    tmp_path: Path, only_own_packages: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of the packages that it needs, those of the tests.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    sandbox = Sandbox(tmp_path, tmp_path / "it's a folder" / "venv")
    sandbox.venv.parent.mkdir()
    lock = sandbox.lock("run.lock", sandbox.wheel("product", "1.0"))
    bmat = sandbox.venv / "bin" / "bmat"
    for _ in range(2):
        assert sandbox.install(lock).returncode == 0
        said = run([str(bmat), "--version"], tmp_path)
        assert said.stdout == f"bmat {__version__}\n", said.stderr
        bmat.unlink()


def test_it_adds_what_testing_needs_to_what_running_needs(fresh: Sandbox) -> None:
    product, tool = fresh.wheel("product", "1.0"), fresh.wheel("tool", "1.0")
    run_lock = fresh.lock("run.lock", product)
    test_lock = fresh.lock("test.lock", product, tool)
    assert "Making" in fresh.install(run_lock).stderr
    added = fresh.install(run_lock, test_lock)
    assert added.returncode == 0
    assert "Making" not in added.stderr
    assert fresh.install(run_lock).stderr == fresh.install(run_lock, test_lock).stderr == ""
    assert (fresh.version("product"), fresh.version("tool")) == ("1.0", "1.0")


def test_it_removes_no_folder_that_is_no_environment(fresh: Sandbox) -> None:
    fresh.venv.mkdir()
    (fresh.venv / "thesis.txt").write_text("four years")
    done = fresh.install(fresh.lock("run.lock", fresh.wheel("product", "1.0")))
    assert done.returncode == 1
    assert "venv is no virtual environment. Move it away" in done.stderr
    assert (fresh.venv / "thesis.txt").exists()


def test_it_says_what_to_install_where_the_python_is_none_for_it(fresh: Sandbox) -> None:
    command = ["sh", str(SCRIPTS / "install.sh"), str(fresh.venv), "run.lock"]
    done = run(command, PYTHON="/bin/false")
    assert done.returncode == 1
    assert "PYTHON=/bin/false is no CPython 3.11, 3.12, 3.13 or 3.14 of 64 bits." in done.stderr
    assert "apt-get install python3 python3-venv" in done.stderr
