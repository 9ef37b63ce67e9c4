"""Thrift's compact protocol, as far as the footer of a Parquet file needs it: read into plain
lists, written from them, without knowing what the fields mean.

The format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
INTEGERS = (I16, I32, I64)

# A struct: its fields in order, as {field id: (type, value)}. A list: (type of its elements,
# elements). Booleans in a struct have their value in their type.
Struct = dict[int, tuple[int, Any]]


class Reader:
    """Takes values off a buffer, one after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._integer()
            fields[number] = kind, None if kind in (TRUE, FALSE) else self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind in INTEGERS:
            return self._integer()
        if kind == BINARY:
            return self._take(self._varint())
        if kind == STRUCT:
            return self.struct()
        if kind in (LIST, SET):
            return self._list()
        # In a list, a boolean is a byte, too. Parquet's footer has no map.
        return self._take({DOUBLE: 8}.get(kind, 1))

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        size, kind = head >> 4, head & 15
        size = self._varint() if size == 15 else size
        return kind, [self._value(kind) for _ in range(size)]

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _take(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        return self._data[start : self._at]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _integer(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)


def written(fields: Struct) -> bytes:
    """The bytes of a struct, in the same form as they are read."""
    out = bytearray()
    before = 0
    for number, (kind, value) in sorted(fields.items()):
        step = number - before
        out += bytes([step << 4 | kind]) if step < 16 else bytes([kind]) + integer(number)
        if kind not in (TRUE, FALSE):
            out += written_value(kind, value)
        before = number
    return bytes(out) + b"\0"


def written_value(kind: int, value: Any) -> bytes:
    if kind in INTEGERS:
        return integer(value)
    if kind == BINARY:
        return varint(len(value)) + bytes(value)
    if kind == STRUCT:
        return written(value)
    if kind in (LIST, SET):
        of, items = value
        head = bytes([len(items) << 4 | of]) if len(items) < 15 else bytes([240 | of])
        size = b"" if len(items) < 15 else varint(len(items))
        return head + size + b"".join(written_value(of, item) for item in items)
    return bytes(value)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def integer(value: int) -> bytes:
    """A signed integer, which a varint would need ten bytes for where it is negative."""
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)
