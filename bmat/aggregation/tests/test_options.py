from dataclasses import fields

import pytest

from bmat.aggregation import AggregationError, Limits, Options
from bmat.aggregation.options import (
    OPTION_NAMES,
    PRESETS,
    column_key,
    delimiter_byte,
    python_encoding,
)
from bmat.aggregation.source import presets


def refused(**options: object) -> AggregationError:
    with pytest.raises(AggregationError) as caught:
        Options.of(options)
    return caught.value


@pytest.mark.parametrize("delimiter", ["", ",,", "\n", "\r", "\0", "é", "TAB", *"\"' -+.:azAZ059"])
def test_a_delimiter_is_one_ascii_character_of_no_date_or_count(delimiter: str) -> None:
    error = refused(delimiter=delimiter)
    assert error.code == "invalid_option"
    assert error.message == (
        f"The option delimiter cannot be {delimiter!r}: use tab, or one ASCII character: "
        "none of - + . : and no letter, digit, space, quote or line end."
    )


@pytest.mark.parametrize(
    ("delimiter", "byte"), [("tab", b"\t"), ("\\t", b"\t"), ("\t", b"\t"), ("^", b"^"), ("_", b"_")]
)
def test_a_tab_has_a_name(delimiter: str, byte: bytes) -> None:
    assert delimiter_byte(Options(delimiter=delimiter).delimiter or "") == byte


def test_an_option_that_nobody_knows_is_refused() -> None:
    error = refused(strcit=True)
    assert error.code == "invalid_option"
    assert error.message.startswith(
        "The option 'strcit' cannot be used: there is no such option; there are preset, "
    )
    assert refused(bounds=None).code == "invalid_option"


def test_a_column_needs_a_name() -> None:
    for name in ("", " -_", "\u200b"):
        assert refused(song_column=name).message == (
            f"The option song_column cannot be {name!r}: it names no column."
        )
        assert "artist_column" in refused(artist_column=name).message


def test_two_columns_need_two_names() -> None:
    message = "The option date_column cannot be 'SONG': it names another column already."
    assert refused(date_column="SONG").message == message
    assert "isrc_column" in refused(group_by="isrc", isrc_column="date").message
    assert "plays_column" in refused(plays_column="so-ng").message


def test_a_column_that_is_not_read_may_have_any_name() -> None:
    assert Options(isrc_column="Song").key == ("song",)
    assert Options(plays="one", plays_column="Song").key == ("song",)
    assert Options(group_by="artist", song_column="Artist").key == ("artist",)


def test_under_a_preset_only_given_names_are_compared() -> None:
    assert Options(preset="spinitron", song_column="Date").column("song") == "Date"
    assert "date_column" in refused(preset="spinitron", song_column="x", date_column="X").message
    assert "names another column" in refused(preset="default", song_column="Date").message


@pytest.mark.parametrize(
    ("group_by", "key"),
    [(None, ("song",)), ("isrc", ("isrc",)), (" song , territory", ("song", "territory"))],
)
def test_the_key_is_what_is_grouped_by(group_by: str | None, key: tuple[str, ...]) -> None:
    assert Options(group_by=group_by).key == key


@pytest.mark.parametrize("group_by", ["", "date", "song,song", "song,", "Song", "song artist"])
def test_a_key_is_made_of_roles_each_once(group_by: str) -> None:
    error = refused(group_by=group_by)
    assert error.code == "invalid_option"
    assert error.message.startswith(f"The option group_by cannot be {group_by!r}: name ")


@pytest.mark.parametrize(
    "option", ["preset", "date_format", "thousands", "quoting", "plays", "header_line"]
)
def test_a_value_that_is_none_of_the_choices_is_refused(option: str) -> None:
    value = 0 if option == "header_line" else ""
    error = refused(**{option: value})
    assert error.code == "invalid_option"
    assert error.message.startswith(f"The option {option} cannot be {value!r}: ")


def test_an_encoding_is_one_that_files_are_written_in() -> None:
    assert refused(encoding="utf-7").code == "unknown_encoding"
    assert python_encoding("LATIN1") == "iso8859-1"


def test_the_presets_are_those_that_there_are() -> None:
    assert PRESETS == tuple(preset.name for preset in presets.PRESETS)


def test_each_option_says_what_it_does() -> None:
    shown = [one for one in fields(Options) if one.name in OPTION_NAMES]
    assert len(shown) == len(fields(Options)) - 1
    assert all(one.metadata["help"] for one in shown)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Number_of-Plays", "numberofplays"),
        ("Ti\u0301tulo", "título"),
        ("ST\u00a0RA\u2009SSE", "strasse"),
        ("straße", "strasse"),
        ("\ufb01\u200b\ufeff\u00ad\x07\x85", "fi"),
        ("a\0b", "a\0b"),
        ("\u1e9b\u0323", "\u1e69"),
    ],
)
def test_names_are_compared_by_this(name: str, key: str) -> None:
    assert column_key(name) == key


@pytest.mark.parametrize("limit", ["block_bytes", "threads", "memory_budget_bytes"])
def test_a_limit_is_at_least_one(limit: str) -> None:
    with pytest.raises(AggregationError, match=f"{limit} cannot be 0: use 1 or more"):
        Limits(**{limit: 0})  # type: ignore[arg-type]
