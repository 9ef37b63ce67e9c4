"""Files full of everything that the data contract speaks of, for property tests."""

from typing import Any

from hypothesis import strategies as st

SONGS = [
    b"Hello",
    b"hello",
    b"A",
    b"B",
    b"Ab",
    b'12" Mix',
    b"a\rb",
    b"\xc3\x89t\xc3\xa9",
    b"\xff\xfe",
    b"x\0y",
    b"\xe2\x82",
    b"\xf0\x9f\x8e\xb5",
    b"\xed\xa0\x80",
    b" pad ",
    b"",
    b"Song with a longer name than eight bytes",
    b"Song with a longer name than eight byteS",
    b"abcdefgh",
    b"abcdefghi",
    b"abcdefg",
    b"z" * 254,
    b"z" * 255,
    b"z" * 300,
    b"y" * 3000,
    b"\x7f",
    b"\x1f",
    b"\t",
    b"\xc3\xa9 semi;colon|pipe",
    b"tab\tbed",
]
QUOTED = [
    b'"Hello"',
    b'"a,b"',
    b'"a""b"',
    b'"a\nb"',
    b'"a\r\nb"',
    b'"\n\n"',
    b'""',
    b'"""',
    b'"open',
    b'"x"tail',
    b'"x" "y"',
    b'"Hello" ',
    b'"x"  tail',
    b'"x" \r',
    b'"x""',
    b'"q\rq"',
    b'"5"',
    b'"2020-01-01"',
    b'"a""\n""b"',
    b'"x"\r',
    b'"\0"',
    b'"\xff"',
    b'"\xef\xbb\xbf"',
    b'"\xef\xbb\xbfa"',
    b'"x"y"z"',
    b'"\r"',
]
DATES = [
    b"2020-01-01",
    b"2020-02-29",
    b"2021-02-29",
    b"2020-1-1",
    b"2020-01-01T10:00:00Z",
    b"2020-01-01 23:59",
    b"0001-01-01",
    b"0000-01-01",
    b"9999-12-31",
    b"2020-12-31t00:00:60.5+01:30",
    b" 2020-01-01",
    b"2020-01-01 ",
    b"2020-13-01",
    b"2020-00-10",
    b"2020-01-00",
    b"2020-01-32",
    b"2020/01/01",
    b"",
    b"2020-01-01T24",
    b"2020-01-01T10+0100",
    b"2020-01-01T10-01",
    b"1900-02-29",
    b"2000-02-29",
    b"2020-01-01T10:00:00,",
    b"2020-01-01T10:00:00,123",
    b"202a-01-01",
    b"2020-01-01T10:0",
    b"2020-01-01z",
    b"2020-01-01T10+",
    b"2020-01-01T10:00+01:",
    b"2020-06-15",
    b"2020-06-16",
    b"2020-06-17",
    b"\xb2020-01-01",
    b"2020-01-01 10:00:00 UTC",
    b"2020-01-01T10:00 +0000",
    b"2020-01-01T10:00Z[UTC]",
    b"2020-01-01 10:00[Europe/Berlin]",
    b"2020-01-01T10:00:00.5-03[Etc/GMT+3] ",
    b"2020-01-01 UTC",
    b"2020-01-01T10:00UTC",
    b"2020-01-01T10:00 Z",
    b"2020-01-01T10:00[]",
    b"2020-01-01T10:00[a b]",
    b"2020-01-01T10:00 UTC[x]y]",
    b"  2020-01-01  ",
]
# Dates in other formats, by the option `date_format`: good ones, and some that are not.
OTHER_DATES = {
    "dmy": [b"1.2.2020", b"01/02/2020", b"31-12-2019", b"01022020", b" 1/2/2020 10:00 UTC"],
    "mdy": [b"2/1/2020", b"02.01.2020", b"12-31-2019", b"02012020", b"2/1/2020T10:00Z "],
    "ymd": [b"2020/2/1", b"2020.02.01", b"2019-12-31", b"20200201", b"2020-1-1 10"],
    "epoch": [b"0", b"1577836800", b" -1 ", b"1577836800.5", b"-86400", b"-86400.5", b"0000001"],
    "epoch_ms": [b"0", b"1577836800000", b"-1", b"-86400000.0", b"1577836800999.999"],
}
ODD_DATES = [
    *(
        b"1/2-2020",
        b"1/2/20",
        b"32.1.2020",
        b"0.1.2020",
        b"1.13.2020",
        b"1//2020",
        b"1/2",
        b"1",
        b"",
    ),
    *(
        b"001/2/2020",
        b"29.2.2021",
        b"2020-13-01",
        b"20201301",
        b"1.2.2020x",
        b"1 2 2020",
        b"1/2/2020 ",
    ),
    *(
        b"-",
        b"1.",
        b".5",
        b"253402300800",
        b"-62135596801",
        b"-62135596800",
        b"9" * 40,
        b"1e9",
        b"+1",
    ),
    *(
        b"253402300799",
        b"253402300800000",
        b"1577836800.",
        b"2020-01-01",
        b"1.2.2020T24",
        b"12-12-2020-",
    ),
]
PLAYS = [
    b"1",
    b"0",
    b"5",
    b"12345678",
    b"123456789",
    b"4294967295",
    b"4294967296",
    b"2199023255551",
    b"2199023255552",
    b"9223372036854775807",
    b"9223372036854775808",
    b"99999999999999999999999",
    b"007",
    b"0000000000000000000000000000000001",
    b"  8  ",
    b"8.0",
    b"8.00",
    b"8.",
    b".0",
    b"8.01",
    b"8.000",
    b"1.0000",
    b"1234.000",
    b"-1",
    b"-0",
    b"- 1",
    b"-1.0",
    b" -5 ",
    b"+1",
    b"",
    b" ",
    b"1e3",
    b"1 2",
    b"\xd9\xa1",
    b"1\r",
    b"1.0 ",
    b"1 .0",
    b"-",
    b"1-",
    b"2147483648",
    b"18446744073709551616",
    b"18446744073709551615",
    b"-99999999999999999999",
    b"\t1",
]
# Counts with marks between groups of digits, by the option `thousands`.
GROUPED_PLAYS = {
    ",": [b'"1,234"', b'"12,345,678"', b'"1,234.0"', b'"-1,234"', b"1", b'"1,000"'],
    ".": [b"1.234", b"1.000", b"12.345.678", b"-1.234", b"1", b"0.000"],
    "'": [b"1'234", b"12'345'678", b"1'234.00", b"-1'234", b"1"],
    "space": [b"1 234", b"1\xc2\xa0234", b"1\xe2\x80\xaf234 567", b"-1 234", b" 1 234.0 ", b"1"],
}
ODD_GROUPS = [
    *(
        b'"1,23"',
        b'"1234,567"',
        b'",123"',
        b'"1,234,"',
        b'"1,,234"',
        b"1.23",
        b"1.2345",
        b".123",
        b"1..234",
    ),
    *(
        b"1.234.000",
        b'"1,234.000"',
        b"1'23",
        b"1''234",
        b"1  234",
        b"1 2345",
        b"1\t234",
        b"1\xc2",
        b"1\xe2\x80",
    ),
    *(b"9.223.372.036.854.775.808", b'"9,223,372,036,854,775,807"', b"1 234'567", b"1\xa0234"),
]
GOOD_PLAYS = [
    b"1",
    b"2",
    b"30",
    b"400",
    b"5000",
    b"0",
    b"12345678",
    b"123456789012",
    b"9223372036854775807",
]
LINE_ENDS = [
    *(b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n", b"\n\n", b"\r", b"\n\r\n", b"\r\r\r\n"),
    *(b"\n\xef\xbb\xbf", b"\n\xef\xbb\xbf\xef\xbb\xbf", b"\n\xef\xbb\xbf\n", b"\n\n\n"),
]

songs = st.one_of(
    st.sampled_from(SONGS[:12]),
    st.sampled_from(SONGS),
    st.sampled_from(QUOTED),
    st.binary(max_size=12),
    st.text(max_size=6).map(lambda text: text.encode("utf-8", "replace")),
    st.integers(0, 60).map(lambda number: b"Track %d" % number),
)
dates = st.one_of(
    st.sampled_from(DATES[:2]),
    st.sampled_from(DATES),
    st.sampled_from(QUOTED),
    st.integers(1, 28).map(lambda day: b"2020-03-%02d" % day),
)
plays = st.one_of(st.sampled_from(GOOD_PLAYS), st.sampled_from(PLAYS), st.sampled_from(QUOTED))
CLEAN_SONGS = [
    *(b"Hello", b"Ab", b"Track 9", b"Track 10", b"\xc3\x89t\xc3\xa9", b'"a,b"', b'"a\nb"', b'"A" '),
]
# Fields of columns that nobody reads.
UNREAD = [b"", b"e", b'"n\nl"', b'"' + b"x" * 70 + b'"', b'"x"y', b"r\rr", b'"a""b" ', b"\xff\0"]
NAMES = {
    "song_column": [
        b"Song",
        b"SONG",
        b" s-o_n g ",
        b'"Song"',
        b"\xe2\x80\x8bSo\xc2\xa0ng",
        b'"So\nng"',
    ],
    "date_column": [b"Date", b"date", b'"D ate"', b"\xef\xbc\xa4ate"],
    "plays_column": [
        b"Number of Plays",
        b"NUMBER_OF_PLAYS",
        b'"number-of-plays"',
        b"Numbero f\tPlays",
    ],
    "artist_column": [b"Artist", b"artist "],
    "isrc_column": [b"ISRC", b"i s r c"],
    "territory_column": [b"Territory", b"territory"],
    "service_column": [b"Service", b'"SERVICE"'],
}
OTHER_NAMES = {
    "song_column": [b"T\xc3\xadtulo", b"t\xc3\x8dtulo", b"Ti\xcc\x81tulo"],
    "date_column": [b"Day", b'"da-y"'],
    "plays_column": [b"Song", b"so_ng"],
    "artist_column": [b"Band"],
    "isrc_column": [b"Code"],
    "territory_column": [b"Land"],
    "service_column": [b"Shop"],
}
OTHER_OPTIONS = {
    "song_column": "t\u00edtulo",
    "date_column": "DAY",
    "plays_column": "S o_n-g",
    "artist_column": "BAND",
    "isrc_column": "code",
    "territory_column": "land",
    "service_column": "shop",
}
KEYS = [
    *["song"] * 14,
    *(
        "artist,song",
        "song,artist",
        "isrc",
        "song, territory",
        "artist,isrc",
        "service,song,artist",
    ),
    "territory,service,artist,isrc,song",
]
BEFORE_THE_HEADER = [
    *[b""] * 60,
    *(b"\n\n", b"\r\n", b'"open\n', b',"open\n\n', b'x;"open\n', b"\xef\xbb\xbf", b"\r\r\n"),
    *(
        b'"x"tail\n',
        b'"a" ,"b"c\n\n',
        b"sep=,\n",
        b"sep=;\r\n",
        b'"SEP=|"\n',
        b"sep=\t\n",
        b"sep=-\n",
        b"sep=;;\n",
    ),
]
PREAMBLES = [
    b"Report\n",
    b"Period:,2020\n\n",
    b'"open\n',
    b"\r\n\r\n",
    b"x\r\r\n",
    b"\xef\xbb\xbf\n",
]
LAST_LINES = [b"Last,2020-01-01,5", b"Last,2020-01-01,5\r", b"\r", b'"', b'"open\nm', b"x", b'a,"b']
# Little more than a header, or not even that.
ODD_FILES = [
    *(b"", b"\n\r\n", b"\xef\xbb\xbf\n", b"\r", b'"open\n', b"PK\x03\x04,", b"a\0b\n", b"\xffa\n"),
    *(b"Song,Date,Number of Plays", b"Song;Date\n", b"a,2020-01-01,1", b"Song|Date|x,y,z,w\n"),
    *(b"Song,Date,date,Number of Plays\n", b'"\xc3"\xa9,x\n', b"x,2020-01-01,-1\n", b"\n" * 400),
    *(
        b"a,2020-01-01",
        b"a,2020-01-01,1,,\n",
        b"sep=;\n",
        b"sep=;\na;2020-01-01;1\n",
        b"\xef\xbb\xbf\r\r",
    ),
    *(b"Song,Date,Number of Plays\rA,2020-01-01,1\r\rB,x,1", b"Song,Date,Number of Plays\n\n\r\n"),
    *(
        b"\xef\xbb\xbf\xef\xbb\xbfSong,Date,Number of Plays\n\xef\xbb\xbf",
        b'"Song"x,Date,Number of Plays\n',
    ),
    b"Song,Date,Number of Plays,x;Song;Date;Number of Plays\na,2020-01-01,1\nx;a;2020-01-01;1\n",
]
# The option `encoding`, and how the text is written; None leaves the bytes as they are.
ENCODINGS = [
    *[(None, None)] * 15,
    *[(None, "utf-8-sig"), (None, "utf-16"), (None, "utf-32"), ("utf-8", None)],
    *[("utf-16", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32-le")],
    *[("latin-1", "utf-16"), ("latin-1", "utf-8-sig"), ("utf-16", "utf-8-sig"), ("gbk", "gbk")],
    *[("utf-16", None), ("ascii", None), ("latin-1", None), ("cp1252", None)],
]


def rare(most: int) -> st.SearchStrategy[int]:
    """0, and now and then a number up to `most`."""
    return st.sampled_from([0] * 15 * most + list(range(1, most + 1)))


@st.composite
def headers(draw: st.DrawFn, names: dict[str, list[bytes]], roles: list[str]) -> list[bytes]:
    """The fields of a header, mostly a good one."""
    found = [draw(st.sampled_from(names[f"{role}_column"])) for role in roles]
    found += draw(
        st.sampled_from([[], [], [], [b"x"], [b"x", b"x"], [b"\xc3\xa9", b'"n\nl"'], [b""]])
    )
    change = draw(rare(3))
    if change == 1:
        found = found[1:]
    elif change == 2:
        found = [*found, found[0]]
    elif change == 3:
        found = [*found, draw(st.sampled_from([b"\xff", b"\0", b'"open', b"y" * 200, b"a\rb"]))]
    return found


def values(options: dict[str, Any]) -> st.SearchStrategy[dict[str, bytes]]:
    """A row's fields by their roles, good and bad, as the options have them."""
    good_dates: st.SearchStrategy[bytes] = st.integers(1, 28).map(lambda day: b"2020-03-%02d" % day)
    all_dates = dates
    if options.get("date_format") in OTHER_DATES:
        good_dates = st.sampled_from(OTHER_DATES[options["date_format"]])
        all_dates = st.one_of(good_dates, st.sampled_from(ODD_DATES))
    good_plays, all_plays = st.sampled_from(GOOD_PLAYS), plays
    if "thousands" in options:
        good_plays = st.sampled_from(GROUPED_PLAYS[options["thousands"]])
        all_plays = st.one_of(good_plays, st.sampled_from(ODD_GROUPS), plays)
    other = st.sampled_from(
        [b"x", b"y", b"", b'"a,b"', b"DE", b"\xc3\xa9", b"\xff", b'"q""q"', b"\0"]
    )
    few = st.sampled_from([b"x", b"y", b"DE", b"\xc3\xa9", b'"a,b"'])
    others = ("artist", "isrc", "territory", "service")
    clean = {"song": st.sampled_from(CLEAN_SONGS), "date": good_dates, "plays": good_plays}
    any_row = {"song": songs, "date": all_dates, "plays": all_plays}
    return st.one_of(
        st.fixed_dictionaries(clean | dict.fromkeys(others, few)),
        st.fixed_dictionaries(any_row | dict.fromkeys(others, other)),
    )


@st.composite
def files(
    draw: st.DrawFn, names: dict[str, list[bytes]], delimiter: bytes, options: dict[str, Any]
) -> bytes:
    """A whole file: a header or none, and rows, good and bad."""
    has_header = not draw(rare(1))
    roles = [role.strip() for role in options.get("group_by", "song").split(",")] + ["date"]
    roles += ["plays"] if draw(st.integers(0, 9)) or "plays" not in options else []
    if has_header and draw(st.booleans()):
        roles = draw(st.permutations(roles))
    header = draw(headers(names, roles)) if has_header else []
    before, number = b"", options.get("header_line")
    for _ in range(number - 1 if number else 0):
        before += draw(st.sampled_from(PREAMBLES))
    out = [before, draw(st.sampled_from(BEFORE_THE_HEADER))]
    top = delimiter.join(header)
    if has_header:
        out += [top, draw(st.sampled_from([b"\n", b"\r\n", b"\r\r\n"]))]
    count = draw(st.sampled_from([0, 5, 30]))
    for row in draw(st.lists(values(options), min_size=count, max_size=60)):
        fields = [row[role] for role in roles]
        fields += [draw(st.sampled_from(UNREAD)) for _ in header[len(roles) :]]
        change = draw(rare(6))
        if change == 1:
            fields = fields[:-1]
        elif change == 2:
            fields = [*fields, b"more"]
        elif change == 3:
            fields = fields[:1]
        elif change == 4:
            fields = [*fields, b"", draw(st.sampled_from([b"", b'""', b" "]))]
        elif change == 5:
            fields = [top]
        elif change == 6:
            fields = [b" " + field for field in fields]
        out += [delimiter.join(fields), draw(st.sampled_from(LINE_ENDS))]
    if draw(st.booleans()):
        out.append(draw(st.sampled_from(LAST_LINES)))
    text = b"".join(out)
    # Old line ends, now and then with some of another kind behind.
    return text.replace(b"\n", b"\r") if draw(rare(1)) else text


def others(draw: st.DrawFn) -> dict[str, Any]:
    """Options that say how values and lines are read, few of them at a time."""
    found: dict[str, Any] = {}
    if draw(rare(1)) or draw(rare(1)):
        found["date_format"] = draw(st.sampled_from(["iso", *OTHER_DATES]))
    if draw(rare(1)) or draw(rare(1)):
        found["thousands"] = draw(st.sampled_from(list(GROUPED_PLAYS)))
    if draw(rare(1)):
        found["quoting"] = draw(st.sampled_from(["csv", "none"]))
    if draw(rare(1)):
        found["header_line"] = draw(st.integers(1, 4))
    if draw(rare(1)):
        found["plays"] = draw(st.sampled_from(["one", "one", "column"]))
    key = draw(st.sampled_from(KEYS))
    return found if key == "song" else found | {"group_by": key}


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[bytes], dict[str, Any]]:
    """The inputs of a run, mostly one, and its options."""
    names, columns = draw(st.sampled_from([(NAMES, {})] * 9 + [(OTHER_NAMES, OTHER_OPTIONS)]))
    delimiter = draw(st.sampled_from([b",", b",", b",", b";", b"\t", b"|"]))
    chosen = draw(st.sampled_from([None] * 12 + [b",", b";", b"^", b"\x01", b"tab", b"\\t"]))
    if chosen is not None:
        named = b"\t" if chosen in (b"tab", b"\\t") else chosen
        delimiter = draw(st.sampled_from([named] * 5 + [delimiter]))
    encoding, written = draw(st.sampled_from(ENCODINGS))
    found = others(draw)
    options = {
        **columns,
        **found,
        "delimiter": chosen and chosen.decode(),
        "encoding": encoding,
        "strict": draw(rare(1)) == 1,
    }
    one = files(names, delimiter, found)
    inputs = [
        draw(st.sampled_from(ODD_FILES)) if draw(rare(1)) else draw(one)
        for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3])))
    ]
    if written is not None:
        inputs = [data.decode("utf-8", "replace").encode(written, "replace") for data in inputs]
    cut = draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
    return [data[: len(data) - cut] for data in inputs], options


limits = st.fixed_dictionaries(
    {
        "block_bytes": st.one_of(
            st.integers(11, 40), st.integers(41, 400), st.sampled_from([1000, 100_000])
        ),
        "threads": st.sampled_from([1, 2, 4]),
        "memory_budget_bytes": st.sampled_from([1, 20_000, 200_000, 2**30]),
    }
)
