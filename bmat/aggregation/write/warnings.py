"""What a person should look at, though every record was counted or rejected as the data contract
says.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import chain

from bmat.aggregation.errors import shown, shown_names
from bmat.aggregation.exchange.counts import Totals
from bmat.aggregation.exchange.parts import Sums
from bmat.aggregation.job import Job
from bmat.aggregation.results import Record, Warning

MOST_REJECTED_SHARE = 0.05
FIRST_LIKELY_YEAR = 1900
# Nobody has counted the seconds of plays before.
FIRST_LIKELY_YEAR_OF_EPOCH = 1971
EPOCHS = ("epoch", "epoch_ms")
SHOWN_EXAMPLES = 3
# How a row of totals is named, in the languages of those who send them.
TOTALS = frozenset(
    "total totals grandtotal subtotal sum all overall gesamt gesamtsumme insgesamt summe totale "
    "totaal totalgénéral totalgeneral totalgeral suma razem celkem összesen toplam yhteensä totalt "
    "итого всего 合計 総計 总计 總計 합계 총계".split()
)


def warnings_of(
    job: Job, totals: Totals, sums: Sums, plays_by_day: dict[int, int]
) -> Iterator[Warning]:
    """The warnings of a run, in the order of the data contract."""
    yield from many_rejects(job, totals)
    is_epoch = any(source.layout.date_format in EPOCHS for source in job.sources)
    yield from unlikely_days(plays_by_day, is_epoch=is_epoch)
    for found in totals.last_records:
        yield from totals_row(found, plays_by_day)
    if sums.songs is not None:
        yield from similar_songs(chain.from_iterable(sums.songs))
    if any(source.are_periods for source in job.sources):
        message = (
            "The input says what was played in a month or a longer period, not on which day: all "
            "of it is counted on the period's first day."
        )
        yield Warning("dates_are_periods", message)
    unread = [name for source in job.sources for name in source.unread_sheets]
    if unread:
        message = (
            f"Of a workbook only the first sheet was read, and not {shown_names(unread)}: name "
            "another one in the option sheet, or save each as a file of its own."
        )
        yield Warning("unread_sheets", message)


def many_rejects(job: Job, totals: Totals) -> Iterator[Warning]:
    """Warns of a share of rejects that is large, be it that of one input: beside others, or beside
    totals of before, a file that was read wrongly as a whole may be little.
    """
    inputs = [
        f"{counts.rows_rejected} of {counts.rows_read} in {shown(str(source.owner_path))}"
        for source, counts in zip(job.sources, totals.inputs, strict=True)
        if counts.rows_rejected > MOST_REJECTED_SHARE * counts.rows_read
    ]
    if inputs or totals.rows_rejected > MOST_REJECTED_SHARE * totals.rows_read:
        share = 100 * totals.rows_rejected / totals.rows_read
        message = f"{totals.rows_rejected} of {totals.rows_read} rows were rejected, {share:.1f} %"
        if len(job.sources) > 1 and inputs:
            more = len(inputs) - SHOWN_EXAMPLES
            message += f": {', '.join(inputs[:SHOWN_EXAMPLES])}"
            message += f", and many in {more} more inputs" if more > 0 else ""
        yield Warning("many_rejects", f"{message}.")


def unlikely_days(plays_by_day: dict[int, int], *, is_epoch: bool) -> Iterator[Warning]:
    """Warns of plays after tomorrow (somewhere it may be tomorrow already), and before 1900; with
    `is_epoch` there are times since 1970, and plays before 1971 are unlikely.
    """
    tomorrow = (date.today() + timedelta(days=1)).toordinal() - 1
    future = {day: plays for day, plays in plays_by_day.items() if day > tomorrow}
    if future:
        last = date.fromordinal(max(future) + 1)
        message = f"{sum(future.values())} plays are of days to come, the last one {last}."
        yield Warning("future_dates", message)
    year = FIRST_LIKELY_YEAR_OF_EPOCH if is_epoch else FIRST_LIKELY_YEAR
    first_likely = date(year, 1, 1).toordinal() - 1
    early = {day: plays for day, plays in plays_by_day.items() if day < first_likely}
    if early:
        first = date.fromordinal(min(early) + 1)
        why = ": a clock was not set, or the times are of another unit" if is_epoch else ""
        message = f"{sum(early.values())} plays are of days before {year}, the first one {first}"
        yield Warning("early_dates", f"{message}{why}.")


def totals_row(found: Record | None, plays_by_day: dict[int, int]) -> Iterator[Warning]:
    """Warns of an input whose last record looks like the sum of the others of its day."""
    if found is None or found.plays == 0 or 2 * found.plays != plays_by_day.get(found.day):
        return
    for field in found.key.decode("utf-8").split("\0"):
        if "".join(field.casefold().split()).rstrip(":.") in TOTALS:
            day = date.fromordinal(found.day + 1)
            message = (
                f"The last record, {shown(field)} of {day}, has as many plays as all others of "
                f"that day, {found.plays}: it seems to be a row of totals, and was counted."
            )
            yield Warning("totals_row", message)
            return


def similar_songs(songs: Iterable[bytes]) -> Iterator[Warning]:
    """Warns of songs that differ only by their Unicode normal form, case or white space."""
    alike: dict[bytes, list[bytes]] = {}
    for song in songs:
        alike.setdefault(folded(song), []).append(song)
    groups = [sorted(group) for group in alike.values() if len(group) > 1]
    if not groups:
        return
    count = sum(map(len, groups))
    examples = "; ".join(
        " and ".join(shown(song.decode("utf-8").replace("\0", ", ")) for song in group[:2])
        for group in sorted(groups)[:SHOWN_EXAMPLES]
    )
    message = (
        f"{count} songs differ from one another only by case, white space or the form of their "
        f"characters, and are totalled each by itself, for example {examples}."
    )
    yield Warning("similar_songs", message)


def folded(song: bytes) -> bytes:
    """What songs share that are similar. Most are ASCII, for which bytes do."""
    if b"\0" in song:
        return b"\0".join(map(folded, song.split(b"\0")))
    if song.isascii():
        return b" ".join(song.lower().split())
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", song.decode()).casefold())
    return " ".join(text.split()).encode()
