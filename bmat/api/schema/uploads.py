"""What an upload may hold, as far as JSON Schema can say it. A blank option counts as not given."""

from typing import Any

from bmat.api.serializers.reports import COLUMN_NAME_LENGTH

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
utf-16-le utf-32 utf-32-be utf-32-le utf-8 utf-8-sig
""".split()

Schema = dict[str, Any]
# A form and an address hold text: these are read as yes and no, in capitals too.
SWITCH: Schema = {
    "type": "string",
    "enum": "true false 1 0 yes no on off t f y n".split(),
}


def column(default: str) -> Schema:
    """The name of a column of the file's header. Not only what does not count in it, and no NUL."""
    return {
        "type": "string",
        "maxLength": COLUMN_NAME_LENGTH,
        "pattern": r"^(?!\s*[_-]([ _-]*[_-])?\s*$)[^\x00]*$",
        "default": default,
        "description": "Its name in the header, without case, spaces, `_` and `-`. The three names "
        "are different ones.",
    }


UPLOAD: Schema = {
    "type": "object",
    "required": ["input_file"],
    "properties": {
        "input_file": {
            "type": "string",
            "format": "binary",
            "description": "The CSV: one file, and not an empty one.",
        },
        "song_column": column("Song"),
        "date_column": column("Date"),
        "plays_column": column("Number of Plays"),
        "delimiter": {
            "type": "string",
            "pattern": r"^[\x01-\x09\x0b\x0c\x0e-\x1f!#-&(-*,/;-@\[-`{-\x7f]?$",
            "default": "",
            "description": "One ASCII character that no date or count holds: no letter, digit, "
            "space, quote, line end, `-` `+` `.` or `:`. Else it is read off the header.",
        },
        "encoding": {
            "type": "string",
            "enum": ["", *NAMES],
            "description": "Python's name of it; most have others, too. Else UTF-8, or what a byte "
            "order mark says.",
        },
        "strict": {
            **SWITCH,
            "default": "false",
            "description": "Fail at the first row that cannot be counted.",
        },
    },
}
