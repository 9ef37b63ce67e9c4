"""Texts of the kinds that other readers of CSV, JSON and encodings are tested with: each with what
must come of it, whatever the limits, and as it is shown before.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from bmat.aggregation import AggregationError, Inspection, Limits, Options, aggregate, inspect
from bmat.aggregation.tests.expectations import Case, cases_in, rejects_in, totals_in
from bmat.aggregation.tests.running import HEADER, names_in

CASES = cases_in("corpora")
WAYS = [Limits(11, 1, 1), Limits(37, 2, 20_000), Limits(1000, 4, 2**30), Limits()]
# Songs that only some encodings can write.
SONGS = {
    "Größe, façade": [
        *("latin-1", "cp1252", "iso8859-15", "cp437", "cp850", "mac-roman", "cp500", "cp1140"),
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-be", "gb18030"),
    ],
    "Żółć, dům": ["cp1250", "iso8859-2", "mac-latin2", "cp852"],
    "Привет, мир": ["cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic", "gb18030"],
    "Καλημέρα": ["cp1253", "iso8859-7", "cp737"],
    "İstanbul ığş": ["cp1254", "iso8859-9", "cp857"],
    "שלום": ["cp1255", "iso8859-8", "cp862"],
    "سلام": ["cp1256", "iso8859-6"],
    "Ačiū": ["cp1257", "iso8859-13", "iso8859-4"],
    "Đàn bà": ["cp1258"],
    "สวัสดี": ["tis-620", "cp874"],
    "こんにちは表ソ": ["shift-jis", "cp932", "euc-jp", "iso2022-jp", "euc-jis-2004"],
    "你好世界": ["gb2312", "gbk", "gb18030", "hz", "big5", "big5hkscs", "utf-16-le"],
    "안녕하세요": ["euc-kr", "cp949", "iso2022-kr", "johab"],
    "\U0001f3b5 \U00020000": ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030"],
}
WRITTEN = [(song, encoding) for song, encodings in SONGS.items() for encoding in encodings]


def came_of(source: Path, limits: Limits, options: Options) -> tuple[object, object, str]:
    """The totals, the rejects and the error of a run, which leaves nothing else."""
    folder, before = source.parent, set(names_in(source.parent))
    totals, rejects = folder / "totals", folder / "rejects"
    found, error = None, ""
    try:
        aggregate([source], totals, rejects=rejects, options=options, limits=limits)
        found = totals_in(totals.read_bytes())
    except AggregationError as failed:
        error = failed.code
    left = set(names_in(folder)) - before
    assert left <= ({"rejects"} if error else {"totals", "rejects"})
    listed = rejects_in(rejects.read_bytes() if rejects.exists() else b"")
    for name in left:
        (folder / name).unlink()
    return found, listed, error


def shown(source: Path, options: Options) -> Inspection | str:
    """What is shown of a file before it is aggregated, or the error's code."""
    try:
        return inspect(source, options)
    except AggregationError as error:
        return error.code


def options_of(case: Case) -> Options:
    return Options(**json.loads(case.options))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_gives_what_is_expected(case: Case, tmp_path: Path) -> None:
    source = tmp_path / case.file
    source.write_bytes(case.content)
    for limits in WAYS:
        assert came_of(source, limits, options_of(case)) == case.expected


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_shown_before_is_what_comes_of_it(case: Case) -> None:
    totals, rejects, error = case.expected
    found = shown(case.folder / case.file, options_of(case))
    if isinstance(found, str):
        assert found == error
        return
    counted = [record.plays for record in found.records if record.plays is not None]
    refused = [[record.line, record.reason] for record in found.records if record.reason]
    # No more than twenty records are shown.
    assert refused == rejects[: len(refused)]
    assert sum(counted) <= sum(plays for *_, plays in totals)
    assert len(found.records) == 20 or refused == rejects


@pytest.mark.parametrize(("song", "encoding"), WRITTEN, ids=lambda text: ascii(text))
def test_a_song_in_another_encoding_comes_out_as_it_is(
    song: str, encoding: str, tmp_path: Path
) -> None:
    source, options = tmp_path / "plays.csv", Options(encoding=encoding)
    line = f'"{song}",2020-01-01,1\r\n'
    source.write_bytes((HEADER.decode() + line * 40).encode(encoding))
    for limits in WAYS:
        assert came_of(source, limits, options) == ([[song, "2020-01-01", 40]], [], "")
    found = inspect(source, options)
    assert Counter(str(record.key) for record in found.records) == {str({"song": song}): 20}
