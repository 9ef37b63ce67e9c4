"""CSV that a spreadsheet shows instead of calculating: cells that it would take for a formula begin
with an apostrophe. https://owasp.org/www-community/attacks/CSV_Injection
"""

import re
from collections.abc import Iterable, Iterator

FORMULA_STARTS = b"=+-@\t\r"
CELL_STARTS = re.compile(rb"([,\n])([=+\-@\t\r])")


def excel_safe(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The CSV in `chunks`, of whatever sizes, with the cells escaped that start with one of
    FORMULA_STARTS; a cell's own first character, that is, where it is quoted.

    The CSV is as bmat writes it: quotes are doubled, and stand in quoted cells only.
    """
    escaper = Escaper()
    for chunk in chunks:
        yield escaper.escaped(chunk)


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
