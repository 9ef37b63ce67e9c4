"""What the tests of headers share: literal bytes in, how they are read out."""

from pathlib import Path
from typing import Any

import pytest

from bmat.aggregation import AggregationError, Options
from bmat.aggregation.source.header import Reading
from bmat.aggregation.source.layout import Layout
from bmat.aggregation.source.open import reading_of

SOURCE = Path("plays.csv")


def reading(data: bytes, **options: Any) -> Reading:
    """How a file that begins with `data` is read."""
    wanted = Options(**options)
    return reading_of(data[: wanted.bounds.held], wanted, SOURCE)


def layout(data: bytes, **options: Any) -> Layout:
    found = reading(data, **options).layout
    assert found is not None
    return found


def refused(data: bytes, **options: Any) -> AggregationError:
    """The error that such a file is refused with."""
    with pytest.raises(AggregationError) as caught:
        reading(data, **options)
    assert caught.value.source == SOURCE
    return caught.value
