"""The formats of a download, and which one a request asks for: by `?format=`, else by `Accept`. And
CSV that a spreadsheet shows instead of calculating: cells that it would take for a formula begin
with an apostrophe. https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request
from werkzeug.http import parse_accept_header

from bmat.api.serializers.options import SwitchField
from bmat.api.services import files

FORMULA_STARTS = b"=+-@\t\r"
CELL_STARTS = re.compile(rb"([,\n])([=+\-@\t\r])")


@dataclass(frozen=True)
class Format:
    """A way to write totals. `name` is also the ending of a file's name; the first of `media_types`
    is the one that is sent. `file_name`: of the file beside the output, which is written when it is
    wanted; None for the output itself.
    """

    name: str
    media_types: tuple[str, ...]
    file_name: str | None = None
    is_text: bool = True


CSV = Format("csv", ("text/csv; charset=utf-8", "text/csv"))
PARQUET = Format("parquet", ("application/vnd.apache.parquet",), files.PARQUET, is_text=False)
JSON_LINES = Format("jsonl", ("application/x-ndjson", "application/jsonl"), files.JSON_LINES)


@dataclass(frozen=True)
class Wanted:
    """What a request asks for."""

    format: Format
    excel_safe: bool


class DownloadSerializer(serializers.Serializer[Any]):
    """The query of a download. Its context holds the `formats` that there are."""

    excel_safe = SwitchField(
        default=False,
        help_text="CSV only: puts an apostrophe in front of each cell that a spreadsheet would "
        "take for a formula. This changes names.",
    )

    def get_fields(self) -> dict[str, Any]:
        names = [each.name for each in self.context["formats"]]
        return {
            "format": serializers.ChoiceField(choices=names, required=False),
            **super().get_fields(),
        }


def wanted_by(request: Request, formats: tuple[Format, ...]) -> Wanted:
    """What the request asks for, among the `formats` that there are; without a wish, the first.

    Raises ValidationError for a query, and NotAcceptable for an `Accept`, that cannot be followed.
    """
    query = DownloadSerializer(data=request.query_params, context={"formats": formats})
    query.is_valid(raise_exception=True)
    named = {each.name: each for each in formats}.get(query.validated_data.get("format"))
    chosen = named or accepted(request, formats)
    excel_safe = bool(query.validated_data["excel_safe"])
    if excel_safe and chosen != CSV:
        message = f"Only CSV has formula cells to escape, not {chosen.name}."
        raise serializers.ValidationError({"excel_safe": [message]})
    return Wanted(chosen, excel_safe)


def accepted(request: Request, formats: tuple[Format, ...]) -> Format:
    """The one of `formats` that `Accept` prefers; of equals, the first. Raises NotAcceptable."""
    if not request.headers.get("Accept", "").strip():
        return formats[0]
    offered = {media_type: each for each in formats for media_type in each.media_types}
    best = request._request.get_preferred_type(list(offered))
    if best is None:
        there = ", ".join(each.media_types[-1] for each in formats)
        raise NotAcceptable(f"This file can be had as {there}.")
    return offered[best]


def prefers_gzip(accept_encoding: str) -> bool:
    """Whether the header asks for gzip, and not for the plain bytes with more weight."""
    weights = parse_accept_header(accept_encoding)
    gzip = weights.quality("gzip")
    return gzip > 0 and gzip >= weights.quality("identity")


def excel_safe(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The CSV in `chunks`, of whatever sizes, with the cells escaped that start with one of
    FORMULA_STARTS; a cell's own first character, that is, where it is quoted.

    The CSV is as bmat writes it: quotes are doubled, and stand in quoted cells only.
    """
    return map(Escaper().escaped, chunks)


class Escaper:
    """Where in the CSV the next byte is."""

    def __init__(self) -> None:
        self._is_quoted = False
        # No byte of the cell has come, unless it is the quote that opens it.
        self._is_fresh = True

    def escaped(self, chunk: bytes) -> bytes:
        first, *others = chunk.split(b'"')
        pieces = [self._between_quotes(first)]
        for part in others:
            # After a closing quote, the cell is no longer fresh though it may be empty.
            self._is_fresh = self._is_fresh and not self._is_quoted
            self._is_quoted = not self._is_quoted
            pieces += [b'"', self._between_quotes(part)]
        return b"".join(pieces)

    def _between_quotes(self, part: bytes) -> bytes:
        if not part:
            return part
        apostrophe = b"'" if self._is_fresh and part[0] in FORMULA_STARTS else b""
        self._is_fresh = not self._is_quoted and part.endswith((b",", b"\n"))
        return apostrophe + (part if self._is_quoted else CELL_STARTS.sub(rb"\1'\2", part))
