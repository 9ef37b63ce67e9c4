"""Input in another encoding, turned into UTF-8 before anything else looks at it."""

import codecs
from collections.abc import Iterable, Iterator

from bmat.aggregation.options import Options, python_encoding

UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
INVALID = "bmat.invalid"


def mark_invalid(error: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler of `codecs`: what cannot be decoded becomes the byte 0xFF, which is
    never valid UTF-8.

    The decoder leaves the lone surrogate U+DCFF in its place, and the encoder turns it (or
    any other) into the byte.
    """
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff", error.end
    raise error


codecs.register_error(INVALID, mark_invalid)


def source_encoding(head: bytes, options: Options) -> str | None:
    """The encoding from which an input that starts with `head` must be decoded; None where it is
    UTF-8 already.
    """
    if options.encoding is None:
        return "utf-16" if head[:2] in UTF16_BOMS else None
    name = python_encoding(options.encoding)
    return None if name in ("utf-8", "utf-8-sig") else name


def utf8_of(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """The text of `chunks`, which is in `encoding`, in UTF-8; without one, as it is."""
    if encoding is None:
        yield from chunks
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors=INVALID)
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", INVALID)
    yield decoder.decode(b"", final=True).encode("utf-8", INVALID)
