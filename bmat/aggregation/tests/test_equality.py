"""The compiled engine against the reference: the same bytes, whatever the file and the limits."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given

from bmat.aggregation import AggregationError, Limits, Summary, aggregate
from bmat.aggregation.tests.files import files, limits
from bmat.aggregation.tests.reference.engine import aggregate as aggregate_plainly


def outcome(run: Callable[..., Summary], data: bytes, folder: Path, **more: Any) -> tuple[Any, ...]:
    """What a run leaves: its error, or its output, rejects and counts. Nothing else may be left."""
    source, output, rejects = folder / "in.csv", folder / "out.csv", folder / "rejects.csv"
    source.write_bytes(data)
    try:
        summary = run([source], output, rejects=rejects, **more)
    except AggregationError as error:
        assert sorted(folder.iterdir()) == [source]
        return error.code, error.message
    assert sorted(folder.iterdir()) == [source, output, rejects]
    result = output.read_bytes(), rejects.read_bytes(), asdict(summary)
    output.unlink()
    rejects.unlink()
    return result


@given(files(), limits)
def test_it_equals_the_reference(data: bytes, chosen: dict[str, int]) -> None:
    with TemporaryDirectory() as name:
        expected = outcome(aggregate_plainly, data, Path(name))
        chosen_limits = Limits(**chosen)  # type: ignore[arg-type]
        assert outcome(aggregate, data, Path(name), limits=chosen_limits) == expected
