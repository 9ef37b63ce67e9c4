"""The package as a whole: which of its modules may import which, and what an import loads."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import bmat.aggregation
from bmat.aggregation.errors import MESSAGES

PACKAGE = "bmat.aggregation"
FOLDER = Path(__file__).parents[1]
CONTRACT = Path(__file__).parents[3] / "docs" / "data-contract.md"

# From top to bottom. A module imports modules of its own part and of the rows below: never from a
# row above, and never from another part of its own row.
LAYERS = (
    {"__main__"},
    {"cli"},
    # What the package offers: `aggregate` is imported only when it is asked for.
    {"__init__"},
    {"run", "inspection"},
    # The plan samples the input with the readers of `read` and the tables of `merge`.
    {"graph", "plan"},
    {"read", "merge", "write"},
    {"exchange"},
    {"job"},
    {"workspace"},
    {"source"},
    {"options"},
    {"progress", "scheduler"},
    {"results"},
    {"errors", "system"},
    {"kernels"},
)
ROW_OF = {part: row for row, parts in enumerate(LAYERS) for part in parts}
MOST_IMPORTS_IN_A_CHAIN = 8

FILES = {
    ".".join((PACKAGE, *file.relative_to(FOLDER).with_suffix("").parts)): file
    for file in FOLDER.rglob("*.py")
    if "tests" not in file.parts
}


def statements_of(node: ast.AST) -> Iterator[ast.AST]:
    """All that runs below `node`: what only a type checker reads does not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            child.body = []
        yield child
        yield from statements_of(child)


def names_imported(node: ast.AST) -> list[str]:
    """What an import statement names, each as an absolute path; nothing for other statements."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute in this package"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def module_of(name: str) -> str | None:
    """The module of this package that defines `name`; None where it is none of this package."""
    while name.startswith(PACKAGE):
        for module in (name, f"{name}.__init__"):
            if module in FILES:
                return module
        name = name.rpartition(".")[0]
    return None


@cache
def imported_by(module: str) -> set[str]:
    """The modules of this package that `module` imports, wherever in its source."""
    nodes = statements_of(ast.parse(FILES[module].read_text()))
    found = {module_of(name) for node in nodes for name in names_imported(node)}
    return {other for other in found if other is not None}


@cache
def longest_chain(module: str) -> list[str]:
    """The longest chain of imports from `module` down, with both of its ends."""
    chains = [longest_chain(other) for other in imported_by(module)]
    return [module, *max(chains, key=len, default=[])]


def part_of(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.").split(".")[0]


def may_import(part: str, other: str) -> bool:
    return part == other or ROW_OF[part] < ROW_OF[other]


def test_the_table_names_every_part_of_the_package() -> None:
    assert {part_of(module) for module in FILES} == set(ROW_OF)


def test_imports_run_one_way() -> None:
    climbing = [
        f"{module} imports {other}"
        for module in FILES
        for other in imported_by(module)
        if not may_import(part_of(module), part_of(other))
    ]
    assert climbing == []


def test_the_longest_chain_of_imports_is_short() -> None:
    longest = max((longest_chain(module) for module in FILES), key=len)
    assert len(longest) - 1 <= MOST_IMPORTS_IN_A_CHAIN, " -> ".join(longest)


def loaded_by(statement: str, *packages: str) -> str:
    """Which of `packages` a fresh interpreter has loaded after `statement`."""
    program = f"import sys; {statement}; print(*sorted({set(packages)} & set(sys.modules)))"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_it_imports_neither_django_nor_celery() -> None:
    statement = f"import {PACKAGE}.cli, {PACKAGE}.run"
    assert loaded_by(statement, "django", "celery", "rest_framework") == ""


def test_errors_options_and_the_command_line_load_neither_compiler_nor_scheduler() -> None:
    statement = f"import {PACKAGE}.cli; from {PACKAGE} import AggregationError, Options, Summary"
    assert loaded_by(statement, "dask", "distributed", "llvmlite", "numba") == ""


def test_a_wrong_option_is_refused_before_they_are_loaded() -> None:
    wrong = ["in.csv", "-o", "out.csv", "--delimiter", "no"]
    statement = f"from {PACKAGE} import cli; assert cli.main({wrong}) == 2"
    assert loaded_by(statement, "dask", "numba") == ""


def test_aggregate_loads_them_when_it_is_asked_for() -> None:
    assert loaded_by(f"from {PACKAGE} import aggregate", "dask", "numba") == "dask numba"


@pytest.mark.parametrize(("rows", "compilers"), [(7, ""), (1000, "numba")])
def test_the_command_line_loads_the_compiler_for_more_than_a_few_rows(
    tmp_path: Path, rows: int, compilers: str
) -> None:
    source = tmp_path / "in.csv"
    source.write_text("Song,Date,Number of Plays\n" + "song,2020-01-01,1\n" * rows)
    arguments = ["bmat", str(source), "-o", str(tmp_path / "out.csv")]
    statement = f"sys.argv = {arguments}; sys.stdout = None; from {PACKAGE} import cli; cli.main()"
    assert loaded_by(f"{statement}; sys.stdout = sys.__stdout__", "numba") == compilers
    assert (tmp_path / "out.csv").read_text().endswith(f"song,2020-01-01,{rows}\n")


def test_a_missing_input_is_told_of_without_the_compiler(tmp_path: Path) -> None:
    arguments = ["bmat", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out.csv")]
    statement = f"sys.argv = {arguments}; from {PACKAGE} import cli; assert cli.main() == 1"
    assert loaded_by(statement, "numba") == ""


def test_it_offers_what_it_names_and_nothing_else() -> None:
    assert all(hasattr(bmat.aggregation, name) for name in bmat.aggregation.__all__)
    assert not hasattr(bmat.aggregation, "nonsense")


def test_every_error_code_is_in_the_data_contract_and_the_other_way_round() -> None:
    _, _, fatal = CONTRACT.read_text().partition("## Errors that fail the whole run")
    rows = [line.split("|")[1] for line in fatal.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(MESSAGES)
