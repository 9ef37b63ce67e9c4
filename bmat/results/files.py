"""Which files a result has in its folder, and which of them questions read."""

from pathlib import Path
from typing import BinaryIO

from bmat.results.errors import NotConverted

OUTPUT = "output.csv"
REJECTS = "rejects.csv"
SUMMARY = "summary.json"
# Made from the output when they are wanted.
PARQUET = "totals.parquet"
JSON_LINES = "totals.jsonl"

# What a key may be made of: the name of each field, and its column in the totals, in front of the
# other two.
FIELDS = {
    "song": "Song",
    "artist": "Artist",
    "isrc": "ISRC",
    "territory": "Territory",
    "service": "Service",
}
DATE, TOTAL = "Date", "Total Number of Plays for Date"

# A larger output is asked as Parquet only: a question reads a CSV from its start to its end.
MOST_CSV_BYTES = 16 * 2**20


def needs_parquet(folder: Path) -> bool:
    """Whether questions wait for the Parquet of this result. Raises FileNotFoundError."""
    return (folder / OUTPUT).stat().st_size > MOST_CSV_BYTES


def readable_file(folder: Path) -> Path:
    """The file that holds the totals and is read fastest: the Parquet if there is one."""
    parquet = folder / PARQUET
    return parquet if parquet.exists() else folder / OUTPUT


def totals_file(folder: Path) -> Path:
    """The file that questions read: the Parquet if there is one, else the CSV if it is small.
    Raises FileNotFoundError, and NotConverted.
    """
    file = readable_file(folder)
    if file.name == OUTPUT and needs_parquet(folder):
        raise NotConverted("The result is large, and is not there as Parquet yet.")
    return file


def summary(folder: Path) -> BinaryIO:
    """The file of counts that the run wrote, as JSON. Raises FileNotFoundError."""
    return (folder / SUMMARY).open("rb")
