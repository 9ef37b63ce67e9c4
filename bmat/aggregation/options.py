"""What a caller may ask for: how to read the input, and how much of the machine to use."""

import codecs
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.system import available_cores

NOT_DELIMITERS = "-+.:\"' \r\n\0"
TABS = ("tab", "\\t")
# What a key may be made of, with the names of the columns in the output, and in an input where no
# option says another one.
ROLES = {
    "song": "Song",
    "artist": "Artist",
    "isrc": "ISRC",
    "territory": "Territory",
    "service": "Service",
}
DATE_COLUMN, PLAYS_COLUMN = "Date", "Number of Plays"
TOTAL_COLUMN = "Total Number of Plays for Date"
# Each is in source/presets.py, but for the default, which is the data contract's.
PRESETS = (
    "default",
    "totals",
    "dsr",
    "soundexchange",
    "spinitron",
    "suisa",
    "librefm",
    "audioscrobbler",
    "listenbrainz",
    "spotify",
    "lastfm_1k",
    "distrokid",
    "tunecore",
)
# Of one run.
MOST_INPUTS = 1000
DATE_FORMATS = ("iso", "dmy", "mdy", "ymd", "epoch", "epoch_ms")
THOUSANDS = (",", ".", "'", "space")
QUOTINGS = ("csv", "none")
PLAYS = ("column", "one")
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
        one, a quoted field that begins at its end, the spaces behind it, and what follows these.
        """
        return self.record + 2 * self.quoted_field + 8


BOUNDS = Bounds()


def described(text: str, metavar: str = "", choices: tuple[str, ...] = ()) -> Any:
    """A field of Options that is None where it is not given: its text for people who ask what it
    does, the word for its value, or the values that it may have.
    """
    shown_as = metavar or "|".join(choices) or "NAME"
    return field(default=None, metadata={"help": text, "metavar": shown_as, "choices": choices})


@dataclass(frozen=True)
class Options:
    """How the input is read, where somebody says so: what is None is up to the preset. See
    docs/data-contract.md for the meaning of each; only tests set the `bounds`.

    Raises AggregationError `invalid_option` or `unknown_encoding` for what cannot be followed.
    """

    preset: str | None = described(
        "the format of the file, see docs/presets.md; told by the file", "NAME", PRESETS
    )
    song_column: str | None = described("the song's column (Song)")
    artist_column: str | None = described("the artist's column (Artist)")
    isrc_column: str | None = described("the ISRC's column (ISRC)")
    territory_column: str | None = described("the territory's column (Territory)")
    service_column: str | None = described("the service's column (Service)")
    date_column: str | None = described("the date's column (Date)")
    plays_column: str | None = described("the count's column (Number of Plays)")
    group_by: str | None = described(
        "what is totalled per day: song, artist, isrc, territory, service, by commas (song)", "KEY"
    )
    delimiter: str | None = described("between fields, or tab; read off the header", "CHAR")
    encoding: str | None = described("of the input; UTF-8 or by byte order mark")
    date_format: str | None = described("how dates are written (iso)", choices=DATE_FORMATS)
    thousands: str | None = described("between groups of three digits", choices=THOUSANDS)
    quoting: str | None = described("none: quotes are ordinary bytes (csv)", choices=QUOTINGS)
    header_line: int | None = described("the line that the header is on", "N")
    plays: str | None = described("one: each record is one play (column)", choices=PLAYS)
    sheet: str | None = described("of a workbook, the sheet (the first one)")
    strict: bool = field(
        default=False, metadata={"help": "fail at the first record that cannot be counted"}
    )
    bounds: Bounds = field(default=BOUNDS, metadata={"hidden": True})

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """The options with these names. Raises AggregationError `invalid_option` for a name that
        is none.
        """
        for name in given:
            if name not in OPTION_NAMES:
                advice = f"there is no such option; there are {', '.join(OPTION_NAMES)}"
                raise failure("invalid_option", option=shown(name), value="used", advice=advice)
        return cls(**given)

    def __post_init__(self) -> None:
        for one in fields(self):
            choices, value = one.metadata.get("choices"), getattr(self, one.name)
            if choices and value is not None and value not in choices:
                advice = f"use one of {' '.join(choices)}"
                raise failure("invalid_option", option=one.name, value=shown(value), advice=advice)
        if self.header_line is not None and self.header_line < 1:
            raise failure(
                "invalid_option",
                option="header_line",
                value=self.header_line,
                advice="lines are counted from 1",
            )
        self._check_group_by()
        self._check_columns()
        if self.delimiter is not None:
            delimiter_byte(self.delimiter)
        if self.encoding is not None:
            python_encoding(self.encoding)

    @property
    def key(self) -> tuple[str, ...]:
        """The roles that make the key, in order."""
        return tuple(role.strip() for role in (self.group_by or "song").split(","))

    def column(self, role: str) -> str | None:
        """The name that was given for the column of `role`, of ROLES, `date` or `plays`."""
        name: str | None = getattr(self, f"{role}_column")
        return name

    def _check_group_by(self) -> None:
        if self.group_by == "":
            raise failure("invalid_option", option="group_by", value="''", advice="name a column")
        for number, role in enumerate(self.key):
            if role in ROLES and role not in self.key[:number]:
                continue
            advice = f"name each of {', '.join(ROLES)} at most once, with commas between them"
            value = shown(self.group_by or "")
            raise failure("invalid_option", option="group_by", value=value, advice=advice)

    def _check_columns(self) -> None:
        """No two of the columns that are read have the same name. The names that nobody gives are
        the default's where no preset is named: what is recognised has no named columns.
        """
        defaults = ROLES | {"date": DATE_COLUMN, "plays": PLAYS_COLUMN}
        read = [*self.key, "date", *(["plays"] if self.plays != "one" else [])]
        is_default = self.preset in (None, "default")
        # A column that nobody reads may be named, but not without a name. Of two with the same name
        # the one is told of that was named.
        roles = sorted(defaults, key=lambda role: (role not in read, self.column(role) is not None))
        seen: set[str] = set()
        for role in roles:
            name = self.column(role)
            if name is None and is_default and role in read:
                name = defaults[role]
            if name is None:
                continue
            key = column_key(name)
            if not key or key in seen and role in read:
                advice = "it names another column already" if key else "it names no column"
                option = f"{role}_column"
                raise failure("invalid_option", option=option, value=shown(name), advice=advice)
            seen.add(key)


OPTION_NAMES = tuple(one.name for one in fields(Options) if "hidden" not in one.metadata)


@dataclass(frozen=True)
class InputFile:
    """An input, and what is shown in place of its path, where it has a `name`. `options` are its
    own, in place of the run's; `group_by` and `strict` are always the run's.
    """

    path: Path
    name: str = ""
    options: Options | None = None

    def has(self, found: Path | None) -> bool:
        """Whether a file is this one, or one in it, if it is an archive."""
        return found is not None and found.parts[: len(self.path.parts)] == self.path.parts

    def shown(self, found: Path) -> Path:
        """What is shown in place of the path under which a file was found: this one, or one in
        it, if it is an archive.
        """
        if not self.name:
            return found
        return Path(self.name, *found.parts[len(self.path.parts) :])

    def read_with(self, options: Options) -> Options:
        """The options for this input of a run with `options`. Raises AggregationError
        `invalid_option` where its own do not fit that run.
        """
        own = self.options
        if own is None:
            return options
        if own.group_by is not None and own.key != options.key:
            advice = f"the run is by {','.join(options.key)}, and so are all of its inputs"
            value = shown(own.group_by)
            raise failure("invalid_option", option="group_by", value=value, advice=advice)
        return replace(own, group_by=options.group_by, strict=options.strict)


@dataclass(frozen=True)
class Limits:
    """How much of the machine a run may use. None of these changes a byte of the output.

    Without `block_bytes` the blocks are as large as suits the input. Temporary files lie in a new
    folder in `temp_folder`, by default in the output's. What is packed in an input may become
    `decompression_limit_bytes`, and `decompression_ratio` times as large as it is.
    """

    block_bytes: int | None = None
    threads: int = field(default_factory=available_cores)
    memory_budget_bytes: int = 2**30
    temp_folder: Path | None = None
    decompression_limit_bytes: int = 2**38
    decompression_ratio: int = 500

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, int) and value < 1:
                advice = "use 1 or more"
                raise failure("invalid_option", option=one.name, value=value, advice=advice)


def column_key(name: str) -> str:
    """A column's name as it is compared: without case, compatible characters alike, no white space,
    nothing invisible, no `_` and `-`. NUL stays: names of UTF-16 that is read as UTF-8 are full of
    it, and are like no other.
    """
    key = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # A header of 1 MiB may be one name, which becomes many times longer here; few of its characters
    # are different ones.
    for character in set(key):
        is_invisible = character != "\0" and unicodedata.category(character) in ("Cc", "Cf")
        if character in "_-" or character.isspace() or is_invisible:
            key = key.replace(character, "")
    return key


def delimiter_byte(delimiter: str) -> bytes:
    """The byte that the option stands for. Raises AggregationError `invalid_option` unless it is
    one ASCII character that may separate fields: one that is part of no date or count.
    """
    if delimiter in TABS:
        return b"\t"
    if not is_delimiter(delimiter):
        advice = (
            "use tab, or one ASCII character: none of - + . : "
            "and no letter, digit, space, quote or line end"
        )
        raise failure("invalid_option", option="delimiter", value=shown(delimiter), advice=advice)
    return delimiter.encode()


def is_delimiter(text: str) -> bool:
    """Whether this may separate fields."""
    is_one = len(text) == 1 and text.isascii()
    return is_one and not text.isalnum() and text not in NOT_DELIMITERS


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
