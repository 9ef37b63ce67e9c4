"""Input in another encoding, turned into UTF-8 before anything else looks at it."""

import codecs
from collections.abc import Iterable, Iterator

from bmat.aggregation.options import Options, python_encoding

# A file that begins with one of these is in this encoding, whatever was said. That of UTF-32 begins
# with that of UTF-16, and is looked for before it.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: None,
}
# What nearly all programs write that leave the mark out; Python would refuse the file.
WITHOUT_MARK = {
    "utf-8": None,
    "utf-8-sig": None,
    "utf-16": "utf-16-le",
    "utf-32": "utf-32-le",
}
INVALID = "bmat.invalid"
# Decoded at a time, whatever the reads brought: so a pipe and a file have the same marks.
DECODED_BYTES = 2**20


def mark_invalid(error: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler of `codecs`: what cannot be decoded becomes the byte 0xFF, which is
    never valid UTF-8.

    The decoder leaves the lone surrogate U+DCFF in its place, and the encoder turns it (or
    any other) into the byte.
    """
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


codecs.register_error(INVALID, mark_invalid)


def source_encoding(head: bytes, options: Options) -> str | None:
    """The encoding from which an input that starts with `head`, its first bytes, must be
    decoded; None where it is UTF-8 already.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    if options.encoding is None:
        return None
    name = python_encoding(options.encoding)
    return WITHOUT_MARK.get(name, name)


def utf8_of(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """The text of `chunks`, which is in `encoding`, in UTF-8; without one, as it is."""
    if encoding is None:
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors=INVALID)
    for chunk in even(chunks):
        yield decoder.decode(chunk).encode("utf-8", INVALID)
    yield decoder.decode(b"", final=True).encode("utf-8", INVALID)


def even(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes of `chunks`, DECODED_BYTES at a time; empty chunks as they are."""
    held = bytearray()
    for chunk in chunks:
        if not chunk:
            yield chunk
        held += chunk
        while len(held) >= DECODED_BYTES:
            yield bytes(held[:DECODED_BYTES])
            del held[:DECODED_BYTES]
    yield bytes(held)
