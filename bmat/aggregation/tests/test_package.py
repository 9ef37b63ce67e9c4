import re
import subprocess
import sys
from pathlib import Path

from bmat.aggregation.errors import MESSAGES

CONTRACT = Path(__file__).parents[3] / "docs" / "data-contract.md"


def test_it_imports_neither_django_nor_celery() -> None:
    program = (
        "import sys, bmat.aggregation, bmat.aggregation.cli\n"
        "print(sorted({'django', 'celery', 'rest_framework'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_every_error_code_is_in_the_data_contract_and_the_other_way_round() -> None:
    _, _, fatal = CONTRACT.read_text().partition("## Errors that fail the whole run")
    rows = [line.split("|")[1] for line in fatal.splitlines() if line.startswith("| `")]
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(MESSAGES)
