"""The records of a JSON text: one a line, or the elements of arrays, one at a time.

A record is a line, whatever is on it, where the text does not begin with a bracket. Arrays may be
written on one line or on many, and several may follow one another; white space and commas separate
their elements.
An element that is no JSON ends in front of the next `}, {`, or with the file.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from itertools import chain
from json import JSONDecoder
from typing import Any

from bmat.aggregation.source.records import has_old_line_ends

# Bytes that are not UTF-8 may stand in fields that nobody reads: they are kept as lone surrogates.
KEEP_BYTES = "surrogateescape"
WHITE = b" \t\r\n"
IN_FRONT = "\ufeff \t\r\n"
HEAD_BYTES = 2**16

BETWEEN = re.compile("[ \t\r\n,\ufeff]*")
# The end of an element that cannot be read, and of what stands between arrays.
ELEMENT_END = re.compile(r"\}(?=\s*(?:,|\][\s,]*\[)\s*\{)")
REST_END = re.compile(r"(?=\[)")
# So much text that has been passed is kept, in front of the rest. Python's error message counts its
# lines, so it is less where there are errors.
PASSED = 2**20
PASSED_WITH_ERRORS = 2**14


class Number(str):
    """A number, as it is written."""


class Fault(Enum):
    """Why there is no object."""

    MALFORMED = auto()
    TOO_LONG = auto()


# First and last byte, physical line, and the object.
Found = tuple[int, int, int, "dict[str, Any] | Fault"]


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of two fields with one name nobody knows which is meant."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice")
    return fields


def refuse(constant: str) -> None:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise ValueError(constant)


DECODER = JSONDecoder(
    object_pairs_hook=unique, parse_int=Number, parse_float=Number, parse_constant=refuse
)


def records_of(chunks: Iterable[bytes], longest: int) -> Iterator[Found]:
    """The records of a text in UTF-8, each with where it lies. One that spans more than `longest`
    bytes is not held in memory.
    """
    chunks = iter(chunks)
    head = begin = b""
    for chunk in chunks:
        head += chunk
        begin = head.removeprefix(codecs.BOM_UTF8).lstrip(WHITE)
        if len(head) >= (HEAD_BYTES if begin else longest):
            break
    everything = chain([head], chunks)
    end = b"\r" if has_old_line_ends(head) else b"\n"
    read = records_in_arrays if begin.startswith(b"[") else records_in_lines
    return read(everything, longest, end)


def records_in_lines(chunks: Iterator[bytes], longest: int, end: bytes) -> Iterator[Found]:
    """A record on each line that is not white."""
    start, line, passed, held = 0, 1, 0, b""
    for chunk in chunks:
        *texts, held = (held + chunk).split(end)
        for text in texts:
            record = record_on_line(start, line, passed, text, longest)
            if record is not None:
                yield record
            start += passed + len(text) + 1
            line += 1
            passed = 0
        if len(held) > longest + len(WHITE):
            passed, held = passed + len(held), b""
    record = record_on_line(start, line, passed, held, longest)
    if record is not None:
        yield record


def record_on_line(start: int, line: int, passed: int, text: bytes, longest: int) -> Found | None:
    """The record whose `text` stands behind so many bytes that were passed over; None where all is
    white.
    """
    text = text.rstrip(WHITE)
    stop = start + passed + len(text)
    if stop - start > longest:
        return start, stop, line, Fault.TOO_LONG
    characters = text.decode("utf-8", KEEP_BYTES).lstrip(IN_FRONT)
    if not characters:
        return None
    try:
        value, end = DECODER.raw_decode(characters)
    # Braces may be nested too deeply.
    except (ValueError, RecursionError):
        return start, stop, line, Fault.MALFORMED
    is_object = type(value) is dict and end == len(characters)
    return start, stop, line, value if is_object else Fault.MALFORMED


class Window:
    """The part of a text that is in memory; `at` is the character that is looked at, which lies at
    `byte` of the file and on `line`.
    """

    def __init__(self, chunks: Iterator[bytes], least: int, end: bytes) -> None:
        self._chunks = chunks
        self._decoder = codecs.getincrementaldecoder("utf-8")(KEEP_BYTES)
        self._least = least
        self._end = end.decode()
        self.keeps = PASSED
        self.text = ""
        self.at = 0
        self.byte = 0
        self.line = 1
        self.is_whole = False

    def fill(self) -> None:
        """Bring so much text that the longest record that begins here is seen, or all."""
        if self.at > self.keeps:
            self.text, self.at = self.text[self.at :], 0
        if self.is_whole or len(self.text) - self.at >= self._least:
            return
        parts, length = [self.text[self.at :]], len(self.text) - self.at
        while length < self._least and not self.is_whole:
            chunk = next(self._chunks, None)
            self.is_whole = chunk is None
            parts.append(self._decoder.decode(chunk or b"", final=self.is_whole))
            length += len(parts[-1])
        self.text, self.at = "".join(parts), 0

    def advance(self, to: int) -> None:
        passed = self.text[self.at : to]
        self.line += passed.count(self._end)
        self.byte += len(passed if passed.isascii() else passed.encode("utf-8", KEEP_BYTES))
        self.at = to

    def pass_white(self) -> bool:
        """Go to the next element, or the next bracket; False where there is none."""
        while True:
            self.fill()
            between = BETWEEN.match(self.text, self.at)
            assert between is not None
            self.advance(between.end())
            if self.at < len(self.text):
                self.fill()
                return True
            if self.is_whole:
                return False

    def pass_to(self, end: re.Pattern[str]) -> None:
        """Go behind the next match of `end`; where there is none, to the text's end, or the bracket
        that closes an array there.
        """
        while True:
            found = end.search(self.text, self.at)
            if found is not None:
                return self.advance(found.end())
            if self.is_whole:
                rest = self.text.rstrip()
                before = len(rest.removesuffix("]").rstrip())
                return self.advance(before if before > self.at else len(self.text))
            # A brace at the end of what is in memory may be the one.
            brace = self.text.rfind("}", self.at + 1)
            self.advance(brace if brace > 0 else len(self.text))
            self.fill()


def records_in_arrays(chunks: Iterator[bytes], longest: int, end: bytes = b"\n") -> Iterator[Found]:
    """The elements of one array, or of several. An array that is not closed may have lost some: a
    malformed record at its end says so.
    """
    window = Window(chunks, longest + 1, end)
    is_inside, is_told = False, False
    while window.pass_white():
        if window.text[window.at] == ("]" if is_inside else "["):
            is_inside, is_told = not is_inside, False
            window.advance(window.at + 1)
            continue
        start, line = window.byte, window.line
        found = element(window) if is_inside else Fault.MALFORMED
        is_told = found is Fault.MALFORMED
        if window.byte == start:
            window.keeps = PASSED_WITH_ERRORS
            window.pass_to(ELEMENT_END if is_inside else REST_END)
        is_long = window.byte - start > longest
        yield start, window.byte, line, Fault.TOO_LONG if is_long else found
    if is_inside and not is_told:
        yield window.byte, window.byte, window.line, Fault.MALFORMED


def element(window: Window) -> dict[str, Any] | Fault:
    """The object that begins here. The window goes behind it, if it is JSON at all."""
    try:
        value, end = DECODER.raw_decode(window.text, window.at)
    except (ValueError, RecursionError):
        return Fault.MALFORMED
    window.advance(end)
    return value if type(value) is dict else Fault.MALFORMED
