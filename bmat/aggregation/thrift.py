"""Thrift's compact protocol, as far as a Parquet file needs it: structs into bytes.

The format: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import Any

TRUE, FALSE = 1, 2
I16, I32, I64 = 4, 5, 6
BINARY, LIST, STRUCT = 8, 9, 12

# A struct: its fields, as {field id: (type, value)}. A list: (type of its elements, elements).
# A boolean has its value in its type.
Struct = dict[int, tuple[int, Any]]


def written(fields: Struct) -> bytes:
    """The bytes of a struct."""
    out = bytearray()
    before = 0
    for number, (kind, value) in sorted(fields.items()):
        # All of Parquet's fields have numbers below 16: a step fits beside the type.
        out.append((number - before) << 4 | kind)
        if kind not in (TRUE, FALSE):
            out += written_value(kind, value)
        before = number
    return bytes(out) + b"\0"


def written_value(kind: int, value: Any) -> bytes:
    if kind == BINARY:
        return varint(len(value)) + bytes(value)
    if kind == STRUCT:
        return written(value)
    if kind == LIST:
        of, items = value
        head = bytes([len(items) << 4 | of]) if len(items) < 15 else bytes([240 | of])
        size = b"" if len(items) < 15 else varint(len(items))
        return head + size + b"".join(written_value(of, item) for item in items)
    return integer(value)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def integer(value: int) -> bytes:
    """A signed integer, which a varint would need ten bytes for where it is negative."""
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)
