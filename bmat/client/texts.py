"""Answers of the service as people read them: nothing in them steers a terminal."""

from collections.abc import Mapping
from typing import Any

from bmat.client.progress import printable
from bmat.client.reports import KEY_COLUMNS, Inspection, Report, Summary, is_processing

SHOWN_SONGS = 10
CHANGES = ("new", "gone", "up", "down", "same")


def report_line(report: Report) -> str:
    """A report on one line."""
    name = printable(report["input_name"])
    if is_processing(report):
        return f"{name}: {report['stage'] or 'processing'}, {report['progress']:.0%}"
    if report["state"] == "failed":
        code = report["error"]["code"] if report["error"] else "unknown"
        return f"{name}: failed, {printable(code)}"
    if report["state"] == "cancelled":
        return f"{name}: cancelled"
    left_out = f", {report['rows_left_out']:,} left out" if report["rows_left_out"] else ""
    return (
        f"{name}: done, {report['rows_read']:,} rows read, {report['rows_rejected']:,} rejected"
        f"{left_out}; {report['groups']:,} totals of {report['plays_total']:,} plays"
    )


def report_text(report: Report) -> str:
    """A report on some lines."""
    lines = [report_line(report)]
    lines.append(f"  created  {report['created'][:19]}")
    if report["expires"]:
        lines.append(f"  expires  {report['expires'][:19]}")
    if report["error"]:
        lines.append(f"  error    {printable(report['error']['message'])}")
    lines += [f"  warning  {printable(warning['message'])}" for warning in report["warnings"]]
    return "\n".join(lines)


def summary_text(summary: Summary) -> str:
    """What a result comes to, with its first songs."""
    lines = [
        f"{summary['rows_read']:,} rows read = {summary['rows_counted']:,} counted"
        f" + {summary['rows_rejected']:,} rejected + {summary['rows_left_out']:,} left out",
        f"{summary['groups']:,} totals of {summary['plays_total']:,} plays,"
        f" {summary['first_day'] or 'no day'} to {summary['last_day'] or 'no day'}",
    ]
    for reason, count in summary["rejects_by_reason"].items():
        lines.append(f"  rejected  {count:>15,}  {printable(reason)}")
    for song in summary["top_songs"][:SHOWN_SONGS]:
        lines.append(f"  plays     {song['plays']:>15,}  {key_text(song)}")
    return "\n".join(lines)


def comparison(changes: Mapping[str, Any]) -> str:
    """What has changed between two results, with the largest changes of each kind."""
    lines = []
    for kind in CHANGES:
        found = changes[kind]
        lines.append(
            f"{kind}: {found['count']:,}, {found['plays_before']:,} -> {found['plays']:,} plays"
        )
        for change in found["largest"][:SHOWN_SONGS]:
            when = f" {change['date']}" if change["date"] else ""
            lines.append(f"  {change['difference']:>+15,}  {key_text(change)}{when}")
    return "\n".join(lines)


def key_text(row: Mapping[str, Any]) -> str:
    """What a row's plays are of."""
    values = [value for name, value in row.items() if name in KEY_COLUMNS]
    return ", ".join(map(printable, values))


def inspection_text(found: Inspection) -> str:
    """How a file would be read: a line for each record."""
    if found["error"]:
        return f"  {found['error']['code']}: {printable(found['error']['message'])}"
    columns = ", ".join(
        f"{column['name']} ({column['role']})" if column["role"] else column["name"]
        for column in found["columns"]
    )
    header = f"line {found['header_line']}" if found["header_line"] else "none"
    lines = [
        f"  preset     {found['preset']}",
        f"  encoding   {found['encoding']}",
        f"  delimiter  {found['delimiter']!r}",
        f"  line ends  {found['line_end']}",
        f"  header     {header}",
        f"  columns    {printable(columns)}",
    ]
    for record in found["records"]:
        if record["key"] is None:
            fields = printable(", ".join(record["fields"]))
            lines.append(f"  line {record['line']}: {record['reason']}: {fields}")
        else:
            key = ", ".join(map(repr, record["key"].values()))
            lines.append(f"  line {record['line']}: {key} on {record['date']}: {record['plays']}")
    return "\n".join(lines)
