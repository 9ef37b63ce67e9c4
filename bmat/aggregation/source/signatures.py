"""What an input is packed in, told by its first bytes, never by its name."""

import re

# So many bytes show every signature, and every byte order mark.
SIGNATURE_BYTES = 16

GZIP, ZSTANDARD, BZIP2, XZ = "gzip archive", "Zstandard archive", "bzip2 archive", "xz archive"
ZIP, OFFICE = "ZIP archive", "old Office document"
# By the name of the format, as a person calls it, how its files begin.
SIGNATURES = {
    GZIP: re.compile(rb"\x1f\x8b\x08"),
    # A frame; or one to be skipped, as some programs write first.
    ZSTANDARD: re.compile(rb"(?s:\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18)"),
    # With the first block, or of an empty file the end.
    BZIP2: re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    XZ: re.compile(rb"\xfd7zXZ\0"),
    # With the first member; or of an archive without any, the end.
    ZIP: re.compile(rb"PK(?:\x03\x04|\x05\x06)"),
    OFFICE: re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
}


def packed_in(head: bytes) -> str | None:
    """The format of a file that begins with `head`, its first SIGNATURE_BYTES; None where it is no
    archive and no workbook.
    """
    return next((name for name, begin in SIGNATURES.items() if begin.match(head)), None)
