"""What a file looks like that is no CSV, and what to do about it."""

import binascii
import codecs
import re
from typing import NamedTuple

from bmat.aggregation.source.signatures import packed_in


class Format(NamedTuple):
    """A format as a person calls it, and what that person can do."""

    name: str
    advice: str


AS_CSV = "Upload it as CSV"
IN_A_SPREADSHEET = "Open it in a spreadsheet program, and save it as CSV (UTF-8)"
UNPACKED = "Unpack it, and upload what is in it"
# How well-known binary files start; those that are unpacked are told before.
SIGNATURES = {
    b"7z\xbc\xaf": Format("a 7-Zip archive", UNPACKED),
    b"Rar!": Format("a RAR archive", UNPACKED),
    b"\x1f\x9d": Format("an archive of compress (.Z)", UNPACKED),
    b"]\0\0": Format("an LZMA archive (.lzma)", UNPACKED),
    b"LZIP\1": Format("a lzip archive", UNPACKED),
    b"\x04\x22\x4d\x18": Format("an LZ4 archive", UNPACKED),
    b"\xff\6\0\0sNaPpY": Format("a Snappy archive", UNPACKED),
    b"MSCF\0\0\0\0": Format("a cabinet of Windows (.cab)", UNPACKED),
    b"PK\7\x08": Format("a ZIP archive that was split", UNPACKED),
    b"PK00PK": Format("a ZIP archive that was to be split", UNPACKED),
    b"PAR1": Format("a Parquet file", AS_CSV),
    b"ARROW1\0\0": Format("an Arrow file", AS_CSV),
    b"Obj\1": Format("an Avro file", AS_CSV),
    b"SQLite format 3": Format("an SQLite database", AS_CSV),
    b"%PDF": Format("a PDF document", AS_CSV),
    b"\x89PNG": Format("a PNG image", AS_CSV),
    b"\xff\xd8\xff": Format("a JPEG image", AS_CSV),
    b"GIF8": Format("a GIF image", AS_CSV),
}
TAR = re.compile(rb"(?s:.){257}ustar")
# How well-known texts start, behind byte order marks and white space; the first match counts.
TEXTS = [
    (
        re.compile(rb"version https://git-lfs\.github\.com/spec/"),
        Format(
            "a Git LFS pointer, which stands for the file itself",
            "Fetch the file with `git lfs pull`, and upload that",
        ),
    ),
    (
        re.compile(rb"\{\\rtf"),
        Format("a formatted document (RTF)", "Save it as plain text, with one record on a line"),
    ),
    (
        re.compile(rb"<\?(?:xml|mso-application)[^\0]{0,2000}?(?:Excel\.Sheet|office:spreadsheet)"),
        Format("an XML spreadsheet of Excel (2003)", IN_A_SPREADSHEET),
    ),
    (
        re.compile(
            rb"(?:<!--[^\0]{0,2000}?-->\s*)?"
            rb"<(?:!doctype\s+html|html|head|body|meta|title|script|style|div|table)\b",
            re.IGNORECASE,
        ),
        Format(
            "a web page (HTML)",
            "Often that is the page to sign in on: sign in, and download the file again; a table "
            "that a program saved as HTML can be opened in a spreadsheet program and saved as CSV",
        ),
    ),
    (re.compile(rb"<[?!A-Za-z]"), Format("XML", AS_CSV)),
    (
        re.compile(rb'\{\s*["}]|\[\s*[\[{"\]0-9-]'),
        Format("JSON of a kind that no preset reads", AS_CSV),
    ),
]
# Four ASCII characters on end, somewhere in the first hundred.
WITHOUT_MARK = [
    (re.compile(rb"(?s:....){0,100}?(?:[\t\r\n -~]\0\0\0){4}"), "utf-32"),
    (re.compile(rb"(?s:....){0,100}?(?:\0\0\0[\t\r\n -~]){4}"), "utf-32-be"),
    (re.compile(rb"(?s:..){0,100}?(?:[\t\r\n -~]\0){4}"), "utf-16"),
    (re.compile(rb"(?s:..){0,100}?(?:\0[\t\r\n -~]){4}"), "utf-16-be"),
]
BASE64 = re.compile(rb"(?:data:[^,]{0,100};base64,)?(?P<text>[A-Za-z0-9+/]{40,76})")
PRINTABLE = re.compile(rb"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")


def known_format(data: bytes) -> Format | None:
    """The format that is no CSV which a file that begins with `data` looks like."""
    return signature_of(data) or without_mark(data) or text_format(data) or base64(data)


def signature_of(data: bytes) -> Format | None:
    for signature, known in SIGNATURES.items():
        if data.startswith(signature):
            return known
    return Format("a tar archive", UNPACKED) if TAR.match(data) else None


def without_mark(data: bytes) -> Format | None:
    """Text in an encoding of which each ASCII character holds NULs."""
    for pattern, encoding in WITHOUT_MARK:
        if pattern.match(data):
            name = f"{encoding.upper()} text without a byte order mark"
            return Format(name, f"Name its encoding, {encoding}, in the option encoding")
    return None


def text_format(data: bytes) -> Format | None:
    begin = data[:4096].replace(b"\xef\xbb\xbf", b"").lstrip()
    return next((known for pattern, known in TEXTS if pattern.match(begin)), None)


def base64(data: bytes) -> Format | None:
    """Base64 of a known format or of text."""
    match = BASE64.match(data)
    if match is None:
        return None
    text = match["text"][: len(match["text"]) // 4 * 4]
    decoded = binascii.a2b_base64(text)
    known = signature_of(decoded) or text_format(decoded)
    packed = packed_in(decoded)
    if packed is not None:
        known = Format(f"packed data ({packed})", UNPACKED)
    is_text = PRINTABLE.fullmatch(decoded) and is_utf8(decoded, is_whole=False)
    if known is None and not is_text:
        return None
    name = "text" if known is None else known.name
    return Format(f"base64 of {name}", "Decode it, and upload what comes out")


def is_utf8(text: bytes, *, is_whole: bool) -> bool:
    """Whether this is UTF-8; of a text that is not whole the last character may be cut off."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True
