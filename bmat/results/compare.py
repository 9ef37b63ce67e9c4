"""Two results side by side: the keys (songs, or what else the totals are by) that are new, gone, up
and down from the earlier to the later one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from operator import add
from pathlib import Path

from bmat.results.connection import Database, add_totals, key_columns
from bmat.results.errors import OtherKey
from bmat.results.files import OUTPUT, totals_file
from bmat.results.pieces import Bound, key_range, keys_at, pieces
from bmat.results.rows import Grain, period

LATER, EARLIER = "later", "earlier"
KINDS = ("new", "gone", "up", "down", "same")
LISTED_KINDS = KINDS[:-1]


class ChangeOrder(StrEnum):
    """The order of changes, largest first. Equal ones are in the order of keys and dates."""

    PLAYS = "plays"
    PERCENT = "percent"


@dataclass(frozen=True)
class Change:
    """The plays of a key, its fields by their names in order, or of a key in the period that begins
    with `date`, in both results.
    """

    key: Mapping[str, str]
    date: date | None
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before

    @property
    def percent(self) -> float | None:
        """How many percent of the plays before the difference is; None: there were none."""
        return 100 * self.difference / self.before if self.before else None


@dataclass(frozen=True)
class Changes:
    """All changes of one kind: how many, the plays of all together, and the largest ones."""

    count: int
    before: int
    after: int
    largest: list[Change]


# What a piece answers about a change: its size in the order, period, plays and number of its row.
Found = tuple[float, date | None, int, int, int]


def compare(
    later: Path,
    earlier: Path,
    limit: int,
    grain: Grain | None = None,
    order: ChangeOrder = ChangeOrder.PLAYS,
    seconds: float | None = None,
) -> dict[str, Changes]:
    """The changes of each of KINDS from the result in the folder `earlier` to the one in `later`,
    of keys, or of keys in each period of a `grain`. At most `limit` of each kind are listed, and
    none that are the same.

    Raises FileNotFoundError, NotConverted, OtherKey, TooSlow after `seconds`, and TooLarge.
    """
    files = {LATER: totals_file(later), EARLIER: totals_file(earlier)}
    with Database(files.values(), seconds) as database:
        for name, path in files.items():
            add_totals(database, path, name)
        columns = key_columns(database, LATER)
        if key_columns(database, EARLIER) != columns:
            raise OtherKey(columns, key_columns(database, EARLIER))
        return Comparer(database, later, earlier, columns, limit, grain, order).changes()


class Comparer:
    """Compares piece by piece, and keeps the largest changes."""

    def __init__(
        self,
        database: Database,
        later: Path,
        earlier: Path,
        columns: list[str],
        limit: int,
        grain: Grain | None,
        order: ChangeOrder,
    ) -> None:
        self._database = database
        self._columns = columns
        self._folders = {LATER: later, EARLIER: earlier}
        self._limit = limit
        self._period = period(grain)
        self._order = order
        self._sums: dict[str, tuple[int, int, int]] = dict.fromkeys(KINDS, (0, 0, 0))
        self._largest: dict[str, list[Found]] = {kind: [] for kind in LISTED_KINDS}

    def changes(self) -> dict[str, Changes]:
        larger = max(self._folders, key=lambda name: (self._folders[name] / OUTPUT).stat().st_size)
        for first, beyond in pieces(self._database, larger, self._folders[larger]):
            self._compare_piece(first, beyond)
        return {
            kind: Changes(*sums, self._listed(kind, self._largest.get(kind, [])))
            for kind, sums in self._sums.items()
        }

    def _compare_piece(self, first: Bound, beyond: Bound | None) -> None:
        """Adds the changes of the keys from `first` up to but without `beyond`."""
        inside, parameters = key_range(self._columns, first, beyond)
        key = ", ".join(self._columns)
        self._database.ask(
            f"""
            CREATE OR REPLACE TEMP TABLE changes AS
            SELECT
                CASE
                    WHEN earlier_n IS NULL THEN 'new'
                    WHEN later_n IS NULL THEN 'gone'
                    WHEN after > before THEN 'up'
                    WHEN after < before THEN 'down'
                    ELSE 'same'
                END AS kind,
                period,
                coalesce(before, 0) AS before,
                coalesce(after, 0) AS after,
                coalesce(later_n, earlier_n) AS n
            FROM (
                SELECT
                    period,
                    sum(before) AS before,
                    sum(after) AS after,
                    min(earlier_n) AS earlier_n,
                    min(later_n) AS later_n
                FROM (
                    SELECT {key}, {self._period} AS period, NULL::BIGINT AS before, Plays AS after,
                        NULL::BIGINT AS earlier_n, n AS later_n
                    FROM {LATER} WHERE {inside}
                    UNION ALL
                    SELECT {key}, {self._period}, Plays, NULL, n, NULL
                    FROM {EARLIER} WHERE {inside}
                )
                GROUP BY {key}, period
            )
            """,
            parameters,
        )
        sums = self._database.ask(
            "SELECT kind, count(*), sum(before), sum(after) FROM changes GROUP BY kind"
        )
        for kind, *added in sums:
            count, before, after = map(add, self._sums[kind], added)
            self._sums[kind] = count, before, after
        for kind, largest in self._largest.items():
            # Where the sizes are the same, the row's number is what their order goes by.
            largest += self._largest_of_piece(kind)
            largest.sort(key=lambda found: (-found[0], -abs(found[3] - found[2])))
            del largest[self._limit :]

    def _largest_of_piece(self, kind: str) -> list[Found]:
        difference = "abs(after - before)"
        # From none to some is more than any percentage.
        share = f"if(before = 0, 'inf'::DOUBLE, {difference}::DOUBLE / before::DOUBLE)"
        size = f"{difference}::DOUBLE" if self._order is ChangeOrder.PLAYS else share
        return self._database.ask(
            f"SELECT {size} AS size, period, before, after, n FROM changes WHERE kind = '{kind}' "
            f"ORDER BY size DESC, {difference} DESC, n LIMIT {self._limit}"
        )

    def _listed(self, kind: str, largest: list[Found]) -> list[Change]:
        """The changes with their keys."""
        table = EARLIER if kind == "gone" else LATER
        keys = keys_at(self._database, table, [number for *_, number in largest])
        names = [column.lower() for column in self._columns]
        return [
            Change(dict(zip(names, keys[number], strict=True)), day, before, after)
            for _, day, before, after, number in largest
        ]
