"""What must be true of the lock files, for pip resolves nothing of them on a user's machine."""

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
NAMES = ["base", "local", "bench"]
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def locked(name: str) -> list[tuple[Requirement, frozenset[str]]]:
    """Each requirement of a lock file, with its hashes."""
    text = re.sub(r"^\s*#.*\n", "", (REQUIREMENTS / f"{name}.lock").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", "").splitlines()
    return [(Requirement(line.split("--hash")[0]), frozenset(HASH.findall(line))) for line in lines]


def versions_here(name: str) -> dict[NormalizedName, str]:
    """The version of each package that a lock file has for this system."""
    here = (item for item, _ in locked(name) if item.marker is None or item.marker.evaluate())
    return {canonicalize_name(item.name): str(item.specifier)[2:] for item in here}


def declared(name: str) -> list[Requirement]:
    """The requirements of a .txt file, without those of the file that it builds on."""
    lines = (REQUIREMENTS / f"{name}.txt").read_text().splitlines()
    wanted = (line.partition("#")[0].strip() for line in lines)
    return [Requirement(line) for line in wanted if line and not line.startswith("-r ")]


def needs(package: str, extras: set[str]) -> list[Requirement]:
    """What an installed package needs on this system, with some of its extras."""
    found = [Requirement(line) for line in metadata.requires(package) or []]
    environments = [{"extra": extra} for extra in extras | {""}]
    return [
        item
        for item in found
        if item.marker is None or any(item.marker.evaluate(each) for each in environments)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_pins_every_package_with_its_hashes(name: str) -> None:
    for requirement, hashes in locked(name):
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), str(requirement)
        assert hashes, str(requirement)


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_what_is_declared(name: str) -> None:
    versions = versions_here(name)
    for requirement in declared(name):
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("name", ["base", "local"])
def test_a_lock_is_a_closure(name: str) -> None:
    versions = versions_here(name)
    extras = {canonicalize_name(item.name): item.extras for item, _ in locked(name)}
    lacking = [
        f"{package} needs {item}"
        for package in versions
        for item in needs(package, extras[package])
        if not item.specifier.contains(versions.get(canonicalize_name(item.name), "0"))
        # An extra that is asked for is named: pip before 23.3 pins a package apart from it.
        or not item.extras <= extras[canonicalize_name(item.name)]
    ]
    assert lacking == []


@pytest.mark.parametrize("name", ["local", "bench"])
def test_a_lock_holds_exactly_what_that_of_running_holds(name: str) -> None:
    pins = {(item.name, str(item.specifier)): hashes for item, hashes in locked(name)}
    for item, hashes in locked("base"):
        assert pins[item.name, str(item.specifier)] == hashes
