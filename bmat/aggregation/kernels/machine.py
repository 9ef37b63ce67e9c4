"""What kernels are made of: functions that are compiled into them, and words of memory as machine
instructions.

Numba has no unaligned load of a wider word from a byte array, and checks for negative indices at
every access. The intrinsics here do neither; the caller keeps within the array.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils as numba_cgutils
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.extending import intrinsic as numba_intrinsic

# Numba's own annotation gives the function within a kernel the arguments of its definition.
cgutils = cast(Any, numba_cgutils)
intrinsic = cast(Callable[[Any], Any], numba_intrinsic)

F = TypeVar("F", bound=Callable[..., Any])

_U64 = ir.IntType(64)
_U8 = ir.IntType(8)


class WithoutReferenceCounts(CompilerBase):
    """Compiles functions that count no references to arrays: kernels make none, and whoever calls
    one keeps its arguments. What Numba counts around each use in a loop took half of a kernel's
    time.

    See https://numba.readthedocs.io/en/stable/developer/custom_pipeline.html.
    """

    def define_pipelines(self) -> list[Any]:
        self.state.flags.nrt = False
        self.state.targetctx = self.state.targetctx.subtarget(enable_nrt=False)
        return [cast(Any, DefaultPassBuilder).define_nopython_pipeline(self.state)]


# Options of each kernel, and settings of Numba (NUMBA_OPT, ...), that decide what code comes out.
FLAGS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "pipeline_class": WithoutReferenceCounts,
}


def inlined(function: F) -> F:
    """A piece of a kernel: compiled into each kernel that calls it."""
    return cast(F, numba.njit(function, forceinline=True, **FLAGS))


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """The address of `array[index]`."""
    struct = context.make_array(array_type)(context, builder, array)
    return builder.gep(struct.data, [index])


@intrinsic
def load64(typingctx: Any, array: Any, index: Any) -> Any:
    """The eight bytes of a uint8 array from `index` on, as a little-endian uint64."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1])
        return builder.load(builder.bitcast(pointer, _U64.as_pointer()), align=1)

    return types.uint64(array, types.int64), code


@intrinsic
def store64(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a uint64 to the eight bytes of a uint8 array from `index` on, little-endian."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1])
        builder.store(args[2], builder.bitcast(pointer, _U64.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.uint64), code


@intrinsic
def load8(typingctx: Any, array: Any, index: Any) -> Any:
    """One byte of a uint8 array, as an int64."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1])
        return builder.zext(builder.load(pointer), _U64)

    return types.int64(array, types.int64), code


@intrinsic
def store8(typingctx: Any, array: Any, index: Any, value: Any) -> Any:
    """Write the low byte of an int64 into a uint8 array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1])
        builder.store(builder.trunc(args[2], _U8), pointer)
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64), code


@intrinsic
def prefetch(typingctx: Any, array: Any, index: Any) -> Any:
    """Ask the processor for the cache line of `array[index]`, to be written soon."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _pointer(context, builder, signature.args[0], args[0], args[1])
        byte_pointer = builder.bitcast(pointer, _U8.as_pointer())
        i32 = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [_U8.as_pointer(), i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        builder.call(function, [byte_pointer, i32(1), i32(3), i32(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), code


@intrinsic
def fold_product(typingctx: Any, a: Any, b: Any) -> Any:
    """The product of two uint64, its high half folded over its low one by exclusive or."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(args[0], wide), builder.zext(args[1], wide))
        high = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), _U64)
        return builder.xor(builder.trunc(product, _U64), high)

    return types.uint64(types.uint64, types.uint64), code


@intrinsic
def swap64(typingctx: Any, word: Any) -> Any:
    """The bytes of a uint64 in reverse order, so that comparing compares bytes first to last."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bswap(args[0])

    return types.uint64(types.uint64), code


@intrinsic
def trailing_zeros(typingctx: Any, word: Any) -> Any:
    """The number of zero bits below the lowest set bit of a uint64; 64 for zero."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), code
