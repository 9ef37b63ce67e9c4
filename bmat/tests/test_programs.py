"""How the programs of the live tests are found, and installed, with an apt-get made for that."""

import shutil
from pathlib import Path

import pytest

from bmat.tests.live import programs
from bmat.tests.live.programs import BROWSER, DRIVER, REDIS, Program

# It knows two packages. One of them brings the program, the other nothing.
APT_GET = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
    *" update") exit 0 ;;
    *" brings-it") printf '#!/bin/sh\\n' > {folder}/bmat-tool; chmod +x {folder}/bmat-tool ;;
    *" brings-nothing") exit 0 ;;
    *) echo "E: Unable to locate package"; exit 100 ;;
esac
"""


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def tool(*packages: str) -> Program:
    return Program("The tool", ("bmat-tool",), packages, "tool-of-fedora", "tool-of-brew")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs, with what apt-get itself needs."""
    for name in ("sh", "env", "chmod"):
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    text = APT_GET.format(log=tmp_path / "apt.log", folder=tmp_path)
    executable(tmp_path / "apt-get", text)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs, "ROOT", tmp_path)
    monkeypatch.setattr(programs, "FOLDERS", ())
    # Whoever runs the tests: this apt-get needs no root.
    monkeypatch.setattr(programs, "as_root", lambda: [])
    return tmp_path


def browser(folder: Path, name: str, version: str) -> Path:
    return executable(folder / name, f"#!/bin/sh\necho {name} {version}\n")


def test_it_tries_the_names_of_a_package_until_one_brings_the_program(folder: Path) -> None:
    wanted = tool("unknown", "brings-nothing", "brings-it", "not-tried")
    assert programs.obtain([wanted]) == []
    assert wanted.path() == folder / "bmat-tool"
    asked = [line.split()[-1] for line in (folder / "apt.log").read_text().splitlines()]
    assert asked == ["update", "unknown", "brings-nothing", "brings-it"]


def test_a_package_that_is_unknown_does_not_undo_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = Program("The lost one", ("bmat-lost",), ("unknown",), "lost-of-fedora", "lost-of-brew")
    wanted = tool("brings-it")
    assert programs.obtain([lost, wanted]) == [lost]
    assert wanted.is_here()
    assert "E: Unable to locate package" in capsys.readouterr().err


def test_it_installs_nothing_where_all_is_here(folder: Path) -> None:
    executable(folder / "bmat-tool", "#!/bin/sh\n")
    assert programs.obtain([tool("brings-it")]) == []
    assert not (folder / "apt.log").exists()


def test_it_says_what_to_install_where_it_may_not(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "as_root", lambda: None)
    monkeypatch.setattr(programs, "SERVERS", [tool("brings-it"), REDIS])
    assert programs.main([]) == 1
    said = capsys.readouterr().err
    assert "not on this machine: The tool, Redis.\n" in said
    assert "Debian:  sudo apt-get install brings-it redis-server\n" in said
    assert "Fedora:  sudo dnf install tool-of-fedora redis\n" in said
    assert "macOS:   brew install tool-of-brew redis\n" in said
    assert not (folder / "apt.log").exists()


@pytest.mark.parametrize("name", BROWSER.names)
def test_it_finds_a_browser_by_any_of_its_names(folder: Path, name: str) -> None:
    chosen = browser(folder, name, "150.0.1.2")
    chromedriver = browser(folder, "chromedriver", "150.0.1.9")
    assert programs.find_browser_and_driver() == (chosen, chromedriver)
    assert programs.missing([BROWSER, DRIVER]) == []


def test_it_takes_the_browser_that_the_driver_is_for(folder: Path) -> None:
    # Ubuntu's chromium-browser may only say that it is to be had as a snap.
    executable(folder / "chromium-browser", "#!/bin/sh\necho Install the snap.\nexit 1\n")
    browser(folder, "chromium", "149.0.1.2")
    chosen = browser(folder, "google-chrome", "150.0.1.2")
    chromedriver = browser(folder, "chromedriver", "150.0.1.9")
    assert programs.find_browser_and_driver() == (chosen, chromedriver)


def test_a_browser_without_a_driver_of_its_version_is_missing(folder: Path) -> None:
    browser(folder, "chromium", "149.0.1.2")
    browser(folder, "chromedriver", "150.0.1.9")
    assert programs.missing([BROWSER, DRIVER]) == [BROWSER, DRIVER]
    with pytest.raises(AssertionError, match="snap install chromium"):
        programs.browser_and_driver()


def test_it_takes_the_newest_version_of_a_program(folder: Path) -> None:
    for version in ("9", "15", "10"):
        (folder / "usr" / version).mkdir(parents=True)
        executable(folder / "usr" / version / "initdb", "#!/bin/sh\n")
    program = Program("A server", ("initdb",), ("server",), "server", "server", ("/usr/*/initdb",))
    assert program.path() == folder / "usr" / "15" / "initdb"
