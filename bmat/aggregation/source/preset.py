"""What is known of a format: how it is recognised, its columns, and which of its records count."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bmat.aggregation.errors import AggregationError
from bmat.aggregation.options import DATE_COLUMN, PLAYS_COLUMN, ROLES, Options, column_key

# Who reads a file: `header`, where its columns have names in it, is the ordinary case.
Reader = Literal["header", "positions", "dsr", "soundexchange", "json"]


@dataclass(frozen=True)
class Keep:
    """Which records count: those with this text in the column of the role `filter`, or, of a
    prefix, with one that starts with it. The others are left out, for `reason`.
    """

    text: bytes
    is_prefix: bool
    reason: str


@dataclass(frozen=True)
class Listening:
    """Which JSON records are plays: those whose field of the role `filter` is a number, and at
    least `least`. Without a song they are none where they have one of the fields `instead`.
    """

    least: int
    instead: tuple[str, ...]


@dataclass(frozen=True)
class Preset:
    """One format.

    `columns` has the names of a role's column, of which the first one found is read. The roles are
    those of a key, `date`, `plays` and `filter`. Where `date` is not there, the file says elsewhere
    of which day it is. In JSON a name is a path, with dots.

    A header that has all of `fingerprint` (as columns are compared) is this format's; with
    `has_preamble` other lines may stand before it. Of the other readers, `head` matches the first
    bytes of a file, and `fields` are the names of the columns, where the file has none.

    `date_format` is one of the options', or `month`: YYYY-MM, counted on its first day. With
    `are_periods` a date stands for a longer time.
    """

    name: str
    title: str
    specification: str
    columns: Mapping[str, tuple[str, ...]]
    reader: Reader = "header"
    fingerprint: frozenset[str] = frozenset()
    head: re.Pattern[bytes] | None = None
    fields: tuple[str, ...] = ()
    has_preamble: bool = False
    delimiter: str | None = None
    quoting: str = "csv"
    date_format: str = "iso"
    plays: str = "column"
    are_periods: bool = False
    keep: Keep | None = None
    listening: Listening | None = None

    def names(self, role: str, options: Options) -> tuple[str, ...]:
        """The names that the column of `role` may have; none where the format has none."""
        given = options.column(role) if role != "filter" else None
        return self.columns.get(role, ()) if given is None else (given,)

    def wanted(self, options: Options) -> tuple[str, ...]:
        """The roles whose columns are read."""
        roles = list(options.key)
        if self.names("date", options):
            roles.append("date")
        if self.reads_plays(options):
            roles.append("plays")
        if self.keep is not None or self.listening is not None:
            roles.append("filter")
        return tuple(roles)

    def reads_plays(self, options: Options) -> bool:
        """Whether the plays stand in a column, as they do where one is named."""
        if options.plays is None and options.plays_column is not None:
            return True
        return (options.plays or self.plays) == "column"

    def positions(self, keys: Sequence[str], options: Options) -> dict[str, int]:
        """The fields of the roles that are read, as far as a header has them; `keys` are its names
        as they are compared.
        """
        found: dict[str, int] = {}
        for role in self.wanted(options):
            named = [column_key(name) for name in self.names(role, options)]
            first = next((key for key in named if key in keys), None)
            if first is not None:
                found[role] = keys.index(first)
        return found

    def misfit(self, what: str, source: Path) -> AggregationError:
        """The error of a file that is not in this format, because of `what`."""
        message = f"The file does not fit the preset {self.name} ({self.title}): {what}."
        return AggregationError("missing_column", message, source)

    def without(self, role: str, options: Options, source: Path) -> AggregationError:
        """The error of a file in which the column of `role` is not found."""
        names = " or ".join(map(repr, self.names(role, options)))
        if names:
            return self.misfit(f"it has no column {names}", source)
        option = f"{role}_column"
        return self.misfit(f"it has no {role}; if yours has, name it in {option}", source)


DEFAULT = Preset(
    name="default",
    title="song, date, plays",
    specification="docs/data-contract.md",
    columns={role: (name,) for role, name in ROLES.items()}
    | {"date": (DATE_COLUMN,), "plays": (PLAYS_COLUMN,)},
)
