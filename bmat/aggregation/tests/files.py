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
    b'"x""',
    b'"q\rq"',
    b'"5"',
    b'"2020-01-01"',
    b'"a""\n""b"',
    b'"x"\r',
    b'"\0"',
    b'"\xff"',
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
LINE_ENDS = [b"\n", b"\n", b"\n", b"\r\n", b"\r\r\n", b"\n\n", b"\r", b"\n\r\n"]

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
clean_rows = st.tuples(
    st.sampled_from(
        [b"Hello", b"Ab", b"Track 9", b"Track 10", b"\xc3\x89t\xc3\xa9", b'"a,b"', b'"a\nb"']
    ),
    st.integers(1, 28).map(lambda day: b"2020-03-%02d" % day),
    st.sampled_from(GOOD_PLAYS),
)


NAMES = {
    "song_column": [b"Song", b"SONG", b" s-o_n g ", b'"Song"'],
    "date_column": [b"Date", b"date", b'"D ate"'],
    "plays_column": [b"Number of Plays", b"NUMBER_OF_PLAYS", b'"number-of-plays"'],
}
OTHER_NAMES = {
    "song_column": [b"T\xc3\xadtulo", b"t\xc3\x8dtulo"],
    "date_column": [b"Day", b'"da-y"'],
    "plays_column": [b"Song", b"so_ng"],
}
OTHER_OPTIONS = {"song_column": "t\u00edtulo", "date_column": "DAY", "plays_column": "S o_n-g"}
ORDERS = [(0, 1, 2), (0, 1, 2), (0, 1, 2), (2, 0, 1), (1, 2, 0)]
BEFORE_THE_HEADER = [*[b""] * 60, b"\n\n", b"\r\n", b'"open\n', b',"open\n\n', b'x;"open\n']
LAST_LINES = [b"Last,2020-01-01,5", b"Last,2020-01-01,5\r", b"\r", b'"', b'"open\nm', b"x", b'a,"b']
# Little more than a header, or not even that.
ODD_FILES = [
    *(b"", b"\n\r\n", b"\xef\xbb\xbf\n", b"\r", b'"open\n', b"PK\x03\x04,", b"a\0b\n", b"\xffa\n"),
    *(b"Song,Date,Number of Plays", b"Song;Date\n", b"a,2020-01-01,1", b"Song|Date|x,y,z,w\n"),
    *(b"Song,Date,date,Number of Plays\n", b'"\xc3"\xa9,x\n', b"x,2020-01-01,-1\n", b"\n" * 400),
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
def headers(draw: st.DrawFn, names: dict[str, list[bytes]], order: tuple[int, ...]) -> list[bytes]:
    """The fields of a header, mostly a good one."""
    found = [draw(st.sampled_from(list(names.values())[index])) for index in order]
    found += draw(st.sampled_from([[], [], [], [b"x"], [b"x", b"x"], [b"\xc3\xa9", b'"n\nl"']]))
    change = draw(rare(3))
    if change == 1:
        found = found[1:]
    elif change == 2:
        found = [*found, found[0]]
    elif change == 3:
        found = [*found, draw(st.sampled_from([b"\xff", b"\0", b'"open', b"y" * 200]))]
    return found


@st.composite
def files(draw: st.DrawFn, names: dict[str, list[bytes]], delimiter: bytes) -> bytes:
    """A whole file: a header or none, and rows, good and bad."""
    has_header = not draw(rare(1))
    order = draw(st.sampled_from(ORDERS)) if has_header else ORDERS[0]
    header = draw(headers(names, order)) if has_header else []
    out = [draw(st.sampled_from(BEFORE_THE_HEADER))]
    if has_header:
        out += [delimiter.join(header), draw(st.sampled_from([b"\n", b"\r\n"]))]
    rows = st.one_of(clean_rows, st.tuples(songs, dates, plays))
    for row in draw(st.lists(rows, min_size=draw(st.sampled_from([0, 5, 30])), max_size=60)):
        fields = [row[index] for index in order]
        fields += [draw(st.sampled_from([b"", b"e", b'"n\nl"'])) for _ in header[3:]]
        change = draw(rare(3))
        if change == 1:
            fields = fields[:-1]
        elif change == 2:
            fields = [*fields, b"more"]
        elif change == 3:
            fields = fields[:1]
        out += [delimiter.join(fields), draw(st.sampled_from(LINE_ENDS))]
    if draw(st.booleans()):
        out.append(draw(st.sampled_from(LAST_LINES)))
    return b"".join(out)


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[bytes], dict[str, Any]]:
    """The inputs of a run, mostly one, and its options."""
    names, columns = draw(st.sampled_from([(NAMES, {})] * 9 + [(OTHER_NAMES, OTHER_OPTIONS)]))
    delimiter = draw(st.sampled_from([b",", b",", b",", b";", b"\t", b"|"]))
    chosen = draw(st.sampled_from([None] * 12 + [b",", b";", b"^", b"\x01"]))
    if chosen is not None:
        delimiter = draw(st.sampled_from([chosen] * 5 + [delimiter]))
    encoding, written = draw(st.sampled_from(ENCODINGS))
    options = {
        **columns,
        "delimiter": chosen and chosen.decode(),
        "encoding": encoding,
        "strict": draw(rare(1)) == 1,
    }
    one = files(names, delimiter)
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
