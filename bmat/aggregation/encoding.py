"""Input in another encoding, turned into UTF-8 before anything else looks at it."""

import codecs
from collections.abc import Callable
from pathlib import Path

from bmat.aggregation.options import Options, python_encoding

CHUNK_BYTES = 2**20
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


def source_encoding(path: Path, options: Options) -> str | None:
    """The encoding `path` must be decoded from; None where it is UTF-8 already."""
    if options.encoding is None:
        with path.open("rb") as file:
            return "utf-16" if file.read(2) in UTF16_BOMS else None
    name = python_encoding(options.encoding)
    return None if name in ("utf-8", "utf-8-sig") else name


def transcode(path: Path, encoding: str, target: Path, on_chunk: Callable[[], None]) -> None:
    """Writes the text of `path`, which is in `encoding`, to `target` in UTF-8. `on_chunk` is
    called now and then.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors=INVALID)
    with path.open("rb") as source, target.open("wb") as out:
        while chunk := source.read(CHUNK_BYTES):
            out.write(decoder.decode(chunk).encode("utf-8", INVALID))
            on_chunk()
        out.write(decoder.decode(b"", final=True).encode("utf-8", INVALID))
