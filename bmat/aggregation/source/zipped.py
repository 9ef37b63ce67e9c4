"""ZIP archives: what is in them, each member an input of its own; and whether they are workbooks.

The standard library reads the directory at the archive's end. The members themselves are unpacked
as any other archive, faster than the standard library does it; and the first one can be read where
the end is missing.
"""

import bz2
import lzma
import os
import re
import struct
from collections.abc import Callable, Generator, Iterable
from io import FileIO
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from isal import isal_zlib

from bmat.aggregation.errors import failure
from bmat.aggregation.source.signatures import ZIP
from bmat.aggregation.source.unpacking import (
    MOST_HISTORY_BYTES,
    Allowance,
    Decompressor,
    Unpacking,
    damaged,
    deflate_decompressor,
    unsupported,
    xz_decompressor,
    zstandard_decompressor,
)

MOST_MEMBERS = 1000
# Of so many members it takes less, whatever their names.
MOST_DIRECTORY_BYTES = 2**22
# The record at the end, and a comment behind it; that of a larger archive before them.
END_BYTES = 2**16 + 2**10
CHUNK_BYTES = 2**20
# https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.7: signature, version, flags,
# method, time, date, CRC, sizes, lengths of the name and of what is between it and the data.
LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
LOCAL_SIGNATURE = b"PK\x03\x04"
IS_ENCRYPTED, HAS_SIZES_BEHIND = 0x1, 0x8
# What is there in a workbook, or in a text document that has the form of one.
XLSX_PARTS = ("xl/workbook.xml", "xl/workbook.bin")
ODS_PARTS = ("content.xml", "META-INF/manifest.xml")
# What such an archive begins with.
FIRST_PARTS = re.compile(r"\[Content_Types\]\.xml$|mimetype$|(?:_rels|xl|docProps|META-INF)/")


class RawLZMA:
    """The method LZMA: the properties are before the stream, which may have no end of its own."""

    def __init__(self) -> None:
        self._head = b""
        self._decompressor: lzma.LZMADecompressor | None = None

    @property
    def eof(self) -> bool:
        return self._decompressor is not None and self._decompressor.eof

    @property
    def needs_input(self) -> bool:
        return self._decompressor is None or self._decompressor.needs_input

    @property
    def unused_data(self) -> bytes:
        assert self._decompressor is not None
        return self._decompressor.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Raises ValueError for properties that there are not."""
        if self._decompressor is None:
            self._head += data
            # Version and size, then the properties: a byte, and the history's size.
            if len(self._head) < 9:
                return b""
            size, code, history = struct.unpack_from("<2xHBI", self._head)
            if size != 5 or code >= 9 * 5 * 5:
                raise ValueError("no properties of LZMA")
            if history > MOST_HISTORY_BYTES:
                raise ValueError("more memory than is allowed")
            properties = {
                "id": lzma.FILTER_LZMA1,
                "dict_size": max(history, 4096),
                "lc": code % 9,
                "lp": code // 9 % 5,
                "pb": code // 45,
            }
            self._decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[properties])
            data = self._head[9:]
        return self._decompressor.decompress(data, max_length)


# By their numbers in the format; None: as it is.
METHODS: dict[int, Callable[[], Decompressor] | None] = {
    0: None,
    8: deflate_decompressor,
    12: bz2.BZ2Decompressor,
    14: RawLZMA,
    # The number that Zstandard had at first, and the one that it has.
    20: zstandard_decompressor,
    93: zstandard_decompressor,
    95: xz_decompressor,
}
# Those that some programs write, by the names by which people find them.
NAMES = {
    1: "Shrink",
    6: "Implode",
    9: "Deflate64, as Windows packs files of more than 2 GB",
    98: "PPMd",
    99: "AES",
}
# What systems put beside the files of people, in lower case.
SYSTEM_FILES = frozenset([".ds_store", "thumbs.db", "desktop.ini"])


class Member(NamedTuple):
    """A file in an archive: its name, its method, where its data are, how many bytes they take, and
    what comes out of them: how many bytes, and their checksum (None: not known).
    """

    name: str
    method: int
    is_encrypted: bool
    header: int
    packed_bytes: int
    size: int | None
    checksum: int | None

    @property
    def part(self) -> str:
        """What parts it from the others: names may be the same."""
        return str(self.header)


class DirectoryFile(FileIO):
    """An archive whose directory is read whole: not where it is very large."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MOST_DIRECTORY_BYTES:
            raise BadZipFile("its directory is too large")
        data: bytes = super().read(-1 if size is None else size)
        return data


def directory_of(path: Path, allowance: Allowance) -> list[ZipInfo]:
    """All that is in an archive. Raises AggregationError `damaged_archive`."""
    try:
        with DirectoryFile(path) as file, ZipFile(file) as archive:
            infos = archive.infolist()
            # A length that is wrong by a bit can make the next entries a part of the one before.
            if len(infos) != told_count(file):
                raise BadZipFile("its directory has more or fewer entries than it says")
            return infos
    # The last three are what a damaged directory makes of the standard library's own reader.
    except (BadZipFile, NotImplementedError, struct.error, UnicodeDecodeError, ValueError) as error:
        size = path.stat().st_size
        how = f"its directory, before byte {size:,}, cannot be read"
        raise failure("damaged_archive", allowance.source, archive=ZIP, how=how) from error


def told_count(file: DirectoryFile) -> int:
    """How many entries the directory has, by the record at the archive's end. Raises struct.error
    where there is none.
    """
    file.seek(max(file.seek(0, os.SEEK_END) - END_BYTES, 0))
    end = file.read(END_BYTES)
    at = end.rfind(b"PK\x05\x06")
    count: int = struct.unpack_from("<H", end, at + 10)[0]
    if count == 2**16 - 1:
        # As many, or as many as the record of larger archives says, which is before.
        at = end.rfind(b"PK\x06\x06", 0, at)
        count = count if at < 0 else struct.unpack_from("<Q", end, at + 32)[0]
    return count


def is_workbook(names: Iterable[str]) -> bool:
    """Whether an archive that holds these is a workbook."""
    there = set(names)
    return any(part in there for part in XLSX_PARTS) or there.issuperset(ODS_PARTS)


def members_of(infos: list[ZipInfo], allowance: Allowance) -> list[Member]:
    """The files in an archive that are inputs. Raises AggregationError `unsupported_archive`,
    `decompression_limit` or `damaged_archive`.
    """
    files = [info for info in infos if is_input(info.filename)]
    if not files:
        raise unsupported(allowance, "it holds no file")
    if len(files) > MOST_MEMBERS:
        raise unsupported(allowance, f"it holds {len(files):,} files, more than {MOST_MEMBERS:,}")
    members = [
        Member(
            info.filename,
            info.compress_type,
            bool(info.flag_bits & IS_ENCRYPTED),
            info.header_offset,
            info.compress_size,
            info.file_size,
            info.CRC,
        )
        for info in files
    ]
    for member in members:
        check_method(member, allowance)
    # What the directory says about sizes holds: what is larger is damaged.
    allowance.judge(
        sum(info.compress_size for info in files), sum(info.file_size for info in files)
    )
    by_place = sorted(members, key=lambda member: member.header)
    for one, other in zip(by_place, by_place[1:], strict=False):
        if one.header + LOCAL_HEADER.size + one.packed_bytes > other.header:
            damaged(allowance, f"two of its files share the bytes from {other.header:,} on")
    return members


def is_input(name: str) -> bool:
    """Whether a member is a file that somebody put there, and not its system."""
    # Some programs of Windows write its own separator.
    *folders, file = name.replace("\\", "/").split("/")
    if not file or "__MACOSX" in folders:
        return False
    return file.lower() not in SYSTEM_FILES and not file.startswith("._")


def check_method(member: Member, allowance: Allowance) -> None:
    """Raises AggregationError `unsupported_archive` where a member cannot be unpacked."""
    if member.is_encrypted:
        raise unsupported(allowance, f"{shown_name(member.name)} in it is encrypted")
    if member.method not in METHODS:
        name, method = shown_name(member.name), NAMES.get(member.method, "")
        packed = f"{name} in it is packed by method {member.method}"
        raise unsupported(allowance, f"{packed} ({method})" if method else packed)


def shown_name(name: str) -> str:
    """A member's name, as it is shown: without what a terminal would take for a command."""
    return "".join(character if character.isprintable() else "\ufffd" for character in name)


def first_member(path: Path, allowance: Allowance) -> Member:
    """The first file of an archive that is cut off behind its beginning. Raises AggregationError
    `unsupported_archive` where it is not there.
    """
    with path.open("rb") as file:
        begin = file.read()
    position = 0
    while len(begin) - position >= LOCAL_HEADER.size:
        fields = LOCAL_HEADER.unpack_from(begin, position)
        signature, _, flags, method, _, _, checksum, packed, size, name_bytes, extra = fields
        if signature != LOCAL_SIGNATURE:
            break
        start = position + LOCAL_HEADER.size
        # Bit 11 says that it is UTF-8; what else it may be looks alike where it is ASCII.
        name = begin[start : start + name_bytes].decode("utf-8", "replace")
        if FIRST_PARTS.match(name):
            raise unsupported(allowance, "it seems to be a workbook, which is opened whole or not")
        is_told = not flags & HAS_SIZES_BEHIND
        if is_input(name):
            member = Member(
                name,
                method,
                bool(flags & IS_ENCRYPTED),
                position,
                packed if is_told else len(begin),
                size if is_told else None,
                checksum if is_told else None,
            )
            check_method(member, allowance)
            return member
        if not is_told:
            break
        position = start + name_bytes + extra + packed
    raise unsupported(
        allowance, "its first file is not in its beginning, and no more was looked at"
    )


def raw_chunks(path: Path, member: Member, allowance: Allowance) -> Generator[bytes, None, None]:
    """The bytes of a member as they are packed; fewer where the archive ends before. Raises
    AggregationError `damaged_archive` where the directory is wrong about it.
    """
    with path.open("rb", buffering=0) as file:
        if member.header < 0:
            damaged(allowance, "its directory names places before its first byte")
        file.seek(member.header)
        header = file.read(LOCAL_HEADER.size)
        if len(header) < LOCAL_HEADER.size or not header.startswith(LOCAL_SIGNATURE):
            damaged(allowance, f"no file begins at byte {member.header:,}")
        *_, name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)
        file.seek(name_bytes + extra_bytes, 1)
        left = member.packed_bytes
        while left and (chunk := file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def member_chunks(
    path: Path, member: Member, allowance: Allowance, *, is_whole: bool
) -> Generator[bytes, None, None]:
    """What is in a member. Without `is_whole` it may end anywhere. Raises AggregationError as
    `Unpacking.chunks` does.
    """
    packed = raw_chunks(path, member, allowance)
    method = METHODS[member.method]
    chunks = (
        counted(packed, allowance, member.part)
        if method is None
        else Unpacking(packed, method, allowance, member.part, has_one=True).chunks(is_whole=False)
    )
    size, checksum = 0, 0
    for chunk in chunks:
        size += len(chunk)
        checksum = isal_zlib.crc32(chunk, checksum)
        yield chunk
    if is_whole and (size, checksum) != (member.size, member.checksum):
        end = member.header + member.packed_bytes
        how = f"its file {shown_name(member.name)}, before byte {end:,}, is not as it was packed"
        damaged(allowance, how)


def counted(
    chunks: Iterable[bytes], allowance: Allowance, part: str
) -> Generator[bytes, None, None]:
    """The chunks of a member that is not compressed, counted as any other."""
    allowance.begin(part)
    for chunk in chunks:
        allowance.take(part, len(chunk))
        allowance.make(part, len(chunk))
        yield chunk
