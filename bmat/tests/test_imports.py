"""No module of bmat needs itself, through however many others."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
PACKAGES = ("bmat", "config")


def module_name(path: Path) -> str:
    """The name under which the file is imported; of a package, that of its folder."""
    parts = path.relative_to(PROJECT_FOLDER).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path
    for package in PACKAGES
    for path in (PROJECT_FOLDER / package).rglob("*.py")
    if "tests" not in path.parts
}


def imported(source: str, known: set[str]) -> Iterator[str]:
    """The modules among `known` that the source imports, wherever it does, and be it for the type
    checker alone.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                if submodule in known:
                    yield submodule
                elif node.module in known:
                    yield node.module


def cycle_in(sources: dict[str, str]) -> list[str]:
    """The modules of one circle, each of which imports the one before it; empty without one."""
    graph = {name: set(imported(source, set(sources))) for name, source in sources.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_no_import_leads_back_to_where_it_came_from() -> None:
    assert cycle_in({name: path.read_text() for name, path in MODULES.items()}) == []


@pytest.mark.parametrize(
    "back",
    [
        "import a",
        "from a import name",
        "def f():\n    from a import name",
        "if TYPE_CHECKING:\n    import a",
    ],
)
def test_it_finds_a_circle_however_it_is_closed(back: str) -> None:
    assert set(cycle_in({"a": "import p.b", "p": "", "p.b": "from p import c", "p.c": back})) == {
        "a",
        "p.b",
        "p.c",
    }


def test_the_celery_app_needs_nothing_of_the_api() -> None:
    needed, new = {"bmat.taskapp.celery"}, {"bmat.taskapp.celery"}
    while (
        new := {
            name for module in new for name in imported(MODULES[module].read_text(), set(MODULES))
        }
        - needed
    ):
        needed |= new

    assert [name for name in sorted(needed) if name.startswith("bmat.api")] == []
