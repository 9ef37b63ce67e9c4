"""What a file looks like whose first record is no header."""

import base64

from bmat.aggregation.tests.oracle.values import is_utf8

# The first bytes of formats that are no text and are not unpacked, with a word of what a person
# calls them.
BINARY = {
    b"7z\xbc\xaf": "7-Zip",
    b"Rar!": "RAR",
    b"\x1f\x9d": "compress",
    b"]\0\0": "LZMA",
    b"LZIP\1": "lzip",
    b"\x04\x22\x4d\x18": "LZ4",
    b"\xff\6\0\0sNaPpY": "Snappy",
    b"MSCF\0\0\0\0": "cabinet",
    b"PK\7\x08": "split",
    b"PK00PK": "split",
    b"PAR1": "Parquet",
    b"ARROW1\0\0": "Arrow",
    b"Obj\1": "Avro",
    b"SQLite format 3": "SQLite",
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
}
# The first bytes of what is unpacked, unless it is written as base64.
PACKED = (b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"\xfd7zXZ\0", b"PK\x03\x04")
WHITE_SPACE = b" \t\n\r\x0b\x0c"
# The elements that a web page, or a part of one, begins with.
HTML = (b"html", b"head", b"body", b"meta", b"title", b"script", b"style", b"div", b"table")
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
# Bytes of a character's unit, the place of its last byte among them, and the encoding.
UNITS = [(4, 0, "UTF-32"), (4, 3, "UTF-32-BE"), (2, 0, "UTF-16"), (2, 1, "UTF-16-BE")]


def looks_like(data: bytes) -> str | None:
    """A word of what the file is said to look like; None for a text without a known format."""
    return binary(data) or wide(data) or text_format(data) or encoded(data)


def binary(data: bytes) -> str | None:
    return next((name for start, name in BINARY.items() if data.startswith(start)), None)


def wide(data: bytes) -> str | None:
    """Four ASCII characters on end, of several bytes each, that begin among the first hundred."""
    for width, place, name in UNITS:
        run = 0
        for start in range(0, min(len(data), width * 104), width):
            unit = data[start : start + width]
            others = unit[:place] + unit[place + 1 :]
            is_ascii = len(unit) == width and not any(others) and is_printable(unit[place])
            run = run + 1 if is_ascii else 0
            if run == 4:
                return f"{name} text"
    return None


def is_printable(byte: int) -> bool:
    return 32 <= byte < 127 or byte in b"\t\r\n"


def text_format(data: bytes) -> str | None:
    text = data[:4096].replace(b"\xef\xbb\xbf", b"").lstrip(WHITE_SPACE)
    if text.startswith(b"version https://git-lfs.github.com/spec/"):
        return "Git LFS"
    if text.startswith(b"{\\rtf"):
        return "RTF"
    return markup(text) or json(text)


def markup(text: bytes) -> str | None:
    if text[:1] != b"<":
        return None
    until_nul, page = text.split(b"\0")[0], text
    for start in (b"<?xml", b"<?mso-application"):
        named = [until_nul.find(one, len(start)) for one in (b"Excel.Sheet", b"office:spreadsheet")]
        if text.startswith(start) and any(0 <= place <= 2000 + len(start) for place in named):
            return "XML spreadsheet"
    if text.startswith(b"<!--") and 4 <= until_nul.find(b"-->", 4) <= 2004:
        page = text[text.index(b"-->", 4) + 3 :].lstrip(WHITE_SPACE)
    if is_page(page.lower()):
        return "web page"
    return "XML" if text[1:2].isalpha() or text[1:2] in (b"?", b"!") else None


def is_page(text: bytes) -> bool:
    """Whether a lower-case text begins with an element of HTML."""
    if text.startswith(b"<!doctype"):
        behind = text[9:].lstrip(WHITE_SPACE)
        names = [b"html"] if len(behind) < len(text) - 9 else []
    else:
        behind, names = text[1:] if text[:1] == b"<" else b"", list(HTML)
    return any(
        behind.startswith(name) and not is_word(behind[len(name) : len(name) + 1]) for name in names
    )


def is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_"


def json(text: bytes) -> str | None:
    behind = text[1:].lstrip(WHITE_SPACE)[:1]
    is_object = text[:1] == b"{" and behind in (b'"', b"}")
    is_array = text[:1] == b"[" and (behind.isdigit() or behind in (b"[", b"{", b'"', b"]", b"-"))
    return "JSON" if is_object or is_array else None


def encoded(data: bytes) -> str | None:
    """Base64, of a format or of text, as a line of it shows."""
    start = 0
    if data.startswith(b"data:"):
        mark = data.find(b";base64,")
        if 0 <= mark <= 105 and b"," not in data[:mark]:
            start = mark + 8
    stop = start
    while stop < len(data) and data[stop] in BASE64 and stop - start < 76:
        stop += 1
    if stop - start < 40:
        return None
    text = base64.b64decode(data[start : stop - (stop - start) % 4])
    if text.startswith(PACKED) or binary(text) or text_format(text) or is_text(text):
        return "base64"
    return None


def is_text(text: bytes) -> bool:
    """Whether this is UTF-8 that a person can read; the last character may be cut off."""
    if any(byte == 127 or (byte < 32 and byte not in b"\t\r\n") for byte in text):
        return False
    ends = [
        bytes([first, 0x80, 0x80])[:count] for first in (0x80, 0x90, 0xA0) for count in range(4)
    ]
    return any(is_utf8(text + end) for end in ends)
