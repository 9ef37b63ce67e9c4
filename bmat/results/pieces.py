"""A result in pieces that are cut between keys: what sums up all of them does so piece by piece, in
memory that does not grow with the result.
"""

from collections.abc import Iterator
from pathlib import Path

from bmat.results.connection import Database, key_columns
from bmat.results.files import OUTPUT

# The first fields of a key, or all of them. Those that begin with a bound are not in front of it.
Bound = tuple[str, ...]

# A piece is as large as its sums fit into memory, in rows and in bytes of CSV.
ROWS_PER_PIECE = 2**19
BYTES_PER_PIECE = 2**25


def pieces(
    database: Database,
    table: str,
    folder: Path,
    first: Bound = (),
    beyond: Bound | None = None,
) -> Iterator[tuple[Bound, Bound | None]]:
    """The pieces of `table`, the totals of the result in `folder`, that hold the keys from `first`
    up to but without `beyond` (None: to the last): the first key of each, and the one behind it.
    """
    ((rows,),) = database.ask(f"SELECT count(*) FROM {table}")
    csv_bytes = (folder / OUTPUT).stat().st_size
    per_piece = max(1, min(ROWS_PER_PIECE, BYTES_PER_PIECE * rows // csv_bytes))
    numbers = range(per_piece, rows, per_piece)
    keys = set(keys_at(database, table, list(numbers)).values())
    cuts = sorted(key for key in keys if first < key and (beyond is None or key < beyond))
    starts = [first, *cuts]
    yield from zip(starts, [*cuts, beyond], strict=True)


def keys_at(database: Database, table: str, numbers: list[int]) -> dict[int, tuple[str, ...]]:
    """The keys of the rows with these numbers."""
    if not numbers:
        return {}
    columns, listed = ", ".join(key_columns(database, table)), ", ".join(map(str, numbers))
    found = database.ask(f"SELECT n, {columns} FROM {table} WHERE n IN ({listed})")
    return {number: tuple(key) for number, *key in found}


def key_range(columns: list[str], first: Bound, beyond: Bound | None) -> tuple[str, dict[str, str]]:
    """The condition, and its parameters, that a key lies from `first` up to but without `beyond`:
    keys are ordered by the bytes of their UTF-8, field by field, as Python orders tuples of texts.
    """
    parts = [bounded(columns, first, "first", ">")]
    if beyond is not None:
        parts.append(bounded(columns, beyond, "beyond", "<"))
    parameters = {name: value for _, each in parts for name, value in each.items()}
    return " AND ".join(f"({condition})" for condition, _ in parts), parameters


def bounded(columns: list[str], bound: Bound, name: str, side: str) -> tuple[str, dict[str, str]]:
    """The condition that a key lies on the `side` (> or <) of `bound`, which is itself on the upper
    one, and its parameters. The first column alone is compared first: that skips whole row groups.
    """
    condition = "true" if side == ">" else "false"
    for number in reversed(range(len(bound))):
        column, value = columns[number], f"${name}_{number}"
        condition = f"{column} {side}= {value} AND ({column} {side} {value} OR {condition})"
    return condition, {f"{name}_{number}": value for number, value in enumerate(bound)}


def after_prefix(prefix: str) -> str | None:
    """The first text, in order, behind all those that begin with `prefix`; None: there is none."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    # Between these two lie the surrogates, which no text holds.
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)
