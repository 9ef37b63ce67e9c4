"""Files full of everything that the data contract speaks of, for property tests.

Four runs of five are sound: nothing but single records stands against their totals, so that each
value of each option is followed to the end. In the others anything may be wrong.
"""

from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from bmat.aggregation.options import BOUNDS, Bounds
from bmat.aggregation.tests.pieces import (
    BEFORE_THE_HEADER,
    CLEAN_SONGS,
    DATES,
    EMPTY_FILES,
    GOOD_PLAYS,
    GROUPED_PLAYS,
    KEYS,
    LAST_LINES,
    LINE_ENDS,
    NAMES,
    ODD_DATES,
    ODD_ENCODINGS,
    ODD_FILES,
    ODD_GROUPS,
    OTHER_DATES,
    OTHER_FORMATS,
    OTHER_NAMES,
    OTHER_OPTIONS,
    PLAYS,
    PREAMBLES,
    QUOTED,
    SONGS,
    SOUND_ENCODINGS,
    UNREAD,
)

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
# Of columns that most runs do not read.
few_others = [b"x", b"y", b"DE", b"\xc3\xa9", b'"a,b"']
all_others = [b"x", b"y", b"", b'"a,b"', b"DE", b"\xc3\xa9", b"\xff", b'"q""q"', b"\0"]
clean_unread, all_unread = st.sampled_from([b"", b"e"]), st.sampled_from(UNREAD)
clean_end, all_ends = st.sampled_from([b"\n", b"\r\n", b"\n\n"]), st.sampled_from(LINE_ENDS)
OTHER_ROLES = ("artist", "isrc", "territory", "service")


class Plan(NamedTuple):
    """How the files of a run are drawn: for its `options`, with these `names` of columns, this
    `delimiter`, in the encoding `written` (None: UTF-8, or any bytes).
    """

    is_sound: bool
    options: dict[str, Any]
    names: dict[str, list[bytes]]
    delimiter: bytes
    written: str | None

    @property
    def is_quoted(self) -> bool:
        return self.options.get("quoting") != "none"

    @property
    def has_clean_rows(self) -> bool:
        """Whether no record may be rejected."""
        return self.is_sound and bool(self.options["strict"])

    def keeps(self, text: bytes) -> bool:
        """Whether `text` is read as one field, and as it is meant."""
        if not (self.is_quoted and text[:1] == b'"'):
            if any(byte in text for byte in (self.delimiter, b'"', b"\n")):
                return False
        if self.written is None:
            return self.options["encoding"] in (None, "utf-8") or text.isascii()
        return text.decode().encode(self.written, "ignore").decode(self.written) == text.decode()

    def one_of(self, texts: list[bytes]) -> st.SearchStrategy[bytes]:
        """One of the texts; in a sound run one that is kept, if there is any."""
        return st.sampled_from(list(filter(self.keeps, texts)) or texts if self.is_sound else texts)


@cache
def rare(most: int) -> st.SearchStrategy[int]:
    """0, and now and then a number up to `most`."""
    return st.sampled_from([0] * 15 * most + list(range(1, most + 1)))


@st.composite
def headers(draw: st.DrawFn, plan: Plan, roles: list[str]) -> list[bytes]:
    """The fields of a header, mostly a good one."""
    found = [draw(plan.one_of(plan.names[f"{role}_column"])) for role in roles]
    more = draw(
        st.sampled_from([[], [], [], [b"x"], [b"x", b"x"], [b"\xc3\xa9", b'"n\nl"'], [b""]])
    )
    if plan.is_sound:
        return found + list(filter(plan.keeps, more))
    change = draw(st.sampled_from([0, 0, 0, 0, 1, 2, 2, 3]))
    if change == 1:
        return found[1:] + more
    if change == 2:
        return [*found, *more, found[0]]
    odd = [b"\xff", b"\0", b'"open', b"y" * 200, b"a\rb"]
    return found + more + ([draw(st.sampled_from(odd))] if change == 3 else [])


def clean_rows(plan: Plan, roles: list[str]) -> st.SearchStrategy[list[bytes]]:
    """A row's fields of these roles, as the options have them."""
    good_dates: st.SearchStrategy[bytes] = st.integers(1, 28).map(lambda day: b"2020-03-%02d" % day)
    if plan.options.get("date_format") in OTHER_DATES:
        good_dates = plan.one_of(OTHER_DATES[plan.options["date_format"]])
    good_plays = GROUPED_PLAYS.get(plan.options.get("thousands", ""), GOOD_PLAYS)
    others = dict.fromkeys(OTHER_ROLES, plan.one_of(few_others))
    clean = {"song": plan.one_of(CLEAN_SONGS), "date": good_dates, "plays": plan.one_of(good_plays)}
    return st.tuples(*((clean | others)[role] for role in roles)).map(list)


def any_rows(plan: Plan, roles: list[str]) -> st.SearchStrategy[list[bytes]]:
    """A row's fields of these roles, good and bad."""
    all_dates, all_plays = dates, plays
    if plan.options.get("date_format") in OTHER_DATES:
        good_dates = st.sampled_from(OTHER_DATES[plan.options["date_format"]])
        all_dates = st.one_of(good_dates, st.sampled_from(ODD_DATES))
    if "thousands" in plan.options:
        good_plays = st.sampled_from(GROUPED_PLAYS[plan.options["thousands"]])
        all_plays = st.one_of(good_plays, st.sampled_from(ODD_GROUPS), plays)
    others = dict.fromkeys(OTHER_ROLES, st.sampled_from(all_others))
    odd = {"song": songs, "date": all_dates, "plays": all_plays} | others
    odd_rows = st.tuples(*(odd[role] for role in roles)).map(list)
    return st.one_of(clean_rows(plan, roles), odd_rows)


@st.composite
def before_the_header(draw: st.DrawFn, plan: Plan) -> bytes:
    """What stands there; where the options name the header's line, as many lines as it takes."""
    lines = (plan.options.get("header_line") or 1) - 1
    if not plan.is_sound:
        preambles = [draw(st.sampled_from(PREAMBLES)) for _ in range(lines)]
        return b"".join(preambles) + draw(st.sampled_from(BEFORE_THE_HEADER))
    if "header_line" in plan.options:
        one_line = [text for text in PREAMBLES if text.count(b"\n") == 1 and b"\r" not in text]
        return b"".join(draw(st.sampled_from(one_line)) for _ in range(lines))
    delimiter = plan.delimiter
    some = [b"\n\n", b"\r\n", b"\xef\xbb\xbf", b"\r\r\n", b"sep=%s\n" % delimiter]
    if plan.is_quoted:
        some += [b'"open\n', b'"x"tail\n', b'"a" %s"b"c\n\n' % delimiter]
    return draw(st.sampled_from([b""] * 40 + some))


@st.composite
def rows_of(draw: st.DrawFn, plan: Plan, roles: list[str], header: list[bytes]) -> list[bytes]:
    """The rows of a file, each in front of its line end."""
    if plan.has_clean_rows:
        one, unread, end = clean_rows(plan, roles), clean_unread, clean_end
    else:
        one, unread, end = any_rows(plan, roles), all_unread, all_ends
    count, out = draw(st.sampled_from([0, 5, 30])), list[bytes]()
    if not header and plan.is_sound:
        out += [plan.delimiter.join(draw(clean_rows(plan, roles))), b"\n"]
    for fields in draw(st.lists(one, min_size=count, max_size=60)):
        fields += [draw(unread) for _ in header[len(roles) :]]
        change = 0 if plan.has_clean_rows else draw(rare(6))
        if change == 1:
            fields = fields[:-1]
        elif change == 2:
            fields = [*fields, b"more"]
        elif change == 3:
            fields = fields[:1]
        elif change == 4:
            fields = [*fields, b"", draw(st.sampled_from([b"", b'""', b" "]))]
        elif change == 5:
            fields = header
        elif change == 6:
            fields = [b" " + field for field in fields]
        out += [plan.delimiter.join(fields), draw(end)]
    return out


@st.composite
def files(draw: st.DrawFn, plan: Plan) -> bytes:
    """A whole file: a header or none, and rows, good and bad."""
    options = plan.options
    key = options.get("group_by", "song")
    needs_header = plan.is_sound and (key != "song" or "header_line" in options)
    has_header = needs_header or not draw(rare(1))
    roles = [role.strip() for role in key.split(",")] + ["date"]
    has_plays = "plays" not in options or draw(st.integers(0, 9)) > 0
    if plan.is_sound:
        is_one = options.get("plays") == "one"
        has_plays = not is_one or (has_plays and has_header)
    roles += ["plays"] if has_plays else []
    if has_header and draw(st.booleans()):
        roles = draw(st.permutations(roles))
    header = draw(headers(plan, roles)) if has_header else []
    out = [draw(before_the_header(plan))]
    if has_header:
        out += [plan.delimiter.join(header), draw(st.sampled_from([b"\n", b"\r\n", b"\r\r\n"]))]
    out += draw(rows_of(plan, roles, header))
    if not plan.has_clean_rows and draw(st.booleans()):
        out.append(draw(st.sampled_from(LAST_LINES)))
    text = b"".join(out)
    # Old line ends, now and then with some of another kind behind.
    return text.replace(b"\n", b"\r") if draw(rare(1)) else text


@st.composite
def options_of_values(draw: st.DrawFn) -> dict[str, Any]:
    """Options that say how values and lines are read."""
    choices: dict[str, list[Any]] = {
        "date_format": [None] * 5 + ["iso", *OTHER_DATES],
        "thousands": [None] * 6 + [*GROUPED_PLAYS],
        "quoting": [None] * 7 + ["csv", "none", "none"],
        "header_line": [None] * 8 + [1, 2, 3, 4],
        "plays": [None] * 8 + ["column", "one"],
        "group_by": [None if key == "song" else key for key in KEYS],
    }
    drawn = {name: draw(st.sampled_from(values)) for name, values in choices.items()}
    return {name: value for name, value in drawn.items() if value is not None}


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    is_sound = draw(st.integers(0, 4)) > 0
    names, columns = draw(st.sampled_from([(NAMES, {})] * 8 + [(OTHER_NAMES, OTHER_OPTIONS)]))
    delimiter = draw(st.sampled_from([b",", b",", b",", b";", b"\t", b"|"]))
    chosen = draw(st.sampled_from([None] * 5 + [b",", b";", b"^", b"\x01", b"tab", b"\\t"]))
    if chosen is not None:
        named = b"\t" if chosen in (b"tab", b"\\t") else chosen
        delimiter = named if is_sound else draw(st.sampled_from([named] * 3 + [delimiter]))
    encodings = SOUND_ENCODINGS if is_sound else SOUND_ENCODINGS + ODD_ENCODINGS
    encoding, written = draw(st.sampled_from(encodings))
    options = {
        **columns,
        **draw(options_of_values()),
        "delimiter": chosen and chosen.decode(),
        "encoding": encoding,
        "strict": draw(st.integers(0, 6)) == 6,
    }
    return Plan(is_sound, options, names, delimiter, written)


# In a sound run the header fits into a record.
few_bytes = st.builds(Bounds, st.integers(20, 300), st.integers(0, 60), st.integers(1, 20))
enough_bytes = st.builds(Bounds, st.integers(200, 500), st.integers(20, 60), st.integers(8, 60))


odd_files = st.one_of(*map(st.sampled_from, (EMPTY_FILES, ODD_FILES, OTHER_FORMATS)))


@st.composite
def runs(draw: st.DrawFn) -> tuple[list[bytes], dict[str, Any]]:
    """The inputs of a run, mostly one, and its options."""
    plan = draw(plans())
    inputs = [
        draw(odd_files) if not plan.is_sound and draw(st.integers(0, 3)) == 0 else draw(files(plan))
        for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3])))
    ]
    if plan.written is not None:
        inputs = [
            data.decode("utf-8", "replace").encode(plan.written, "replace") for data in inputs
        ]
    cut = 0 if plan.has_clean_rows else draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
    bounds = draw(st.one_of(st.just(BOUNDS), enough_bytes if plan.is_sound else few_bytes))
    return [data[: len(data) - cut] for data in inputs], plan.options | {"bounds": bounds}


limits = st.fixed_dictionaries(
    {
        "block_bytes": st.one_of(
            st.integers(11, 40), st.integers(41, 400), st.sampled_from([1000, 100_000])
        ),
        "threads": st.sampled_from([1, 2, 4]),
        "memory_budget_bytes": st.sampled_from([1, 20_000, 200_000, 2**30]),
    }
)
