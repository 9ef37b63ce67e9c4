"""Files full of everything that the data contract speaks of, for property tests."""

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
GOOD_PLAYS = [b"1", b"2", b"30", b"400", b"5000", b"0", b"12345678", b"123456789012", b"4000000000"]
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


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A whole file: a header, mostly a good one, and rows, good and bad."""
    delimiter = draw(st.sampled_from([b",", b",", b",", b";", b"\t", b"|"]))
    order = draw(st.sampled_from([(0, 1, 2), (0, 1, 2), (0, 1, 2), (2, 0, 1), (1, 2, 0)]))
    extra = draw(st.sampled_from([0, 0, 0, 1, 2]))
    names = [b"Song", b"Date", b"Number of Plays"]
    head = [names[index] for index in order] + [b"x%d" % number for number in range(extra)]
    out = [draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\n\n"]))]
    out += [delimiter.join(head), draw(st.sampled_from([b"\n", b"\r\n"]))]
    for row in draw(st.lists(st.one_of(clean_rows, st.tuples(songs, dates, plays)), max_size=60)):
        fields = [row[index] for index in order] + [
            draw(st.sampled_from([b"", b"e", b'"n\nl"'])) for _ in range(extra)
        ]
        change = draw(st.integers(0, 30))
        if change == 0:
            fields = fields[:-1]
        elif change == 1:
            fields = [*fields, b"more"]
        elif change == 2:
            fields = fields[:1]
        out += [delimiter.join(fields), draw(st.sampled_from(LINE_ENDS))]
    if draw(st.booleans()):
        out.append(
            draw(
                st.sampled_from(
                    [
                        b"Last,2020-01-01,5",
                        b"\r",
                        b'"',
                        b'"open\nmore',
                        b"x",
                        b'a,"b',
                        b"Last,2020-01-01,5\r",
                    ]
                )
            )
        )
    return b"".join(out)


limits = st.fixed_dictionaries(
    {
        "block_bytes": st.one_of(
            st.integers(11, 40), st.integers(41, 400), st.sampled_from([1000, 100_000])
        ),
        "threads": st.sampled_from([1, 2, 4]),
        "memory_budget_bytes": st.sampled_from([1, 20_000, 200_000, 2**30]),
    }
)
