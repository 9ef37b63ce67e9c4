"""Where compiled code is kept."""

import logging
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from bmat.aggregation.kernels.backend import require_little_endian
from bmat.aggregation.kernels.compile import (
    base_folder,
    cache_folder,
    writable,
)

PROJECT_FOLDER = Path(__file__).resolve().parents[3]
KERNEL = """
from bmat.aggregation.kernels.compile import kernel

@kernel
def twice(number: int) -> int:
    return 2 * number

print(twice(21), sum(twice.stats.cache_hits.values()))
"""


def start(folder: Path, cache: Path) -> "subprocess.Popen[str]":
    """A process that compiles a kernel, or takes it from the cache."""
    (folder / "module.py").write_text(KERNEL)
    environment = {**os.environ, "BMAT_KERNEL_CACHE": str(cache), "PYTHONPATH": str(PROJECT_FOLDER)}
    # The package itself would compile all of its kernels, which takes half a minute.
    program = (
        "import sys, types; sys.path.insert(0, sys.argv[1]); package = types.ModuleType('x');"
        f"package.__path__ = ['{PROJECT_FOLDER}/bmat/aggregation'];"
        "sys.modules['bmat.aggregation'] = package; import module"
    )
    command = [sys.executable, "-c", program, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_processes_may_compile_at_once_and_a_later_one_finds_it_done(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    at_once = [start(tmp_path, cache) for _ in range(3)]
    answers = [process.communicate()[0].split()[0] for process in at_once]
    assert answers == ["42"] * 3
    assert start(tmp_path, cache).communicate()[0] == "42 1\n"


def test_the_folder_is_named_after_sources_and_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    here = cache_folder()
    assert here == cache_folder()
    monkeypatch.setattr("llvmlite.binding.get_host_cpu_name", lambda: "another")
    assert here.parent == cache_folder().parent
    assert here != cache_folder()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("numba.config.OPT", 0),
        ("numba.config.BOUNDSCHECK", 1),
        ("numba.__version__", "0.1"),
        ("llvmlite.__version__", "0.1"),
        ("bmat.aggregation.kernels.compile.FLAGS", {"error_model": "python"}),
    ],
)
def test_what_is_compiled_otherwise_is_kept_elsewhere(
    monkeypatch: pytest.MonkeyPatch, place: str, value: object
) -> None:
    here = cache_folder()
    monkeypatch.setattr(place, value)
    assert cache_folder() != here


def test_a_machine_with_another_order_of_bytes_is_refused() -> None:
    require_little_endian("little")
    with pytest.raises(ImportError) as caught:
        require_little_endian("big")
    assert str(caught.value) == (
        "bmat.aggregation reads words of memory as little-endian numbers, and this machine is "
        "big-endian: run it on x86-64 or ARM64."
    )


def test_it_is_kept_at_home_unless_the_setting_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BMAT_KERNEL_CACHE", "/somewhere")
    assert base_folder() == Path("/somewhere")
    monkeypatch.delenv("BMAT_KERNEL_CACHE")
    assert base_folder() == Path.home() / ".cache" / "bmat"


def test_a_user_without_a_home_has_a_folder_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("BMAT_KERNEL_CACHE", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert base_folder() == Path("/var/cache/bmat")


def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can be made any more: root, who may run the tests, may write everywhere."""

    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("bmat.aggregation.kernels.compile.TemporaryFile", refuse)


def test_a_folder_that_cannot_be_written_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    module = tmp_path / "kernels" / "module"
    module.mkdir(parents=True)
    (module / "code.nbi").write_bytes(b"compiled")
    for folder in (module, module.parent):
        folder.chmod(0o555)
    read_only(monkeypatch)
    own = writable(tmp_path / "kernels")
    assert own != tmp_path / "kernels"
    assert (own / "module" / "code.nbi").read_bytes() == b"compiled"
    assert [folder.stat().st_mode & 0o777 for folder in (own, own / "module")] == [0o700] * 2
    assert caplog.records == []


def test_without_any_folder_it_compiles_at_each_start_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        assert writable(tmp_path / "file" / "kernels").is_dir()
    assert "set BMAT_KERNEL_CACHE to a folder that this user can write" in caplog.text


def test_a_command_compiles_them(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_module("bmat.aggregation.kernels", run_name="__main__")
    assert "kernels are in " in capsys.readouterr().out
