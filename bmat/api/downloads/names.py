"""The name under which a browser saves a download: made from what its owner calls the upload."""

import unicodedata
from pathlib import PurePath

DEFAULT_STEM = "report"
STEM_LENGTH = 100
# Separate folders, or mean something to a shell or to Windows.
SPECIAL = '/\\:*?"<>|'


def download_name(input_name: str, suffix: str, ending: str) -> str:
    """The name, of at most STEM_LENGTH characters before the suffix.

    >>> download_name("plays.csv", "totals", "parquet")
    'plays-totals.parquet'
    """
    plain = PurePath(plain_text(input_name).replace("\\", "/"))
    stem = "".join("_" if each in SPECIAL else each for each in plain.stem.lstrip("."))
    return f"{stem[:STEM_LENGTH].strip() or DEFAULT_STEM}-{suffix}.{ending}"


def plain_text(text: str) -> str:
    """The text without control characters, and without those that turn the writing around."""
    return "".join(each for each in text if not unicodedata.category(each).startswith("C"))
