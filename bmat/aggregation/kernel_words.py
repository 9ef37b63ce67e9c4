"""Words and bytes of memory, for the kernels: loads, stores, prefetch, bit counts.

Compiled, they are single instructions that check nothing; in plain Python, they check everything.
"""

from bmat.aggregation.compiled import IS_COMPILED

if IS_COMPILED:
    from bmat.aggregation.kernel_machine import (
        fold_product,
        load8,
        load64,
        prefetch,
        store8,
        store64,
        swap64,
        trailing_zeros,
    )
else:
    from bmat.aggregation.checked import (
        fold_product,
        load8,
        load64,
        prefetch,
        store8,
        store64,
        swap64,
        trailing_zeros,
    )

__all__ = [
    "fold_product",
    "load8",
    "load64",
    "prefetch",
    "store8",
    "store64",
    "swap64",
    "trailing_zeros",
]
