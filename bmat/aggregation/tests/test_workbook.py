"""Workbooks: a sheet is read as the CSV that it would be saved as."""

import json
import resource
import runpy
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation import (
    AggregationError,
    InspectionTooSlow,
    Limits,
    Options,
    aggregate,
    inspect,
)
from bmat.aggregation.source import workbook
from bmat.aggregation.tests.packing import fed, zipped
from bmat.aggregation.tests.running import names_in, without_header

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
# As Excel counts them: days since 1899-12-30. Style 1 shows a day, style 2 a day and a time.
DAY, MOMENT = (43831, 1), (43831.5, 2)
Rows = dict[int, dict[int, Any]]
HEADER: dict[int, Any] = {0: "Song", 1: "Date", 2: "Number of Plays"}
PLAYS: Rows = {1: HEADER, 2: {0: "a", 1: DAY, 2: 5}, 3: {0: "a", 1: MOMENT, 2: 5}}


def cell(column: int, row: int, value: Any) -> str:
    place = f'r="{"ABCDEFG"[column]}{row}"'
    if isinstance(value, str):
        return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'
    number, style = value if isinstance(value, tuple) else (value, 0)
    return f'<c {place} s="{style}"><v>{number}</v></c>'


def sheet_of(rows: Rows) -> str:
    lines = [
        f'<row r="{row}">{"".join(cell(one, row, value) for one, value in cells.items())}</row>'
        for row, cells in rows.items()
    ]
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def xlsx(state: str = "", /, **sheets: Rows | str) -> bytes:
    """A workbook of Excel's with these sheets, each its rows or its XML; the first one in that
    `state`, such as `hidden`.
    """
    kind = f"{OFFICE}/worksheet"
    names = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"/>' for n, name in enumerate(sheets, 1)
    ).replace("<sheet ", f'<sheet state="{state}" ' if state else "<sheet ", 1)
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{kind}" Target="worksheets/{n}.xml"/>'
        for n in range(1, len(sheets) + 1)
    )
    styles = "".join(f'<xf numFmtId="{number}"/>' for number in (0, 14, 22))
    parts = {
        "[Content_Types].xml": "<Types/>",
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{targets}'
        f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs>{styles}</cellXfs></styleSheet>',
    }
    for number, rows in enumerate(sheets.values(), 1):
        text = rows if isinstance(rows, str) else sheet_of(rows)
        parts[f"xl/worksheets/{number}.xml"] = text
    return zipped(*[(name, text.encode()) for name, text in parts.items()])


def ods() -> bytes:
    """A workbook of LibreOffice's."""
    urn = "urn:oasis:names:tc:opendocument:xmlns"
    row = "<table:table-row>{}</table:table-row>"
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    day = '<table:table-cell office:value-type="date" office:date-value="2020-01-01"/>'
    count = '<table:table-cell office:value-type="float" office:value="7"/>'
    rows = row.format("".join(map(text.format, HEADER.values())))
    rows += row.format(text.format("a") + day + count)
    content = (
        f'<office:document-content xmlns:office="{urn}:office:1.0" xmlns:table="{urn}:table:1.0" '
        f'xmlns:text="{urn}:text:1.0"><office:body><office:spreadsheet><table:table table:name="S">'
        f"{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    manifest = f'<manifest:manifest xmlns:manifest="{urn}:manifest:1.0"/>'.encode()
    return zipped(
        ("mimetype", kind), ("content.xml", content.encode()), ("META-INF/manifest.xml", manifest)
    )


def run(folder: Path, data: bytes, limits: Limits | None = None, **options: Any) -> tuple[str, str]:
    """The totals and the rejects of a workbook."""
    (folder / "in").write_bytes(data)
    out, rejects = folder / "out", folder / "rejects"
    aggregate(
        [folder / "in"], out, rejects=rejects, options=Options(**options), limits=limits or Limits()
    )
    totals, listed = (without_header(path.read_bytes()).decode() for path in (out, rejects))
    return totals, listed


def refused(folder: Path, data: bytes, limits: Limits | None = None, **options: Any) -> Any:
    with pytest.raises(AggregationError) as caught:
        run(folder, data, limits, **options)
    assert names_in(folder) == ["in"]
    return caught.value


def test_a_sheet_is_read_with_its_dates_and_whole_numbers(tmp_path: Path) -> None:
    rows = {**PLAYS, 5: {0: 1999, 1: "2020-01-02", 2: 3.0}, 6: {0: "b", 1: DAY, 2: 5.5}}
    rows[7] = {0: 'with "quotes", a comma', 1: DAY, 2: 1}
    totals, rejects = run(tmp_path, xlsx(One=rows))
    assert totals.splitlines() == [
        "1999,2020-01-02,3",
        "a,2020-01-01,10",
        '"with ""quotes"", a comma",2020-01-01,1',
    ]
    assert rejects == '6,invalid_plays,"b,2020-01-01,5.5"\n'


def test_days_are_days_in_each_format_of_a_preset(tmp_path: Path) -> None:
    times: Rows = {1: {0: "Artist", 1: "Track", 2: "Time"}, 2: {0: "x", 1: "a", 2: MOMENT}}
    assert run(tmp_path, xlsx(One=times))[0] == "a,2020-01-01,1\n"
    names = ("Reporting Date", "Sale Month", "Store", "Title", "Quantity", "Song/Album")
    cells = (DAY, DAY, "x", "a", 5, "Song")
    months: Rows = {1: dict(enumerate(names)), 2: dict(enumerate(cells))}
    assert run(tmp_path, xlsx(One=months))[0] == "a,2020-01-01,5\n"


def test_a_line_is_a_row_of_the_sheet_whatever_its_cells_hold(tmp_path: Path) -> None:
    rows: Rows = {3: HEADER, 4: {0: "two\nlines\n", 1: DAY, 2: 1}, 5: {0: "bad"}, 9: {0: "bad"}}
    totals, rejects = run(tmp_path, xlsx(One=rows))
    assert totals == '"two\nlines\n",2020-01-01,1\n'
    assert [line.split(",")[0] for line in rejects.splitlines()] == ["5", "9"]
    assert [one.line for one in inspect(tmp_path / "in", Options()).records] == [4, 5, 9]


def test_the_table_need_not_begin_in_the_first_cell(tmp_path: Path) -> None:
    rows: Rows = {1: {0: "Plays of January"}, 4: {1: "Song", 2: "Date", 3: "Number of Plays"}}
    rows[5] = {1: "a", 2: DAY, 3: 4}
    assert "Line 4 looks like the header" in refused(tmp_path, xlsx(One=rows)).message
    assert run(tmp_path, xlsx(One=rows), header_line=4)[0] == "a,2020-01-01,4\n"


def test_a_sheet_is_named_by_its_option(tmp_path: Path) -> None:
    data = xlsx(First={1: {0: "nothing"}}, Plays=PLAYS)
    assert run(tmp_path, data, sheet="Plays")[0] == "a,2020-01-01,10\n"
    (tmp_path / "out").unlink()
    (tmp_path / "rejects").unlink()
    error = refused(tmp_path, data, sheet="plays")
    assert (error.code, error.option) == ("invalid_option", "sheet")
    assert error.message.endswith("'plays': the workbook has the sheets 'First', 'Plays'.")
    many = xlsx(**{f"S{number}": PLAYS for number in range(25)})
    assert "'S19' and 5 more" in refused(tmp_path, many, sheet="x").message


OTHER: Rows = {1: HEADER, 2: {0: "other", 1: DAY, 2: 1}}


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_sheet_that_nobody_sees_is_read_where_it_is_named(tmp_path: Path, state: str) -> None:
    data = xlsx(state, Hidden=OTHER, Plays=PLAYS)
    assert run(tmp_path, data)[0] == "a,2020-01-01,10\n"
    assert run(tmp_path, data, sheet="Hidden")[0] == "other,2020-01-01,1\n"
    assert run(tmp_path, xlsx(state, Only=PLAYS))[0] == "a,2020-01-01,10\n"


def test_a_sheet_without_a_cell_is_passed_over(tmp_path: Path) -> None:
    assert run(tmp_path, xlsx(Empty={}, Plays=PLAYS))[0] == "a,2020-01-01,10\n"


def test_a_workbook_without_a_cell_is_empty(tmp_path: Path) -> None:
    assert refused(tmp_path, xlsx(Empty={}, Other={})).code == "empty_file"


def test_sheets_that_are_not_read_are_told_of(tmp_path: Path) -> None:
    def warned(data: bytes, **options: Any) -> list[str]:
        (tmp_path / "in").write_bytes(data)
        summary = aggregate([tmp_path / "in"], tmp_path / "out", options=Options(**options))
        return [one.message for one in summary.warnings if one.code == "unread_sheets"]

    months = xlsx(January=PLAYS, February=OTHER, March=OTHER)
    [message] = warned(months)
    assert "and not 'February', 'March': name" in message
    assert warned(months, sheet="January") == []
    assert warned(xlsx("hidden", Old=OTHER, New=PLAYS)) == []


def test_options_that_a_workbook_has_not_are_refused(tmp_path: Path) -> None:
    refused_options: list[dict[str, Any]]
    refused_options = [{"delimiter": ";"}, {"quoting": "none"}, {"encoding": "cp1252"}]
    for given in refused_options:
        assert refused(tmp_path, xlsx(One=PLAYS), **given).code == "invalid_option"
    error = refused(tmp_path, b"Song,Date,Number of Plays\n", sheet="One")
    assert (error.option, "no workbook" in error.message) == ("sheet", True)


def test_what_is_shown_of_a_workbook_may_be_given(tmp_path: Path) -> None:
    shown: dict[str, Any]
    shown = {"delimiter": ",", "quoting": "csv", "encoding": "utf-8", "preset": "default"}

    assert run(tmp_path, xlsx(One=PLAYS), **shown)[0] == "a,2020-01-01,10\n"


@pytest.mark.parametrize("name", ["dmy", "mdy", "ymd", "epoch", "epoch_ms"])
def test_a_date_in_a_cell_is_a_day_whatever_the_others_are(tmp_path: Path, name: str) -> None:
    assert run(tmp_path, xlsx(One=PLAYS), date_format=name)[0] == "a,2020-01-01,10\n"


def test_other_workbooks_are_read_too(tmp_path: Path) -> None:
    assert run(tmp_path, ods())[0] == "a,2020-01-01,7\n"


def test_a_workbook_may_come_through_a_pipe(tmp_path: Path) -> None:
    with fed(tmp_path / "fifo", xlsx(One=PLAYS)) as fifo:
        aggregate([fifo], tmp_path / "out")
    assert without_header((tmp_path / "out").read_bytes()) == b"a,2020-01-01,10\n"


@pytest.mark.parametrize(
    "data",
    [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), zipped(("xl/workbook.xml", b"<nothing/>"))],
)
def test_what_is_no_workbook_after_all_is_no_text(tmp_path: Path, data: bytes) -> None:
    assert refused(tmp_path, data).code == "not_text"


def test_a_workbook_with_a_password_is_called_so(tmp_path: Path) -> None:
    package = "EncryptedPackage".encode("utf-16-le")
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000) + package + bytes(2000)
    error = refused(tmp_path, data)
    assert (error.code, "looks like a workbook with a password. Open it" in error.message) == (
        "not_text",
        True,
    )


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    data = bytearray(xlsx(One=PLAYS))
    at = data.index(b"xl/worksheets/1.xml") + 40
    data[at] ^= 255
    assert refused(tmp_path, bytes(data)).code == "damaged_archive"


CORNERS = (
    f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
    '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
)


def test_a_sheet_that_would_take_all_memory_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, xlsx(One=CORNERS), Limits(memory_budget_bytes=2**28))
    assert (error.code, "268,435,456 bytes of memory" in error.message) == (
        "decompression_limit",
        True,
    )


def test_a_workbook_that_would_become_too_large_is_refused(tmp_path: Path) -> None:
    padded = sheet_of(PLAYS) + " " * 10**6
    error = refused(tmp_path, xlsx(One=padded), Limits(decompression_limit_bytes=10**5))
    assert error.code == "decompression_limit"


def test_an_inspection_opens_a_workbook_whole_or_says_why_not(tmp_path: Path) -> None:
    rows: Rows = {n: {0: f"song {n * 7919 % 10007}", 1: DAY, 2: n} for n in range(2, 20_000)}
    data = xlsx(One={1: HEADER, **rows})
    (tmp_path / "in").write_bytes(data)
    assert inspect(tmp_path / "in", Options()).records[0].plays == 2
    (tmp_path / "in").write_bytes(data[: 2**16])
    with pytest.raises(AggregationError) as caught:
        inspect(tmp_path / "in", Options())
    assert "a workbook" in caught.value.message


def test_an_inspection_of_a_workbook_ends_when_it_has_had_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    (tmp_path / "in").write_bytes(xlsx(One={1: HEADER, **{n: PLAYS[2] for n in range(2, 50_000)}}))
    with pytest.raises(InspectionTooSlow):
        inspect(tmp_path / "in", Options(), most_seconds=0.2)
    assert [child.poll() for child in started] == [-signal.SIGKILL]


class Cancelled(Exception):
    pass


def test_reading_a_workbook_can_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "check_members", lambda *arguments: None)
    (tmp_path / "in").write_bytes(xlsx(One=PLAYS))

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        workbook.answer_of(
            ["1000000000", str(tmp_path / "in"), str(tmp_path / "out"), "iso"], cancel
        )
    assert names_in(tmp_path) == ["in"]


@pytest.fixture
def own_limits() -> Iterator[None]:
    """What the process that reads a sheet may take, given back to this one afterwards."""
    kinds = (resource.RLIMIT_AS, resource.RLIMIT_CORE)
    before = [resource.getrlimit(kind) for kind in kinds]
    yield
    for kind, limits in zip(kinds, before, strict=True):
        resource.setrlimit(kind, limits)


def test_the_process_says_what_it_has_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], own_limits: None
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(xlsx(One={1: {0: "a\nb"}, 3: {0: "c"}}, Two={1: {0: "d"}}))
    said = []
    for sheet in ([], ["Two"], ["Three"]):
        workbook.main([str(2**45), str(source), str(target), "iso", *sheet])
        said.append(json.loads(capsys.readouterr().out))
    assert said == [
        {"broken_lines": [2], "unread": ["Two"]},
        {"broken_lines": [], "unread": []},
        {"sheets": ["One", "Two"]},
    ]
    assert target.read_text() == "d\n"
    source.write_bytes(b"no workbook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["", str(2**45), str(source), str(target), "iso"])
        runpy.run_path(str(Path(workbook.__file__)), run_name="__main__")
    assert "fault" in json.loads(capsys.readouterr().out)


def test_cells_are_written_as_people_would_write_them() -> None:
    moment = datetime(2020, 1, 31, 12, 30)
    written = [workbook.text_of(value, "iso") for value in (1.0, 1e17, 0.1, True, "x", time(7, 5))]
    assert written == ["1", "100000000000000000", "0.1", "True", "x", "07:05:00"]
    assert workbook.text_of(date(2020, 1, 31), "dmy") == "31/01/2020"
    assert workbook.text_of(moment, "mdy") == "01/31/2020 12:30:00"
    assert workbook.text_of(date(1969, 12, 31), "epoch") == "-86400"
    assert workbook.text_of(date(1970, 1, 2), "epoch_ms") == "86400000"
    assert workbook.text_of(moment, "iso") == "2020-01-31 12:30:00"
    assert workbook.text_of(date(1, 1, 1), "ymd") == "0001/01/01"


def test_archives_of_other_documents_are_no_workbooks(tmp_path: Path) -> None:
    error = refused(tmp_path, zipped(("word/document.xml", b"<x/>"), method=zipfile.ZIP_STORED))
    assert error.source == tmp_path / "in" / "word" / "document.xml"
