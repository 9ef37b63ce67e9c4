"""The client as a distribution of its own, installed into an empty environment."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from bmat.client.version import __version__
from bmat.tests.live.processes import PROJECT_FOLDER

FOLDER = PROJECT_FOLDER / "bmat" / "client"


class Environment:
    """A virtual environment with nothing in it but the client, and what that needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        venv.create(folder / "venv", symlinks=True)
        python = str(folder / "venv" / "bin" / "python")
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
        subprocess.run([*pip, str(FOLDER)], check=True, cwd=folder)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "venv" / "bin" / program), *arguments],
            cwd=self.folder,
            env={**os.environ, "BMAT_URL": "http://127.0.0.1:9"},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.mark.timeout(600)
def test_the_client_works_installed_alone(tmp_path: Path) -> None:
    before = sorted(path.name for path in FOLDER.iterdir())
    alone = Environment(tmp_path)
    assert sorted(path.name for path in FOLDER.iterdir()) == before

    assert alone.run("bmat", "--version").stdout == f"bmat {__version__}\n"
    missing = alone.run("bmat", "aggregate", "plays.csv")
    assert (missing.returncode, "which is not installed here" in missing.stderr) == (2, True)
    away = alone.run("bmat", "status", "any", "--give-up-after", "0.1")
    assert (away.returncode, "127.0.0.1:9 cannot be reached" in away.stderr) == (5, True)
    program = "from bmat.client import Client; import bmat, os; print(os.listdir(bmat.__path__[0]))"
    assert alone.run("python", "-c", program).stdout == "['client']\n"
    assert "--max-rejects" in alone.run("python", "-m", "bmat.client", "submit", "--help").stdout
