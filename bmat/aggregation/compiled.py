"""How kernels are compiled: ahead of the first call, without the GIL, kept on disk.

The compiled code lies under BMAT_KERNEL_CACHE (default: `~/.cache/bmat`), in a folder named after
the sources of all kernels, for Numba itself would not notice a change in a function that another
module's kernel has taken in; and after the processor, for Numba numbers the files of different
processors alike, so that two of them that share a folder could run each other's code.
`python -m bmat.aggregation.compile` fills it. Several processes may fill it at once: a file appears
whole, and whichever stays holds the same code.
"""

import atexit
import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import Any, TypeVar, cast

import llvmlite.binding
import numba

F = TypeVar("F", bound=Callable[..., Any])

CACHE_VARIABLE = "BMAT_KERNEL_CACHE"
# Where a user without a home is expected to have compiled code: services run so.
HOMELESS_CACHE = "/var/cache/bmat"

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """The folder of the compiled code of these very sources, for this very processor."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("kernel_*.py")):
        digest.update(path.read_bytes())
    digest.update(llvmlite.binding.get_host_cpu_name().encode())
    digest.update(llvmlite.binding.get_host_cpu_features().flatten().encode())
    return base_folder() / f"kernels-{digest.hexdigest()[:16]}"


def base_folder() -> Path:
    named = os.environ.get("BMAT_KERNEL_CACHE")
    if named:
        return Path(named)
    try:
        return Path.home() / ".cache" / "bmat"
    except RuntimeError:
        return Path(HOMELESS_CACHE)


def writable(wanted: Path) -> Path:
    """`wanted`, made if need be. Where it cannot be written, a temporary folder of this process
    with a copy of it: what is compiled there already is used, and the rest is compiled each time.
    """
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=wanted).close()
        return wanted
    except OSError:
        own = Path(mkdtemp(prefix="bmat-kernels-"))
        atexit.register(shutil.rmtree, own, ignore_errors=True)
    try:
        shutil.copytree(wanted, own, dirs_exist_ok=True)
        # The copies of folders are as read-only as those are.
        for folder in [own, *own.glob("**/")]:
            folder.chmod(0o700)
    except OSError:
        advice = f"set {CACHE_VARIABLE} to a folder that this user can write"
        logger.warning("%s is no cache: every start compiles for half a minute; %s", wanted, advice)
    return own


KERNELS = writable(cache_folder())
setattr(numba.config, "CACHE_DIR", str(KERNELS))  # noqa: B010 (it is not in the stubs)


def kernel(signature: str) -> Callable[[F], F]:
    """Compile a function for this one signature on import, or take it from the cache on disk."""
    decorator = numba.njit(signature, cache=True, nogil=True, error_model="numpy")

    def compiled(function: F) -> F:
        result = cast(F, decorator(function))
        # `make run` counts these.
        logger.debug("kernel %s is there", function.__name__)
        return result

    return compiled


def inlined(function: F) -> F:
    """A piece of a kernel: compiled into each kernel that calls it."""
    return cast(F, numba.njit(function, nogil=True, error_model="numpy", forceinline=True))
