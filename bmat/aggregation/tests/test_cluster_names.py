"""What a cluster is told of a graph, when other runs compute on it, too."""

from dask.core import get

from bmat.aggregation.scheduler import priority, under_own_names


def add_up(numbers: list[int], more: int) -> int:
    return sum(numbers) + more


GRAPH = {
    "job": 1,
    ("read", 0): (add_up, ["job"], 10),
    ("read", 1): (add_up, ["job", ("read", 0)], 100),
    "outcome": (add_up, [("read", 0), ("read", 1)], 1000),
}


def test_it_has_no_name_in_common_with_that_of_another_run() -> None:
    one, _ = under_own_names(GRAPH, "outcome", "a")
    other, _ = under_own_names(GRAPH, "outcome", "b")

    assert len(one) == len(other) == len(GRAPH)
    assert not one.keys() & (other.keys() | GRAPH.keys())
    assert ("read-a", 0) in one


def test_it_comes_to_the_same() -> None:
    graph, key = under_own_names(GRAPH, "outcome", "a")

    assert get(graph, key) == get(GRAPH, "outcome") == 1123


def test_its_urgent_tasks_come_before_all_others() -> None:
    graph, _ = under_own_names(GRAPH, "outcome", "a")

    assert [priority(["read"], name) for name in graph] == [0, 1, 1, 0]
