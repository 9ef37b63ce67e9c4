"""What a process keeps of a run that another one has started."""

import pickle

from bmat.aggregation import Limits
from bmat.aggregation.plan.budget import sizes_of
from bmat.aggregation.workspace import Pool, Workspace


def sent(data_bytes: int) -> Workspace:
    """A workspace for so many bytes of input, as a worker gets it."""
    buffers = sizes_of(Limits(), data_bytes, shares_memory=False).buffers
    workspace: Workspace = pickle.loads(pickle.dumps(Workspace(buffers)))
    return workspace


def test_the_next_large_run_finds_the_buffers_of_the_last_one() -> None:
    before = sent(10**9)
    assert sent(2 * 10**9) is before


def test_small_runs_in_between_do_not_take_them_away() -> None:
    large = sent(10**9)
    assert sent(1000) is not sent(1000)
    assert sent(10**9) is large


class Holder:
    """Whom something is lent to."""


def test_what_is_lent_comes_back_when_nobody_has_its_holder_any_more() -> None:
    pool, holder = Pool(lambda: [0]), Holder()
    lent = pool.take()
    pool.give_back_after(holder, lent)
    assert pool.take() is not lent
    del holder
    assert pool.take() is lent
