"""The package as a whole."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date

from bmat.aggregation.options import ROLES
from bmat.results import summary
from bmat.results.files import FIELDS
from bmat.results.tests.results import Result


def test_it_imports_neither_django_nor_celery_nor_the_aggregation() -> None:
    program = (
        "import sys, bmat.results, bmat.results.cli\n"
        "print(sorted({'django', 'celery', 'bmat.aggregation', 'numba', 'pyarrow', 'pandas'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_its_keys_are_those_of_a_run() -> None:
    assert FIELDS == ROLES


def test_the_summary_is_what_the_run_wrote(result: Callable[..., Result]) -> None:
    made = result([("a", date(2020, 1, 1), 2**62), ("a", date(2020, 1, 2), 2**62)])

    with summary(made.folder) as file:
        assert json.load(file)["plays_total"] == 2**63
