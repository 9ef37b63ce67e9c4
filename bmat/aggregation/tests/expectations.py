"""Tables of small files, each with what must come of it.

`expected.tsv` in a folder of them: file, options (JSON), totals (JSON; null where the run fails),
rejects (JSON), error, note.
"""

import csv
import io
import json
import lzma
from pathlib import Path
from typing import Any, NamedTuple

TESTS = Path(__file__).parent


class Case(NamedTuple):
    folder: Path
    file: str
    options: str
    totals: str
    rejects: str
    error: str
    note: str

    def __str__(self) -> str:
        return f"{self.file} {self.options}"

    @property
    def content(self) -> bytes:
        content = (self.folder / self.file).read_bytes()
        return lzma.decompress(content) if self.file.endswith(".xz") else content

    @property
    def expected(self) -> tuple[Any, Any, str]:
        """The totals, None where the run fails; the line and the reason of each reject; the error's
        code, empty where there is none.
        """
        return json.loads(self.totals), json.loads(self.rejects), self.error


def cases_in(name: str) -> list[Case]:
    """The cases of a folder beside this file."""
    folder = TESTS / name
    _, *lines = (folder / "expected.tsv").read_text(encoding="utf-8").splitlines()
    return [Case(folder, *line.split("\t")) for line in lines]


def totals_in(content: bytes) -> list[list[Any]]:
    """The totals that a run has written, with their counts as numbers."""
    return [[*row[:-1], int(row[-1])] for row in rows_in(content)]


def rejects_in(content: bytes) -> list[list[Any]]:
    """The line and the reason of each reject that a run has written."""
    return [[int(line), reason] for line, reason, _ in rows_in(content)]


def rows_in(content: bytes) -> list[list[str]]:
    """The rows of a CSV behind its header."""
    return list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]
