"""Totals by several columns."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from bmat.aggregation import Options, aggregate
from bmat.aggregation.tests.conftest import Run

HEADER = b"Song,Artist,ISRC,Territory,Service,Date,Number of Plays\n"
ROWS = (
    b"a,x,I1,DE,s,2020-01-01,1\n"
    b'a,"x, y",I1,DE,s,2020-01-01,2\n'
    b'"a ""b""",x,,FR,s,2020-01-01,3\n'
    b"a,,I1,DE,s,2020-01-01,4\n"
    b"a,x,I1,AT,s,2020-01-01,5\n"
)


def test_the_key_is_made_of_the_columns_in_the_order_of_group_by(run: Run) -> None:
    totals = run(HEADER + ROWS, group_by="artist,song").totals
    assert totals == (
        b',a,2020-01-01,4\nx,a,2020-01-01,6\nx,"a ""b""",2020-01-01,3\n"x, y",a,2020-01-01,2\n'
    )
    assert run(HEADER + ROWS, group_by="song, territory").totals.startswith(b"a,AT,2020-01-01,5\n")


def test_the_output_has_a_column_for_each_field_of_the_key(tmp_path: Path) -> None:
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(HEADER + ROWS)
    aggregate([source], output, options=Options(group_by="service,isrc,artist,territory,song"))
    header = output.read_bytes().splitlines()[0]
    assert header == b"Service,ISRC,Artist,Territory,Song,Date,Total Number of Plays for Date"


def test_only_the_song_and_the_whole_key_must_hold_something(run: Run) -> None:
    rows = b",x,I1,DE,s,2020-01-01,1\nb,,,,,2020-01-01,2\n"
    assert run(HEADER + ROWS + rows, group_by="artist,song").summary.rejects_by_reason == {
        "empty_song": 1
    }
    result = run(HEADER + ROWS + rows, group_by="isrc")
    assert result.totals == b"I1,2020-01-01,13\n"
    assert result.summary.rejects_by_reason == {"empty_song": 2}
    assert (
        run(HEADER + rows, group_by="artist,isrc").rejects == b'3,empty_song,"b,,,,,2020-01-01,2"\n'
    )


def test_a_key_may_take_4_kib_in_all(run: Run) -> None:
    longest, longer = b"s" * 4000 + b"," + b"a" * 95, b"t" * 4000 + b"," + b"a" * 96
    header = b"Song,Artist,Date,Number of Plays\n"
    result = run(
        header + longest + b",2020-01-01,1\n" + longer + b",2020-01-01,1\n", group_by="song,artist"
    )
    assert result.totals == longest + b",2020-01-01,1\n"
    assert result.summary.rejects_by_reason == {"too_long": 1}


@pytest.mark.parametrize(
    ("artist", "reason"), [(b"\0", "invalid_character"), (b"\xff", "invalid_encoding")]
)
def test_each_field_of_a_key_is_judged(run: Run, artist: bytes, reason: str) -> None:
    rows = b"a,%s,I,DE,s,2020-01-01,1\n" % artist
    result = run(HEADER + ROWS + rows, group_by="artist,song")
    assert result.summary.rejects_by_reason == {reason: 1}


def test_a_total_that_is_too_large_names_all_fields(run: Run) -> None:
    rows = b"a,x,I,DE,s,2020-01-01,9223372036854775807\n" * 2
    with pytest.raises(Exception, match="The total of 'x', 'a' on 2020-01-01"):
        run(HEADER + rows, group_by="artist,song")


def test_the_summary_names_the_fields_of_a_key(tmp_path: Path) -> None:
    source, summary = tmp_path / "in.csv", tmp_path / "summary.json"
    source.write_bytes(HEADER + ROWS)
    options = Options(group_by="artist,song")
    aggregate([source], tmp_path / "out.csv", options=options, summary_file=summary)
    content = json.loads(summary.read_text())
    assert content["group_by"] == ["artist", "song"]
    assert content["top_songs"][0] == {"artist": "x", "song": "a", "plays": 6}


@pytest.mark.parametrize("memory_budget_bytes", [10**6, 2**30])
def test_many_keys_are_totalled_as_a_dictionary_does(run: Run, memory_budget_bytes: int) -> None:
    drawn = random.Random(1)
    texts = ["", "a", "é", "a,b", 'a"b', "愛" * 5, *(f"artist {n}" for n in range(40))]
    totals: Counter[tuple[bytes, bytes]] = Counter()
    lines = []
    for _ in range(4000):
        artist, song = drawn.choice(texts).encode(), f"song {drawn.randrange(300)}".encode()
        field = (
            b'"' + artist.replace(b'"', b'""') + b'"'
            if drawn.random() < 0.5 or b"," in artist
            else artist
        )
        lines.append(b"%s,%s,2020-01-01,3\n" % (field, song))
        totals[artist, song] += 3
    data = b"Artist,Song,Date,Number of Plays\n" + b"".join(lines)
    result = run(
        data, group_by="artist,song", memory_budget_bytes=memory_budget_bytes, block_bytes=20_000
    )

    def written(field: bytes) -> bytes:
        is_special = any(special in field for special in b',"')
        return b'"' + field.replace(b'"', b'""') + b'"' if is_special else field

    assert result.totals == b"".join(
        b"%s,%s,2020-01-01,%d\n" % (written(artist), song, plays)
        for (artist, song), plays in sorted(totals.items())
    )
