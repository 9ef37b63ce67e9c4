"""What the service tells: its JSON, typed. An answer may hold more keys than are named here."""

from typing import Any, Literal, NotRequired, TypedDict

State = Literal["processing", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = ("processing", "done", "failed", "cancelled")
GRAINS = ("day", "week", "month", "quarter", "year")
ROW_ORDERS = ("song", "-song", "date", "-date", "plays", "-plays")
FORMATS = ("csv", "parquet", "jsonl")
KEY_COLUMNS = ("song", "artist", "isrc", "territory", "service")
# By name, what it says, for people who ask. Their meaning: docs/data-contract.md.
OPTIONS = {
    "preset": "the format of the file; told by the file",
    "song_column": "the song's column (Song)",
    "artist_column": "the artist's column (Artist)",
    "isrc_column": "the ISRC's column (ISRC)",
    "territory_column": "the territory's column (Territory)",
    "service_column": "the service's column (Service)",
    "date_column": "the date's column (Date)",
    "plays_column": "the count's column (Number of Plays)",
    "group_by": "totalled per day: song, artist, isrc, territory, service, by commas (song)",
    "delimiter": "between fields, or tab; read off the header",
    "encoding": "of the file; UTF-8 or by byte order mark",
    "date_format": "iso, dmy, mdy, ymd, epoch or epoch_ms (iso)",
    "thousands": "between groups of three digits: , . ' or space",
    "quoting": "none: quotes are ordinary bytes (csv)",
    "header_line": "the line that the header is on",
    "plays": "one: each record is one play (column)",
    "sheet": "of a workbook, the sheet (the first one)",
    "strict": "fail at the first record that cannot be counted",
}


class ErrorText(TypedDict):
    """Why a report has failed; or what a person should look at."""

    code: str
    message: str


class Report(TypedDict):
    """A report, as every answer shows it."""

    pid: str
    status: int
    state: State
    stage: str | None
    progress: float
    input_name: str
    inputs: list[dict[str, Any]]
    base: str | None
    output_file: str | None
    rejects_file: str | None
    rows_read: int
    rows_rejected: int
    rows_left_out: int
    rejects_sample: dict[str, Any]
    warnings: list[ErrorText]
    preset: str | None
    group_by: list[str]
    groups: int
    plays_total: int
    error: ErrorText | None
    created: str
    updated: str
    duration_seconds: float | None
    expires: str | None


class Row(TypedDict):
    """The plays of a key in a period; of its fields, those that the totals are by."""

    song: NotRequired[str]
    artist: NotRequired[str]
    isrc: NotRequired[str]
    territory: NotRequired[str]
    service: NotRequired[str]
    date: str
    plays: int


class Summary(TypedDict):
    """What a result comes to."""

    rows_read: int
    rows_counted: int
    rows_rejected: int
    rows_left_out: int
    groups: int
    plays_total: int
    rejects_by_reason: dict[str, int]
    first_day: str | None
    last_day: str | None
    top_songs: list[dict[str, Any]]
    plays_by_day: dict[str, int]


class Column(TypedDict):
    """A column of a file, and what it is read as: None where nobody reads it."""

    name: str
    role: str | None


class Record(TypedDict):
    """A record as it would be counted, or the reason why it would not."""

    line: int
    fields: list[str]
    key: dict[str, str] | None
    date: str | None
    plays: int | None
    reason: str | None


class Inspection(TypedDict):
    """How a file would be read; where it cannot be, `error` says why."""

    encoding: str | None
    delimiter: str | None
    line_end: str | None
    header_line: int | None
    preset: str | None
    columns: list[Column]
    records: list[Record]
    is_cut: bool
    error: ErrorText | None


class Token(TypedDict):
    """A token of the API, good until `expiry`."""

    token: str
    expiry: str | None


def is_processing(report: Report) -> bool:
    return report["state"] == "processing"
