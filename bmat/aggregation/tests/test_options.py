import pytest

from bmat.aggregation import AggregationError, Limits, Options


@pytest.mark.parametrize("delimiter", ["", ",,", "\n", "\r", "\0", "é", *"\"' -+.:azAZ059"])
def test_a_delimiter_is_one_ascii_character_of_no_date_or_count(delimiter: str) -> None:
    with pytest.raises(AggregationError) as caught:
        Options(delimiter=delimiter)
    assert caught.value.code == "invalid_option"
    assert caught.value.message == (
        f"The option delimiter cannot be {delimiter!r}: "
        "use one ASCII character: none of - + . : and no letter, digit, space, quote or line end."
    )


def test_a_column_needs_a_name() -> None:
    with pytest.raises(AggregationError, match="song_column cannot be ' -_': it names no column"):
        Options(song_column=" -_")


def test_two_columns_need_two_names() -> None:
    with pytest.raises(AggregationError, match="date_column .* names another column already"):
        Options(date_column="SONG")


@pytest.mark.parametrize("limit", ["block_bytes", "threads", "memory_budget_bytes"])
def test_a_limit_is_at_least_one(limit: str) -> None:
    with pytest.raises(AggregationError, match=f"{limit} cannot be 0: use 1 or more"):
        Limits(**{limit: 0})  # type: ignore[arg-type]
