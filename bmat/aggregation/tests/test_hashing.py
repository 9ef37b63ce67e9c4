"""Songs are found by a hash with a key that is drawn for each run."""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest

from bmat.aggregation import Limits
from bmat.aggregation.kernels.arrays import padded_copy
from bmat.aggregation.merge.table import Table
from bmat.aggregation.plan.budget import sizes_of
from bmat.aggregation.tests.conftest import Run
from bmat.aggregation.tests.plays import lines_of
from bmat.aggregation.workspace import MergingMemory

KEY, OTHER_KEY = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93


def folded(a: int, b: int) -> int:
    """The 128 bits of a product, their halves folded together."""
    return (a * b) % 2**64 ^ (a * b) >> 64


def colliding_songs(key: int) -> Iterator[bytes]:
    """Songs with the same hash, made by somebody who knows the key: their second word takes back
    what the first one did.
    """
    for number in count():
        first = b"%08d" % number
        second = folded(key ^ int.from_bytes(first, "little"), key).to_bytes(8, "little")
        if second.isascii() and 0 not in second:
            yield first + second


def hashes(songs: list[bytes], key: int) -> set[int]:
    """The hashes of songs in a table."""
    rows = b"".join((len(song) + 2**32).to_bytes(8, "little") + song for song in songs)
    memory = MergingMemory(
        sizes_of(Limits(memory_budget_bytes=1), len(rows), shares_memory=True).buffers
    )
    Table(memory, key).take(padded_copy(rows), np.array([[0, len(rows)]]))
    return {int(hashed) for hashed in memory.table.hashes[: len(songs)]}


@pytest.fixture(scope="module")
def colliding() -> list[bytes]:
    return list(islice(colliding_songs(KEY), 20))


def test_another_key_splits_songs_that_were_made_to_share_a_hash(colliding: list[bytes]) -> None:
    assert len(hashes(colliding, KEY)) == 1
    assert len(hashes(colliding, OTHER_KEY)) == len(colliding)


def test_hashes_of_songs_that_count_up_are_spread_evenly() -> None:
    slots = {hashed % 4096 for hashed in hashes([b"Track %d" % n for n in range(1000)], KEY)}
    # Of 1000 balls in 4096 boxes, 888 are expected to have company in none but 112.
    assert len(slots) > 850


def test_no_key_changes_the_output(
    run: Run, expected: Run, monkeypatch: pytest.MonkeyPatch, colliding: list[bytes]
) -> None:
    data = lines_of([(colliding[row % 20], row % 3, row) for row in range(600)])
    for key in (KEY, OTHER_KEY):
        monkeypatch.setattr("secrets.randbits", lambda bits, key=key: key)
        assert run(data, memory_budget_bytes=1, block_bytes=4000) == expected(data)


def test_each_run_draws_a_key(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    keys = []
    whole = Table.__init__

    def note(table: Table, memory: MergingMemory, hash_key: int) -> None:
        keys.append(hash_key)
        whole(table, memory, hash_key)

    monkeypatch.setattr(Table, "__init__", note)
    for _ in range(2):
        run(lines_of([(b"a", 1, 1)]))
    assert len(set(keys)) == 2
    assert all(key % 2 and 0 < key < 2**64 for key in keys)
