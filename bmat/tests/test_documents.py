"""What the documents say is there, and what is there is in the documents."""

import re
from pathlib import Path

import pytest
from django.urls import URLResolver, get_resolver

from bmat import __version__, client
from bmat.aggregation import cli
from bmat.client import arguments
from bmat.client.reports import OPTIONS
from bmat.tests import samples

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
README = (PROJECT_FOLDER / "README.md").read_text()
SETTINGS = (PROJECT_FOLDER / "docs" / "settings.md").read_text()
API_GUIDE = (PROJECT_FOLDER / "docs" / "api.md").read_text()
CLIENT = (PROJECT_FOLDER / "docs" / "client.md").read_text()
COMMAND_LINE = (PROJECT_FOLDER / "docs" / "command-line.md").read_text()
PERFORMANCE = (PROJECT_FOLDER / "docs" / "performance.md").read_text()
MAKEFILE = (PROJECT_FOLDER / "Makefile").read_text()
PAGES = ["README.md", "SECURITY.md", "CHANGELOG.md", "CONTRIBUTING.md"]
# Words that describe instead of naming: the field has terms for these things.
METAPHORS = re.compile(
    r"\b(bells?|rings?|rung|ringing|beacons?|deaf|listens? for|strikes?|knows nothing|patience)\b",
    re.IGNORECASE,
)
DOCUMENTS = [
    *(PROJECT_FOLDER / page for page in PAGES),
    *sorted((PROJECT_FOLDER / "docs").glob("*.md")),
]
DOCUMENTS_OF_TODAY = [document for document in DOCUMENTS if document.name != "CHANGELOG.md"]
NAMES_A_PATH = re.compile(r"`((?:bmat|bench|compose|config|requirements|scripts)/[^` ]*)`")
READS_A_VARIABLE = re.compile(
    r"""(?:environment|limits|env)\.\w+(?:\.\w+)?\(\s*"([A-Z][A-Z_]+)\""""
)
SOURCES = [
    *(PROJECT_FOLDER / "config").rglob("*.py"),
    *(PROJECT_FOLDER / "scripts").glob("*.py"),
    *(PROJECT_FOLDER / "bmat" / "aggregation").glob("*.py"),
    *(PROJECT_FOLDER / "bmat" / "aggregation" / "kernels").glob("*.py"),
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
    rows = re.findall(r"^\| (`[A-Z].*?) \|", SETTINGS, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_it_documents_every_environment_variable_that_is_read() -> None:
    read = variables_read()
    assert {"DATABASE_URL", "BMAT_HOME", "PORT", "CELERY_FLOWER_PASSWORD"} <= read
    assert read - settings_table() == set()


def test_it_documents_no_environment_variable_that_nobody_reads() -> None:
    # Django itself reads the one, and scripts/install.sh the other.
    assert settings_table() - variables_read() == {"DJANGO_SETTINGS_MODULE", "PYTHON"}


def test_it_documents_every_option_of_the_command_line() -> None:
    options = {name for action in cli.parser()._actions for name in action.option_strings}
    assert "--rejects" in options
    assert options - set(re.findall(r"`(--?\w[\w-]*)`", COMMAND_LINE)) == {"-h", "--help"}


def test_it_documents_every_command_of_the_client_and_its_own_options() -> None:
    group = arguments.parser()._subparsers
    assert group is not None
    commands = vars(group._group_actions[0])["choices"]
    assert {"submit", "watch", "aggregate"} <= set(commands)
    assert set(commands) == set(re.findall(r"`bmat ([a-z]+)[ `]", CLIENT))
    options = {name for each in commands.values() for name in each._option_string_actions}
    of_uploads = {f"--{name.replace('_', '-')}" for name in OPTIONS}
    assert options - of_uploads - {"-h", "--help", "--output"} <= set(
        re.findall(r"--?[a-z-]+", CLIENT)
    )


def test_it_documents_every_exit_code_and_error_of_the_client() -> None:
    kinds = every_kind_of(client.ClientError)
    errors = {kind.__name__ for kind in kinds} & set(client.__all__)
    assert "Unreachable" in errors
    assert errors - {"ClientError"} <= set(re.findall(r"`(\w+)`", CLIENT))
    codes = {kind.exit_code for kind in kinds}
    _, _, section = CLIENT.partition("## Exit codes")
    assert codes | {0} == {int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)}


def every_kind_of(error: type[client.ClientError]) -> set[type[client.ClientError]]:
    """The error and all that are derived from it."""
    return {error}.union(*(every_kind_of(each) for each in error.__subclasses__()))


def test_it_documents_every_endpoint_of_the_api() -> None:
    paths = {plain_path(route) for route in routes(get_resolver()) if route.startswith("api/")}
    assert {"/api/reports", "/api/reports/<pid>"} <= paths
    assert paths == {path.rstrip("/") for path in re.findall(r"(/api/[^`\s]*)`", API_GUIDE)}


def plain_path(route: str) -> str:
    """A route as people write it: `api/^reports/(?P<pid>[^/]+)/?$` is `/api/reports/<pid>`."""
    named = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route)
    return "/" + named.replace("^", "").removesuffix("$").removesuffix("/?")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_it_links_to_files_that_are_there(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


# The changelog names what has gone, too.
@pytest.mark.parametrize("document", DOCUMENTS_OF_TODAY, ids=lambda document: document.name)
def test_it_names_files_of_the_project_that_are_there(document: Path) -> None:
    named = NAMES_A_PATH.findall(document.read_text())
    assert [path for path in named if not list(PROJECT_FOLDER.glob(path))] == []


def test_it_prints_the_result_of_the_sample_as_it_is() -> None:
    assert samples.PLAYS_TOTALS.decode() in README


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):.*## ", MAKEFILE, re.MULTILINE))


def test_it_names_only_targets_that_the_makefile_has() -> None:
    named = {name for page in DOCUMENTS for name in re.findall(r"`make ([a-z]+)", page.read_text())}
    assert {"run", "test", "faults", "audit"} <= named
    assert named <= makefile_targets()


def test_it_documents_every_target_of_the_makefile() -> None:
    texts = "".join(page.read_text() for page in DOCUMENTS)
    assert makefile_targets() - set(re.findall(r"\bmake ([a-z]+)", texts)) == {"clean"}


def test_it_documents_every_variable_of_the_bench() -> None:
    sources = "".join(path.read_text() for path in (PROJECT_FOLDER / "bench").glob("*.py"))
    read = set(re.findall(r'environ\.get\("(\w+)"', sources))
    assert "BENCH_ROWS" in read
    assert read - set(re.findall(r"`(\w+)`", PERFORMANCE)) == set()


def test_there_is_one_version() -> None:
    changes = (PROJECT_FOLDER / "CHANGELOG.md").read_text()
    description = (PROJECT_FOLDER / "docs" / "openapi.yaml").read_text()
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == __version__
    assert f"\n  version: {__version__}\n" in description
    assert client.__version__ == __version__
    for image in ("local", "production"):
        dockerfile = (PROJECT_FOLDER / "compose" / image / "django" / "Dockerfile").read_text()
        assert f'LABEL org.opencontainers.image.version="{__version__}"' in dockerfile


def test_the_readme_is_short() -> None:
    assert len(README.splitlines()) <= 90


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_it_uses_no_metaphors_for_technical_things(document: Path) -> None:
    assert METAPHORS.findall(document.read_text()) == []


def test_continuous_integration_does_what_the_project_asks_for() -> None:
    workflow = (PROJECT_FOLDER / ".github" / "workflows" / "ci.yml").read_text()
    gate = (PROJECT_FOLDER / ".ci" / "run").read_text()
    assert re.findall(r"- run: (.*)", workflow) == re.findall(r"^(make .*)", gate, re.MULTILINE)
