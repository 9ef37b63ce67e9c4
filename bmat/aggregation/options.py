"""What a caller may ask for: how to read the input, and how much of the machine to use."""

import codecs
from dataclasses import dataclass, field
from pathlib import Path

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.system import available_cores

NOT_DELIMITERS = "-+.:\"' \r\n\0"
# Codecs that Python counts among the text encodings, but in which no file is written.
NOT_FILE_ENCODINGS = frozenset(
    {
        "charmap",
        "idna",
        "mbcs",
        "oem",
        "punycode",
        "raw-unicode-escape",
        "undefined",
        "unicode-escape",
        "utf-7",
    }
)


@dataclass(frozen=True)
class Bounds:
    """How many bytes a record may take without its line end, a quoted field in it between its
    quotes, and a song once it is unquoted. The data contract fixes them; tests make them smaller.
    """

    record: int = 2**20
    quoted_field: int = 2**16
    song: int = 4096

    @property
    def held(self) -> int:
        """So many bytes show whether the record that starts with them is too long: the longest
        one, a quoted field that begins at its end, and what tells that this one is closed.
        """
        return self.record + self.quoted_field + 4


BOUNDS = Bounds()


@dataclass(frozen=True)
class Options:
    """How the input is read. See docs/data-contract.md for the meaning of each; only tests set the
    `bounds`.

    Raises AggregationError `invalid_option` or `unknown_encoding` for what cannot be followed.
    """

    song_column: str = "Song"
    date_column: str = "Date"
    plays_column: str = "Number of Plays"
    delimiter: str | None = None
    encoding: str | None = None
    strict: bool = False
    bounds: Bounds = BOUNDS

    def __post_init__(self) -> None:
        self._check_columns()
        if self.delimiter is not None:
            check_delimiter(self.delimiter)
        if self.encoding is not None:
            python_encoding(self.encoding)

    def _check_columns(self) -> None:
        columns = {
            "song_column": self.song_column,
            "date_column": self.date_column,
            "plays_column": self.plays_column,
        }
        seen: set[str] = set()
        for option, name in columns.items():
            key = column_key(name)
            if not key or key in seen:
                advice = "it names another column already" if key else "it names no column"
                raise failure("invalid_option", option=option, value=shown(name), advice=advice)
            seen.add(key)


@dataclass(frozen=True)
class Limits:
    """How much of the machine a run may use. None of these changes a byte of the output.

    Without `block_bytes` the blocks are as large as suits the input. Temporary files lie in a new
    folder in `temp_folder`, by default in the output's.
    """

    block_bytes: int | None = None
    threads: int = field(default_factory=available_cores)
    memory_budget_bytes: int = 2**30
    temp_folder: Path | None = None

    def __post_init__(self) -> None:
        for option in ("block_bytes", "threads", "memory_budget_bytes"):
            value = getattr(self, option)
            if value is not None and value < 1:
                raise failure("invalid_option", option=option, value=value, advice="use 1 or more")


def column_key(name: str) -> str:
    """A column's name as it is compared: without case, spaces, `_` and `-`."""
    return name.casefold().translate({ord(ignored): None for ignored in " _-"})


def check_delimiter(delimiter: str) -> None:
    """Raises AggregationError `invalid_option` unless `delimiter` is one ASCII character that
    may separate fields: one that is part of no date, count or quoted field.
    """
    is_one = len(delimiter) == 1 and delimiter.isascii()
    if not is_one or delimiter.isalnum() or delimiter in NOT_DELIMITERS:
        advice = (
            "use one ASCII character: none of - + . : "
            "and no letter, digit, space, quote or line end"
        )
        raise failure("invalid_option", option="delimiter", value=shown(delimiter), advice=advice)


def python_encoding(name: str) -> str:
    """Python's own name of the text encoding `name`. Raises AggregationError `unknown_encoding`."""
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError) as error:
        raise failure("unknown_encoding", encoding=shown(name)) from error
    # CPython marks the codecs that turn bytes into text, as against zip or hex, with this
    # attribute alone.
    if codec.name in NOT_FILE_ENCODINGS or not getattr(codec, "_is_text_encoding", False):
        raise failure("unknown_encoding", encoding=shown(name))
    return codec.name
