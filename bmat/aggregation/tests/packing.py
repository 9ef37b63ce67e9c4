"""Packs bytes as people do: in archives, and into pipes."""

import bz2
import gzip
import io
import lzma
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bmat.aggregation.source.unpacking import zstd

# With a checksum, as its command line writes it: without one nothing tells that bytes have changed.
CHECKSUM = {zstd.CompressionParameter.checksum_flag: 1}


def zstandard(data: bytes) -> bytes:
    packed: bytes = zstd.compress(data, options=CHECKSUM)
    return packed


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive with these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return made.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstandard": zstandard,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": lambda data: zipped(("in.csv", data)),
    "zip, stored": lambda data: zipped(("in.csv", data), method=zipfile.ZIP_STORED),
    "zip, bzip2": lambda data: zipped(("in.csv", data), method=zipfile.ZIP_BZIP2),
    "zip, LZMA": lambda data: zipped(("in.csv", data), method=zipfile.ZIP_LZMA),
}


@contextmanager
def fed(path: Path, data: bytes) -> Iterator[Path]:
    """A FIFO into which somebody writes `data`, as long as somebody reads it."""
    os.mkfifo(path)

    def feed() -> None:
        try:
            path.write_bytes(data)
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=feed)
    writer.start()
    yield path
    while writer.is_alive():
        # Where nobody has opened the other end, it waits for that.
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        writer.join(0.01)
    path.unlink()
