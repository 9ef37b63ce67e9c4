"""The packages of others that the page loads are as they were published, with their licences."""

import hashlib
from pathlib import Path

import pytest

from scripts.vendor_web import PACKAGES, SUMS, VENDOR_FOLDER, Package, checked


def sums_of(folder: Path) -> dict[str, str]:
    """What each file of a package has to hash to, by its name."""
    lines = (folder / SUMS).read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_each_file_hashes_to_what_was_fetched(package: Package) -> None:
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in package.folder.iterdir()
        if path.name != SUMS
    }

    assert found == sums_of(package.folder)
    assert {*found} == {Path(path).name for path in package.files}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_each_package_has_its_licence(package: Package) -> None:
    assert "MIT" in (package.folder / "LICENSE").read_text()


def test_there_is_no_other_package() -> None:
    assert {*VENDOR_FOLDER.iterdir()} == {package.folder for package in PACKAGES}


def test_an_archive_that_is_another_one_is_refused() -> None:
    with pytest.raises(SystemExit, match="hashes to sha512-"):
        checked(PACKAGES[0], b"another one")
