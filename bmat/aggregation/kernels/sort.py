"""Sorting numbers by whatever tells which comes first."""

from typing import Any

from bmat.aggregation.kernels.bytes import inlined

SHORT_RUN = 24


@inlined
def sort_by(is_before: Any, context: Any, items: Any, low: Any, high: Any) -> None:
    """Sort `items[low:high]`: by insertion, or as a heap where they are many.
    `is_before(context, a, b)` says whether item a belongs before item b.
    """
    count = high - low
    if count <= SHORT_RUN:
        for right in range(low + 1, high):
            item = items[right]
            at = right
            while at > low and is_before(context, item, items[at - 1]):
                items[at] = items[at - 1]
                at -= 1
            items[at] = item
        return
    for step in range(count + count // 2 - 1, -1, -1):
        size = count
        root = step - count
        if root < 0:
            size = step
            root = 0
            items[low], items[low + size] = items[low + size], items[low]
        sift_down(is_before, context, items, low, root, size)


@inlined
def sift_down(is_before: Any, context: Any, items: Any, low: Any, root: Any, size: Any) -> None:
    """Let item `root` of a heap of `size` items, at `items[low:]`, sink to its place."""
    while 2 * root + 1 < size:
        child = 2 * root + 1
        if child + 1 < size and is_before(context, items[low + child], items[low + child + 1]):
            child += 1
        if not is_before(context, items[low + root], items[low + child]):
            break
        items[low + root], items[low + child] = items[low + child], items[low + root]
        root = child
