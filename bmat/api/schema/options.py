"""What the options of an upload may hold, as far as a schema can say it."""

from typing import Any

# Not only spaces, `_` and `-`, which do not count in a column's name; or empty: not given.
COLUMN: dict[str, Any] = {
    "type": "string",
    "maxLength": 200,
    "pattern": r"^$|^[^\x00]*[^\x00\s_-][^\x00]*$",
}
# One ASCII character but a quote, a line end or NUL; or empty.
DELIMITER: dict[str, Any] = {
    "type": "string",
    "pattern": r"^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7f]?$",
    "examples": [",", ";", "|"],
}
# The text encodings of Python, under their own names; it knows others for most of them.
# https://docs.python.org/3/library/codecs.html#standard-encodings
NAMES = """
ascii big5 big5hkscs cp037 cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255
cp1256 cp1257 cp1258 cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858
cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950 euc_jis_2004
euc_jisx0213 euc_jp euc_kr gb18030 gb2312 gbk hp-roman8 hz iso2022_jp iso2022_jp_1 iso2022_jp_2
iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr iso8859-1 iso8859-10 iso8859-11 iso8859-13
iso8859-14 iso8859-15 iso8859-16 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7
iso8859-8 iso8859-9 johab koi8-r koi8-t koi8-u kz1048 mac-cyrillic mac-greek mac-iceland mac-latin2
mac-roman mac-turkish ptcp154 shift_jis shift_jis_2004 shift_jisx0213 tis-620 utf-16 utf-16-be
utf-16-le utf-32 utf-32-be utf-32-le utf-7 utf-8 utf-8-sig
""".split()
ENCODING: dict[str, Any] = {"type": "string", "enum": ["", *NAMES]}
