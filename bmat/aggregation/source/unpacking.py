"""Archives of one file, unpacked as they are read: gzip, Zstandard, bzip2, xz; and the formats that
a member of a ZIP archive may be packed in.

All of them are given few bytes at a time, and give few back: what an archive of some bytes would
become is never held. One level is unpacked; what is in an archive is text, or is refused.
"""

import bz2
import lzma
import sys
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn, Protocol

from isal import igzip_lib

from bmat.aggregation.errors import AggregationError, failure
from bmat.aggregation.options import Limits
from bmat.aggregation.source.signatures import (
    BZIP2,
    GZIP,
    SIGNATURE_BYTES,
    XZ,
    ZSTANDARD,
    packed_in,
)

# Python has it from 3.14 on; the other package is the same for those before.
zstd: Any = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")

# Taken at a time, and made of it: both stay in a processor's cache.
TAKEN_BYTES, MADE_BYTES = 2**18, 2**19
# Of what was unpacked before, a format may refer to so much: more is refused.
MOST_HISTORY_BYTES = 2**27
# The ratio of an archive is looked at once it has become so large: few bytes of any text may be
# packed very tightly.
UNJUDGED_BYTES = 2**26


class Decompressor(Protocol):
    """What the decompressors of the standard library share. It has `unused_data` at its end."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def gzip_decompressor() -> Decompressor:
    decompressor: Decompressor = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    return decompressor


def deflate_decompressor() -> Decompressor:
    decompressor: Decompressor = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)
    return decompressor


def zstandard_decompressor() -> Decompressor:
    window = zstd.DecompressionParameter.window_log_max
    decompressor: Decompressor = zstd.ZstdDecompressor(
        options={window: MOST_HISTORY_BYTES.bit_length() - 1}
    )
    return decompressor


def xz_decompressor() -> Decompressor:
    # A little more than the history is held beside it.
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_HISTORY_BYTES * 9 // 8)


DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    GZIP: gzip_decompressor,
    ZSTANDARD: zstandard_decompressor,
    BZIP2: bz2.BZ2Decompressor,
    XZ: xz_decompressor,
}
# What they raise where bytes are not as they should be.
FAULTS: tuple[type[Exception], ...] = (
    igzip_lib.error,  # type: ignore[assignment]
    zstd.ZstdError,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
)


@dataclass
class Allowance:
    """How large what is packed in one input may become: `limit_bytes`, and `ratio` times as many
    bytes as it has packed. Its parts, which are read apart, count together, each as it was read
    last.
    """

    source: Path
    name: str
    limit_bytes: int
    ratio: int
    taken: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Path, name: str, limits: Limits) -> "Allowance":
        return cls(source, name, limits.decompression_limit_bytes, limits.decompression_ratio)

    def begin(self, part: str) -> None:
        """The part is read from its first byte on."""
        self.taken[part] = self.made[part] = 0

    def take(self, part: str, count: int) -> None:
        """So many more bytes of the part are being unpacked."""
        self.taken[part] += count

    def make(self, part: str, count: int) -> None:
        """So many more have come out of it. Raises AggregationError `decompression_limit`."""
        self.made[part] += count
        self.judge(sum(self.taken.values()), sum(self.made.values()))

    def judge(self, taken: int, made: int) -> None:
        """Raises AggregationError `decompression_limit` where few bytes would become too many."""
        if made > self.limit_bytes:
            raise self._failure(f"{self.limit_bytes:,} bytes, as many as are allowed")
        if made > UNJUDGED_BYTES and made > self.ratio * taken:
            raise self._failure(f"{self.ratio:,} times its size, as often as is allowed")

    def _failure(self, most: str) -> Exception:
        return failure("decompression_limit", self.source, archive=self.name, most=most)


class Unpacking:
    """What is packed in one file, or in one part of it, on its way out of `chunks`. `has_one`: a
    single stream, and not any number of them one behind the other.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        decompressor: Callable[[], Decompressor],
        allowance: Allowance,
        part: str = "",
        *,
        has_one: bool = False,
    ) -> None:
        self._chunks = chunks
        self._make = decompressor
        self._allowance = allowance
        self._part = part
        self._has_one = has_one
        self._position = 0
        allowance.begin(part)

    def chunks(self, *, is_whole: bool = True) -> Generator[bytes, None, None]:
        """What comes out, in chunks; an empty one says that the next one is awaited still. Without
        `is_whole` it may end anywhere.

        Raises AggregationError `damaged_archive`, `nested_archive`, `unsupported_archive` or
        `decompression_limit`.
        """
        decompressor, is_between = self._make(), False
        for chunk in self._chunks:
            if not chunk:
                yield chunk
            for start in range(0, len(chunk), TAKEN_BYTES):
                data = chunk[start : start + TAKEN_BYTES]
                self._allowance.take(self._part, len(data))
                size = len(data)
                while data or not (is_between or decompressor.needs_input):
                    if is_between:
                        # Files of whole blocks are padded so.
                        data = data.lstrip(b"\0")
                        if not data:
                            break
                        if self._has_one:
                            self._damaged("something else follows")
                        decompressor, is_between = self._make(), False
                    made = self._decompressed(decompressor, data)
                    data = b""
                    self._allowance.make(self._part, len(made))
                    if made:
                        yield made
                    if decompressor.eof:
                        data, is_between = decompressor.unused_data, True
                self._position += size
        if is_whole and not is_between:
            how = f"it ends at byte {self._position:,}, before it is complete"
            damaged(self._allowance, how)

    def _decompressed(self, decompressor: Decompressor, data: bytes) -> bytes:
        try:
            return decompressor.decompress(data, MADE_BYTES)
        except FAULTS as error:
            text = str(error).lower()
            if "memory" in text:
                reason = f"unpacking it takes more than {MOST_HISTORY_BYTES:,} bytes of memory"
                raise unsupported(self._allowance, reason) from error
            if "dictionary" in text:
                raise unsupported(self._allowance, "its dictionary is not in it") from error
            self._damaged("it cannot be unpacked")

    def _damaged(self, how: str) -> NoReturn:
        damaged(self._allowance, f"{how} from byte {self._position:,} on, or soon behind it")


def unsupported(allowance: Allowance, reason: str) -> AggregationError:
    """The error about an archive that may be sound, and is not read."""
    return failure("unsupported_archive", allowance.source, archive=allowance.name, reason=reason)


def damaged(allowance: Allowance, how: str) -> NoReturn:
    """Raises AggregationError `damaged_archive`."""
    raise failure("damaged_archive", allowance.source, archive=allowance.name, how=how)


def inner_text(
    chunks: Iterable[bytes], allowance: Allowance, source: Path, *, is_whole: bool
) -> Generator[bytes, None, None]:
    """The chunks of what was unpacked, which is called `source`. Raises AggregationError
    `nested_archive` where they are an archive, or a workbook; and `unsupported_archive` where the
    archive is not whole, and nothing comes out of its beginning.
    """
    head = b""
    for chunk in chunks:
        if len(head) < SIGNATURE_BYTES:
            head += chunk[:SIGNATURE_BYTES]
            inner = packed_in(head)
            if inner is not None:
                raise failure("nested_archive", source, archive=allowance.name, inner=inner)
        yield chunk
    if not head and not is_whole:
        reason = "nothing can be unpacked from its beginning alone, and no more was looked at"
        raise unsupported(allowance, reason)
