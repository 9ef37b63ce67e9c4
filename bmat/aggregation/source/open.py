"""An input, opened: its text in UTF-8, in a file or through a window, and the layout of its
records; as many of these as there are texts in it.
"""

import sys
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from bmat.aggregation.errors import failure, shown
from bmat.aggregation.options import InputFile, Limits, Options
from bmat.aggregation.progress import ProgressMeter
from bmat.aggregation.results import Input
from bmat.aggregation.source.header import Misfit, Reading, read_header
from bmat.aggregation.source.layout import Source
from bmat.aggregation.source.origin import (
    Origin,
    Stream,
    localized,
    looked_at,
    texts_of,
    write,
)
from bmat.aggregation.source.signatures import packed_in
from bmat.aggregation.source.window import Window

UTF_8 = "utf-8"
# Of a text that is read through a window so much is looked at before: the sample is taken of it.
HEAD_BYTES = 2**22
# How long a text is taken to be that does not say so.
LIKELY_BYTES = 2**29


@dataclass
class HeadRoom:
    """So many bytes of memory there are for texts, and beginnings of texts, that wait."""

    left: int

    def take(self, count: int) -> bool:
        """Whether there is room for so many; it is taken then."""
        has_room = count <= self.left
        self.left -= count * has_room
        return has_room


@dataclass(frozen=True)
class Opener:
    """How the inputs of a run are opened. Where there is no `room`, every text is in a file: one
    that is not is written to a path that begins with the `target` given. Without `is_whole` the
    inputs are beginnings, of which `most_bytes` of text are looked at. `shown` is what an input at
    a path is called.
    """

    options: Options
    limits: Limits
    meter: ProgressMeter
    room: HeadRoom | None = None
    is_whole: bool = True
    most_bytes: int = sys.maxsize
    streams: list[Stream] = field(default_factory=list)
    shown: Callable[[Path], Path] = field(default=lambda path: path)

    def close(self) -> None:
        """Close the streams that were opened. Nobody may be reading them."""
        for one in self.streams:
            one.rest.close()

    def sources(self, given: InputFile, target: Path, *, can_stream: bool = True) -> list[Source]:
        """Looks at the first records of an input, or of each that is in it. A stream that cannot be
        read again goes to a file as well, unless it `can_stream`.

        Raises AggregationError with a code of a file that cannot be read, and OSError.
        """
        opener = replace(self, shown=given.shown)
        found = opener._found(given.path, given.read_with(self.options), target, can_stream)
        return [replace(one, owner_path=given.shown(one.owner_path)) for one in found]

    def _found(self, path: Path, options: Options, target: Path, can_stream: bool) -> list[Source]:
        origin, head = looked_at(path, lambda done: self.meter.tell())
        if isinstance(origin, Stream):
            self.streams.append(origin)
        packed = packed_in(head)
        origins, is_sheet = [origin], False
        if packed is not None:
            # Few inputs need them.
            from bmat.aggregation.source.contents import Unpacker
            from bmat.aggregation.source.workbook import Sheet, sheet_options

            unpacker = Unpacker(
                options,
                self.limits,
                target,
                lambda done: self.meter.bring(done, origin.size),
                self.meter.tell,
                self.is_whole,
            )
            origins = unpacker.contents(origin, packed)
            is_sheet = isinstance(origins[0], Sheet)
            options = sheet_options(options) if is_sheet else options
        if options.sheet is not None and not is_sheet:
            advice = "the file is no workbook"
            value = shown(options.sheet)
            raise failure("invalid_option", path, option="sheet", value=value, advice=advice)
        return [
            self._source(one, options, numbered(target, number), can_stream)
            for number, one in enumerate(origins)
        ]

    def _source(self, origin: Origin, options: Options, target: Path, can_stream: bool) -> Source:
        if self.room is None or not (origin.can_repeat or can_stream):
            return self._in_file(origin, options, target)
        return Forward(self, self.room, origin, options, target).source()

    def _in_file(self, origin: Origin, options: Options, target: Path) -> Source:
        length, readings = origin.size, list[Reading]()

        def on_read(done: int) -> None:
            self.meter.bring(done, length)
            if not readings and done and target.stat().st_size >= options.bounds.held:
                readings.append(reading_of_file(target, options, origin.path))

        readable, encoding = localized(origin, options, target, on_read, self.most_bytes)
        reading = readings[0] if readings else reading_of_file(readable, options, origin.path)
        return self.made(origin, options, readable, encoding, reading, target)

    def made(
        self,
        origin: Origin,
        options: Options,
        readable: Path,
        encoding: str | None,
        reading: Reading,
        target: Path,
    ) -> Source:
        """The source whose text is in the file `readable`. What a preset makes of it is written to
        a file beside `target`.
        """
        size = readable.stat().st_size
        preset, layout, _ = reading
        if layout is not None:
            return Source(
                readable,
                origin.path,
                size,
                layout,
                read_as_of(reading, layout.delimiter, encoding),
                preset.are_periods,
                broken_lines=origin.broken_lines,
                unread_sheets=origin.unread,
            )
        # Few files need them.
        from bmat.aggregation.source.readers import open_special

        opened = open_special(
            preset,
            readable,
            target.with_name(f"{target.name}-records"),
            self.shown(origin.path),
            options,
            lambda done: self.meter.bring(done, size),
            is_whole=self.is_whole and size < self.most_bytes,
        )
        # Of JSON there is none.
        delimiter = b"" if opened.json else opened.layout.delimiter
        return Source(
            opened.path,
            origin.path,
            opened.path.stat().st_size,
            opened.layout,
            read_as_of(reading._replace(header_line=opened.header_line), delimiter, encoding),
            opened.are_periods,
            opened.json,
        )


class Forward:
    """An input of which the beginning is being read, to be gone on with through a window."""

    def __init__(
        self, opener: Opener, room: HeadRoom, origin: Origin, options: Options, target: Path
    ) -> None:
        self._opener = opener
        self._room = room
        self._origin = origin
        self._options = options
        self._target = target
        self._chunks = origin.chunks()
        self._texts, self._encoding = texts_of(
            self._chunks, options, lambda done: opener.meter.tell()
        )

    def source(self) -> Source:
        """The source. Its text is in a file where it was in one before, and where its preset needs
        that.
        """
        origin, opener = self._origin, self._opener
        if self._encoding is None and origin.local_path is not None:
            self._chunks.close()
            reading = reading_of_file(origin.local_path, self._options, origin.path)
            return opener.made(
                origin, self._options, origin.local_path, None, reading, self._target
            )
        head, reading, is_whole = self._head()
        if reading.layout is None:
            with closing(self._chunks):
                write(chain([head], self._texts), self._target)
            return opener.made(
                origin, self._options, self._target, self._encoding, reading, self._target
            )
        layout = reading.layout
        window, size = self._window(head, layout.data_start if layout.skipped else 0, is_whole)
        return Source(
            self._target,
            origin.path,
            size,
            layout,
            read_as_of(reading, layout.delimiter, self._encoding),
            reading.preset.are_periods,
            window=window,
        )

    def _head(self) -> tuple[bytes, Reading, bool]:
        """The first bytes, how they are read, and whether they are all. A text that cannot be read
        is refused as soon as that is certain.
        """
        head, reading, held = bytearray(), None, self._options.bounds.held
        for text in self._texts:
            head += text
            if reading is None and len(head) >= held:
                reading = self._reading_of(head)
            if len(head) >= max(HEAD_BYTES, held):
                return bytes(head), reading or self._reading_of(head), False
        return bytes(head), reading or self._reading_of(head), True

    def _reading_of(self, head: bytearray) -> Reading:
        data = bytes(head[: self._options.bounds.held])
        return reading_of(data, self._options, self._origin.path)

    def _window(self, head: bytes, begin: int, is_whole: bool) -> tuple[Window, int]:
        """The window on a text that begins with `head`, of which the bytes before `begin` are
        needed at the end again; and how long it is, about.
        """
        origin, has_room = self._origin, self._room.take(len(head))
        if is_whole and (has_room or not origin.can_repeat):
            self._chunks.close()
            return Window.of(head), len(head)
        share = origin.share
        size = len(head) if is_whole else max(int(len(head) / share) if share else LIKELY_BYTES, 1)
        if origin.can_repeat:
            self._chunks.close()
            return Window(self._again, self._share, head if has_room else b"", head[:begin]), size
        return Window(lambda: self._rest(head), self._share, head, head[:begin]), size

    def _share(self) -> float | None:
        return self._origin.share

    def _rest(self, head: bytes) -> Generator[bytes, None, None]:
        with closing(self._chunks):
            yield head
            yield from self._texts

    def _again(self) -> Generator[bytes, None, None]:
        with closing(self._origin.chunks()) as chunks:
            yield from texts_of(chunks, self._options, lambda done: None)[0]


def open_source(
    path: Path,
    options: Options,
    target: Path,
    meter: ProgressMeter,
    *,
    limits: Limits | None = None,
    is_whole: bool = True,
    most_bytes: int = sys.maxsize,
    name: str = "",
) -> Source:
    """The first text of an input, in a file: see `Opener`. It is called `name`."""
    opener = Opener(options, limits or Limits(), meter, None, is_whole, most_bytes)
    with closing(opener):
        return opener.sources(InputFile(path, name), target)[0]


def numbered(target: Path, number: int) -> Path:
    """Where text number `number` of an input is written."""
    return target.with_name(f"{target.name}-{number}") if number else target


def read_as_of(reading: Reading, delimiter: bytes, encoding: str | None) -> Input:
    """How an input is read, for whoever asks."""
    return Input(reading.preset.name, delimiter.decode(), encoding or UTF_8, reading.header_line)


def reading_of_file(path: Path, options: Options, source: Path) -> Reading:
    """How the text in a file is read: see `reading_of`."""
    with path.open("rb") as file:
        return reading_of(file.read(options.bounds.held), options, source)


def reading_of(data: bytes, options: Options, source: Path) -> Reading:
    """How a file that begins with `data` is read: see `read_header`. Raises AggregationError
    `empty_file`, `not_text`, `missing_column` or `duplicate_column`, naming `source`.
    """
    found = read_header(data, options, source)
    if isinstance(found, Misfit):
        # Nobody needs it whose file can be read.
        from bmat.aggregation.source.unreadable import unreadable

        raise unreadable(found.head, found.preset, found.likely)
    return found
