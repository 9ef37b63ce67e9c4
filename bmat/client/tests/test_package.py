"""The client as a package of its own: what it imports, and how it is installed."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bmat.aggregation.options import OPTION_NAMES
from bmat.client.reports import OPTIONS

FOLDER = Path(__file__).parents[1]
SOURCES = sorted(FOLDER.glob("*.py"))
ALLOWED = {"bmat", "httpx", "tqdm"}


def imported(source: Path) -> set[str]:
    """What the source imports, as absolute names."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{node.module}")
    return names


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_it_imports_nothing_of_the_other_parts(source: Path) -> None:
    foreign = {name.partition(".")[0] for name in imported(source)} - sys.stdlib_module_names
    assert foreign <= ALLOWED
    assert all(name.startswith("bmat.client") for name in imported(source) if "bmat" in name)


def test_it_knows_the_options_of_the_engine() -> None:
    assert tuple(OPTIONS) == OPTION_NAMES


def loaded_by(statement: str) -> set[str]:
    """The packages that a fresh interpreter has loaded after `statement`."""
    program = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_question_loads_neither_the_engine_nor_the_server() -> None:
    loaded = loaded_by("import bmat.client.cli, bmat.client.commands")
    assert loaded & {"django", "celery", "numba", "numpy", "dask", "rest_framework"} == set()


def test_the_command_loads_no_http_library_where_the_engine_is_all() -> None:
    assert "httpx" not in loaded_by("import bmat.client.cli")


def test_it_needs_two_packages_alone() -> None:
    described = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]
    assert [name.partition(">")[0] for name in described["dependencies"]] == ["httpx", "tqdm"]
