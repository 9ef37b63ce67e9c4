"""How kernels are compiled: ahead of the first call, without the GIL, kept on disk.

The compiled code lies under BMAT_KERNEL_CACHE (default: `~/.cache/bmat`), in a folder named after
the sources of all kernels: Numba itself would not notice a change in a function that another
module's kernel has taken in. `python -m bmat.aggregation.compile` fills it.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def cache_folder() -> Path:
    """The folder of the compiled code of these very sources."""
    base = os.environ.get("BMAT_KERNEL_CACHE") or Path.home() / ".cache" / "bmat"
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("kernel_*.py")):
        digest.update(path.read_bytes())
    return Path(base) / f"kernels-{digest.hexdigest()[:16]}"


setattr(numba.config, "CACHE_DIR", str(cache_folder()))  # noqa: B010 (it is not in the stubs)


def kernel(signature: str) -> Callable[[F], F]:
    """Compile a function for this one signature on import, or take it from the cache on disk."""
    decorator = numba.njit(signature, cache=True, nogil=True, error_model="numpy")
    return cast(Callable[[F], F], decorator)


def inlined(function: F) -> F:
    """A piece of a kernel: compiled into each kernel that calls it."""
    return cast(F, numba.njit(function, nogil=True, error_model="numpy"))
