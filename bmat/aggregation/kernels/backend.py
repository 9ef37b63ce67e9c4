"""What makes a function a kernel: the compiler, or plain Python that checks every access to memory
and loads no compiler. Both read words of memory as little-endian numbers.
"""

import sys

from bmat.aggregation.kernels import IS_COMPILED

if IS_COMPILED:
    from bmat.aggregation.kernels.compile import kernel
else:
    from bmat.aggregation.kernels.checked import kernel

__all__ = ["kernel"]


def require_little_endian(byte_order: str) -> None:
    """Raises ImportError on a machine that stores the high byte first."""
    if byte_order != "little":
        raise ImportError(
            f"bmat.aggregation reads words of memory as little-endian numbers, and this machine is "
            f"{byte_order}-endian: run it on x86-64 or ARM64."
        )


require_little_endian(sys.byteorder)
