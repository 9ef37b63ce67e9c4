"""Has npm fetch the packages that the page's modules import, and takes files of them into
`bmat/web/static/web/vendor/<name>-<version>/`, each as it was published, with its licence and
`SHA256SUMS`. The archive has to have the integrity that stands here.

    .venv/bin/python scripts/vendor_web.py

To take a new version, change its line, run this, change the imports, and remove the old folder.
"""

import base64
import hashlib
import io
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

VENDOR_FOLDER = (
    Path(__file__).resolve().parent.parent / "bmat" / "web" / "static" / "web" / "vendor"
)
SUMS = "SHA256SUMS"
FETCH_SECONDS = 60


@dataclass(frozen=True)
class Package:
    """A package of the registry: the files that are taken, and what its archive has to hash to
    (`npm view NAME@VERSION dist.integrity`).
    """

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return VENDOR_FOLDER / f"{self.name}-{self.version}"


PACKAGES = (
    # Uploads that go on after a broken connection. MIT.
    Package(
        "tus-js-client",
        "4.3.1",
        "sha512-ZLeYmjrkaU1fUsKbIi8JML52uAocjEZtBx4DKjRrqzrZ"
        "a0O4MYwT6db+oqePlspV+FxXJAyFBc/L5gwUi2OFsg==",
        # The static files under changed names need the map that the script names.
        ("dist/tus.min.js", "dist/tus.min.js.map", "LICENSE"),
    ),
    # Charts of many days. MIT.
    Package(
        "uplot",
        "1.6.32",
        "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTX"
        "ImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        ("dist/uPlot.esm.js", "dist/uPlot.min.css", "LICENSE"),
    ),
)


def main() -> None:
    for package in PACKAGES:
        write(package, checked(package, fetched(package)))
        print(f"{package.name} {package.version}: {', '.join(package.files)}")


def fetched(package: Package) -> bytes:
    """The package's archive, from wherever npm is set to fetch from."""
    named = f"{package.name}@{package.version}"
    with TemporaryDirectory(prefix="bmat-npm-") as folder:
        command = ["npm", "pack", named, "--silent", "--pack-destination", folder]
        subprocess.run(command, check=True, timeout=FETCH_SECONDS)
        (archive,) = Path(folder).glob("*.tgz")
        return archive.read_bytes()


def checked(package: Package, archive: bytes) -> bytes:
    """The archive. Exits where it is not the one that was chosen."""
    kind, _, expected = package.integrity.partition("-")
    found = base64.b64encode(hashlib.new(kind, archive).digest()).decode()
    if found != expected:
        sys.exit(f"{package.name} {package.version} hashes to {kind}-{found}, not to {expected}.")
    return archive


def write(package: Package, archive: bytes) -> None:
    """Takes the files out, and writes what they hash to beside them."""
    package.folder.mkdir(parents=True, exist_ok=True)
    sums = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for path in package.files:
            file = files.extractfile(f"package/{path}")
            if file is None:
                sys.exit(f"{package.name} {package.version} has no file {path}.")
            content = file.read()
            name = Path(path).name
            (package.folder / name).write_bytes(content)
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (package.folder / SUMS).write_text("".join(sums))


if __name__ == "__main__":
    main()
