"""The page's modules: what they import, what they weigh, and what they never do."""

import gzip
import re
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage

import bmat.web
from bmat.web.modules import IMPORTS, ModuleStorage, needed_by

STATIC = Path(bmat.web.__file__).parent / "static"
WEB = STATIC / "web"
MODULES = sorted(path for path in WEB.rglob("*.js") if "vendor" not in path.parts)
LOADS = re.compile(r'\bimport\("(\.[^"]+)"\)')
# Ways to run text as code or to parse it as HTML, and what the page's policy refuses.
NEVER = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|\beval\(|"
    r"new Function|setAttribute\(\"(?:style|on)|\bhttps?://(?!www\.w3\.org/2000/svg)\S+\""
)
FIRST_PAINT_BYTES = 100_000


def imported(module: Path, pattern: re.Pattern[str]) -> list[Path]:
    """The modules that a module names."""
    return [(module.parent / name).resolve() for name in pattern.findall(module.read_text())]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_module_never_runs_or_parses_text(module: Path) -> None:
    assert NEVER.findall(module.read_text()) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(WEB)))
def test_a_module_says_first_what_it_is_for(module: Path) -> None:
    assert module.read_text().startswith("// ")


def test_the_names_of_files_change_with_what_they_hold(tmp_path: Path) -> None:
    storage, source = (
        ModuleStorage(location=tmp_path, base_url="/static/"),
        FileSystemStorage(STATIC),
    )
    names = [str(path.relative_to(STATIC)) for path in WEB.rglob("*") if path.is_file()]
    for name in names:
        with source.open(name) as file:
            storage.save(name, file)
    for _, _, processed in storage.post_process({name: (source, name) for name in names}):
        assert not isinstance(processed, Exception), processed
    modules = [tmp_path / name for name in storage.hashed_files.values() if name.endswith(".js")]
    named = [one for path in modules for one in [*imported(path, IMPORTS), *imported(path, LOADS)]]
    assert len(named) > 50
    assert {*named} <= {*modules}


def test_what_the_first_view_needs_is_small() -> None:
    modules = [STATIC / name for name in needed_by("web/views/home.js")]
    files = [*modules, WEB / "app.css", WEB / "icon.svg"]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < FIRST_PAINT_BYTES


def test_a_view_is_all_that_its_modules_import() -> None:
    found = {STATIC / name for name in needed_by("web/views/account.js")}
    assert {WEB / "main.js", WEB / "dom.js", WEB / "account" / "webhooks.js"} <= found
    assert {other for one in found for other in imported(one, IMPORTS)} <= found
    assert WEB / "views" / "home.js" not in found
