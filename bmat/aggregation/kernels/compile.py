"""How kernels are compiled: ahead of the first call, without the GIL, kept on disk.

The compiled code lies under BMAT_KERNEL_CACHE (default: `~/.cache/bmat`), in a folder named after
all that it depends on: the sources of all kernels, for Numba itself would not notice a change in a
function that another module's kernel has taken in; the processor, for Numba numbers the files of
different processors alike, so that two of them that share a folder could run each other's code; and
what compiles it, with its settings.
`python -m bmat.aggregation.kernels` fills it. Several processes may fill it at once: a file appears
whole, and whichever stays holds the same code.
"""

import atexit
import hashlib
import logging
import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import Any, TypeVar, cast

import llvmlite.binding
import numba
import numpy
from numba import types

from bmat.aggregation.kernels.arrays import ARRAYS, NUMBERS, Record, dtype_of, fields_of
from bmat.aggregation.kernels.machine import FLAGS

F = TypeVar("F", bound=Callable[..., Any])

CACHE_VARIABLE = "BMAT_KERNEL_CACHE"
# Where a user without a home is expected to have compiled code: services run so.
HOMELESS_CACHE = "/var/cache/bmat"


CODE_SETTINGS = (
    "BOUNDSCHECK",
    "CPU_FEATURES",
    "CPU_NAME",
    "DEBUGINFO_DEFAULT",
    "DISABLE_INTEL_SVML",
    "ENABLE_AVX",
    "ENABLE_PROFILING",
    "EXTEND_VARIABLE_LIFETIMES",
    "LLVM_REFPRUNE_FLAGS",
    "LLVM_REFPRUNE_PASS",
    "LOOP_VECTORIZE",
    "OPT",
    "SLP_VECTORIZE",
)

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """The folder of the compiled code of these very sources, for this very processor, by these very
    compilers.
    """
    digest = hashlib.sha256(f"{compilers()}{FLAGS}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    digest.update(llvmlite.binding.get_host_cpu_name().encode())
    digest.update(llvmlite.binding.get_host_cpu_features().flatten().encode())
    return base_folder() / f"kernels-{digest.hexdigest()[:16]}"


def compilers() -> dict[str, object]:
    """What compiles kernels, and how it is set."""
    versions = {
        "python": platform.python_version(),
        "numba": numba.__version__,
        "numpy": numpy.__version__,
        "llvmlite": llvmlite.__version__,
    }
    return versions | {name: getattr(numba.config, name) for name in CODE_SETTINGS}


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


def kernel(function: F) -> F:
    """Compile a function for the types of its annotations on import, or take it from the cache on
    disk.
    """
    result = cast(F, numba.njit(signature_of(function), cache=True, **FLAGS)(function))
    # `make run` counts these.
    logger.debug("kernel %s is there", function.__name__)
    return result


def signature_of(function: Callable[..., Any]) -> Any:
    """The types that a function says it takes and returns, as Numba's."""
    hints = fields_of(function)
    returned = hints.pop("return")
    return numba_type(returned)(*(numba_type(hint) for hint in hints.values()))


def numba_type(hint: Any) -> Any:
    """Numba's type of an annotation: a number, an array, a Record, a tuple of those, or None."""
    if hint is type(None):
        return types.void
    if hint in NUMBERS:
        return numba.from_dtype(numpy.dtype(NUMBERS[hint]))
    if hint in ARRAYS:
        dtype, dimensions = ARRAYS[hint]
        return types.Array(numba.from_dtype(numpy.dtype(dtype)), dimensions, "C")
    if issubclass(hint, Record):
        return numba.from_dtype(dtype_of(hint))
    fields = [numba_type(field) for field in fields_of(hint).values()]
    return cast(Any, types).BaseTuple.from_types(fields, hint)
