"""Where files lie, and what they take."""

from pathlib import Path

from bmat.api.services import files


def test_a_folder_takes_what_its_files_do(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_bytes(b"12345")
    (folder / "b").write_bytes(b"678")

    assert files.size_of(folder) == 8


def test_a_folder_that_is_gone_takes_nothing(tmp_path: Path) -> None:
    assert files.size_of(tmp_path / "gone") == 0
