"""What the README promises is there, and what is there is in the README."""

import re
from pathlib import Path

import pytest
from django.urls import URLResolver, get_resolver

from bmat.aggregation import cli
from bmat.tests import samples

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
README = (PROJECT_FOLDER / "README.md").read_text()
PAGES = ["README.md", "SECURITY.md", "CHANGELOG.md"]
DOCUMENTS = [
    *(PROJECT_FOLDER / page for page in PAGES),
    *sorted((PROJECT_FOLDER / "docs").glob("*.md")),
]
READS_A_VARIABLE = re.compile(
    r"""(?:environment|limits|env)\.\w+(?:\.\w+)?\(\s*"([A-Z][A-Z_]+)\""""
)
SOURCES = [
    *(PROJECT_FOLDER / "config").rglob("*.py"),
    *(PROJECT_FOLDER / "scripts").glob("*.py"),
    *(PROJECT_FOLDER / "bmat" / "aggregation").glob("*.py"),
]


def variables_read() -> set[str]:
    """The environment variables that the settings and the scripts read."""
    texts = [source.read_text() for source in SOURCES]
    found = {name for text in texts for name in READS_A_VARIABLE.findall(text)}
    return found | {
        name for text in texts for name in re.findall(r'environ(?:ment)?\.get\("(\w+)"', text)
    }


def routes(resolver: URLResolver, prefix: str = "") -> set[str]:
    """Every route below `resolver`, as its patterns spell it."""
    found: set[str] = set()
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        found |= routes(pattern, path) if isinstance(pattern, URLResolver) else {path}
    return found


def settings_table() -> set[str]:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", README, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_it_documents_every_environment_variable_that_is_read() -> None:
    read = variables_read()
    assert {"DATABASE_URL", "BMAT_HOME", "PORT", "CELERY_FLOWER_PASSWORD"} <= read
    assert read - settings_table() == set()


def test_it_documents_no_environment_variable_that_nobody_reads() -> None:
    assert settings_table() - variables_read() == {"DJANGO_SETTINGS_MODULE"}


def test_it_documents_every_option_of_the_command_line() -> None:
    options = {name for action in cli.parser()._actions for name in action.option_strings}
    section = README.partition("## Without a server")[2].partition("\n## ")[0]
    assert "--rejects" in options
    assert options - set(re.findall(r"`(-[\w-]+)`", section)) == {"-h", "--help"}


def test_it_documents_every_endpoint_of_the_api() -> None:
    paths = {plain_path(route) for route in routes(get_resolver()) if route.startswith("api/")}
    assert {"/api/reports", "/api/reports/<pid>"} <= paths
    assert paths == {path.rstrip("/") for path in re.findall(r"(/api/[^`\s]*)`", README)}


def plain_path(route: str) -> str:
    """A route as people write it: `api/^reports/(?P<pid>[^/]+)/?$` is `/api/reports/<pid>`."""
    named = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route)
    return "/" + named.replace("^", "").removesuffix("$").removesuffix("/?")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_it_links_to_files_that_are_there(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_it_prints_the_result_of_the_sample_as_it_is() -> None:
    assert samples.PLAYS_TOTALS.decode() in README


def test_it_names_only_targets_that_the_makefile_has() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (PROJECT_FOLDER / "Makefile").read_text(), re.MULTILINE)
    )
    named = {name for page in DOCUMENTS for name in re.findall(r"`make ([a-z]+)", page.read_text())}
    assert {"run", "test", "faults", "audit"} <= named
    assert named <= targets
