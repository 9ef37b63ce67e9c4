"""What is in an input that is packed: a text, the files of a ZIP archive, a sheet of a workbook."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bmat.aggregation.options import Limits, Options
from bmat.aggregation.progress import OnRead
from bmat.aggregation.source.header import read_header
from bmat.aggregation.source.origin import Origin, counted, write
from bmat.aggregation.source.preset import DEFAULT
from bmat.aggregation.source.signatures import OFFICE
from bmat.aggregation.source.unpacking import (
    DECOMPRESSORS,
    Allowance,
    Unpacking,
    inner_text,
)
from bmat.aggregation.source.workbook import Sheet, converted, sheet_options
from bmat.aggregation.source.zipped import (
    Member,
    directory_of,
    first_member,
    is_workbook,
    member_chunks,
    members_of,
    shown_name,
)


@dataclass
class Unpacked(Origin):
    """What is in an archive of one text."""

    path: Path
    packed: Origin
    allowance: Allowance
    is_whole: bool
    can_repeat: bool

    @property
    def share(self) -> float | None:
        return self.packed.share

    def chunks(self) -> Generator[bytes, None, None]:
        decompressor = DECOMPRESSORS[self.allowance.name]
        with closing(self.packed.chunks()) as packed:
            unpacking = Unpacking(packed, decompressor, self.allowance)
            chunks = unpacking.chunks(is_whole=self.is_whole)
            yield from inner_text(chunks, self.allowance, self.path, is_whole=self.is_whole)


@dataclass
class ZipMember(Origin):
    """A file in a ZIP archive, which is at `archive`."""

    path: Path
    archive: Path
    member: Member
    allowance: Allowance
    is_whole: bool
    can_repeat = True

    @property
    def share(self) -> float:
        taken = self.allowance.taken.get(self.member.part, 0)
        return taken / max(self.member.packed_bytes, 1)

    def chunks(self) -> Generator[bytes, None, None]:
        made = member_chunks(self.archive, self.member, self.allowance, is_whole=self.is_whole)
        yield from inner_text(made, self.allowance, self.path, is_whole=self.is_whole)


@dataclass(frozen=True)
class Unpacker:
    """How packed inputs are opened: what is written goes to paths that begin with `target`. Without
    `is_whole` they are beginnings, of which what is not there is not missed.
    """

    options: Options
    limits: Limits
    target: Path
    on_read: OnRead
    check: Callable[[], None]
    is_whole: bool

    def contents(self, origin: Origin, packed_in: str) -> list[Origin]:
        """The inputs in an input of this format. Raises AggregationError `damaged_archive`,
        `unsupported_archive`, `decompression_limit`, `not_text`, or `invalid_option` for a sheet
        that is not there.
        """
        allowance = Allowance.of(origin.path, packed_in, self.limits)
        if packed_in in DECOMPRESSORS:
            return [Unpacked(origin.path, origin, allowance, self.is_whole, origin.can_repeat)]
        path = self._local(origin)
        if packed_in == OFFICE:
            return [self._sheet(origin, path)]
        if self.is_whole:
            infos = directory_of(path, allowance)
            if is_workbook(info.filename for info in infos):
                return [self._sheet(origin, path)]
            members = members_of(infos, allowance)
        else:
            members = [first_member(path, allowance)]
        names = [Path(f"{origin.path}/{shown_name(member.name)}") for member in members]
        return [
            ZipMember(name, path, member, allowance, self.is_whole)
            for name, member in zip(names, members, strict=True)
        ]

    def _sheet(self, origin: Origin, path: Path) -> Sheet:
        target = self.target.with_name(f"{self.target.name}-sheet")
        options = self.options
        sheet = partial(
            converted, origin.path, path, target, options, limits=self.limits, check=self.check
        )
        made = sheet(options.date_format or DEFAULT.date_format)
        if options.date_format is None:
            with target.open("rb") as file:
                head = file.read(options.bounds.held)
            preset = read_header(head, sheet_options(options), origin.path).preset
            # Its header is read before it is known how its dates are to be written.
            if preset.date_format != DEFAULT.date_format:
                made = sheet(preset.date_format)
        return made

    def _local(self, origin: Origin) -> Path:
        """The archive as a file: its end, with the directory, is read first."""
        if origin.local_path is not None:
            return origin.local_path
        path = self.target.with_name(f"{self.target.name}-archive")
        with closing(origin.chunks()) as chunks:
            write(counted(chunks, self.on_read), path)
        return path
