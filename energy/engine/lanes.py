"""Sixteen homes side by side: a number type for compiled loops that LLVM keeps in vector registers.

What a home's battery does next depends on what it held before, so one home is a chain of operations that a
processor cannot overlap; sixteen homes are sixteen independent chains that the same instructions carry at
once. Leaving that to the compiler's own vectoriser proved fragile (one more array and it gave up), so the
width is said here: `<16 x double>` in LLVM's words, two registers of AVX-512, four of AVX2, eight of SSE2 or
NEON. Only + - * and comparisons by selection exist, which is all that rules need.

`net_tile` reads 8 homes x 8 steps from rows of homes and lays them step by step (three rounds of shuffles),
so that series stay stored home after home, as everything else reads them.

Products and sums may be contracted into one rounding (fused multiply-add): the same machine gives the same
bits. numba caches compiled loops by the file that holds them: touch `fleet.py` after a change here.
"""

import operator
from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic, models, overload, register_model

WIDTH = 16
_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_INT = ir.IntType(32)
Emit = Callable[..., Any]
primitive = cast("Callable[[Callable[..., Any]], Callable[..., Any]]", intrinsic)


class LanesType(types.Type):
    """numba's name for sixteen doubles."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


LANES = LanesType()


@register_model(LanesType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _DOUBLES)  # type: ignore[no-untyped-call]


def lesser(_a: Any, _b: Any) -> Any:
    """The lesser of two, lane by lane (compiled code alone)."""
    raise NotImplementedError


def greater(_a: Any, _b: Any) -> Any:
    """The greater of two, lane by lane (compiled code alone)."""
    raise NotImplementedError


def _binary(name: Any, emit: Emit) -> None:
    @primitive
    def apply(_context: Any, a: Any, b: Any) -> Any:
        def code(_backend: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return emit(builder, *values)

        return LANES(LANES, LANES), code

    @overload(name, inline="always")
    def choose(a, b):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 numba compares the two signatures
        if isinstance(a, LanesType) and isinstance(b, LanesType):
            return lambda a, b: apply(a, b)  # noqa: PLW0108 numba compiles the body of a function of two
        return None


_binary(operator.add, lambda build, a, b: build.fadd(a, b, flags=("contract",)))
_binary(operator.sub, lambda build, a, b: build.fsub(a, b, flags=("contract",)))
_binary(operator.mul, lambda build, a, b: build.fmul(a, b, flags=("contract",)))
_binary(lesser, lambda build, a, b: build.select(build.fcmp_ordered("<", a, b), a, b))
_binary(greater, lambda build, a, b: build.select(build.fcmp_ordered(">", a, b), a, b))


@primitive
def if_less(_context: Any, a: Any, b: Any, yes: Any, no: Any) -> Any:
    """`yes` in the lanes where a < b, `no` in the others."""

    def code(_backend: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", values[0], values[1]), values[2], values[3])

    return LANES(LANES, LANES, LANES, LANES), code


@primitive
def every(_context: Any, x: Any) -> Any:
    """The same number in every lane."""

    def code(_backend: Any, builder: Any, _signature: Any, values: Any) -> Any:
        nothing = ir.Constant(_DOUBLES, ir.Undefined)
        first = builder.insert_element(nothing, values[0], ir.Constant(_INT, 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INT, WIDTH), [0] * WIDTH))

    return LANES(types.float64), code


@primitive
def get(_context: Any, array: Any, at: Any) -> Any:
    """Sixteen numbers of a flat array from index `at` on (uint64)."""

    def code(backend: Any, builder: Any, signature: Any, values: Any) -> Any:
        found = builder.load(_pointer(backend, builder, signature.args[0], values[0], values[1]))
        found.align = 8
        return found

    return LANES(array, types.uint64), code


@primitive
def put(_context: Any, array: Any, at: Any, lanes: Any) -> Any:
    """Write them."""

    def code(backend: Any, builder: Any, signature: Any, values: Any) -> Any:
        kept = builder.store(values[2], _pointer(backend, builder, signature.args[0], values[0], values[1]))
        kept.align = 8
        return backend.get_dummy_value()

    return types.void(array, types.uint64, LANES), code


def _pointer(backend: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = backend.make_array(kind)(backend, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _DOUBLES.as_pointer())


@primitive
def net_tile(  # noqa: PLR0917 compiled: positional alone
    _context: Any, load: Any, pv: Any, at: Any, stride: Any, tile: Any, to: Any
) -> Any:
    """tile[to + 16 s + h] = load[at + h stride + s] - pv[the same] for 8 homes h and 8 steps s.

    Flat arrays of float32 or float64; the difference is taken in float64.
    """
    signature = types.void(load, pv, types.uint64, types.uint64, tile, types.uint64)

    def code(backend: Any, builder: Any, signature: Any, values: Any) -> Any:
        sources = [backend.make_array(signature.args[k])(backend, builder, values[k]).data for k in (0, 1)]
        target = backend.make_array(signature.args[4])(backend, builder, values[4]).data
        offset, rows = values[2], []
        for _home in range(8):
            used, made = (_eight(builder, source, offset) for source in sources)
            rows.append(builder.fsub(used, made))
            offset = builder.add(offset, values[3])
        for step, column in enumerate(_turned(builder, rows)):
            place = builder.gep(target, [builder.add(values[5], ir.Constant(ir.IntType(64), step * WIDTH))])
            kept = builder.store(column, builder.bitcast(place, column.type.as_pointer()))
            kept.align = 8
        return backend.get_dummy_value()

    return signature, code


def _eight(builder: Any, source: Any, offset: Any) -> Any:
    """Eight numbers as doubles."""
    number = source.type.pointee
    place = builder.bitcast(builder.gep(source, [offset]), ir.VectorType(number, 8).as_pointer())
    found = builder.load(place)
    found.align = 4 if number == ir.FloatType() else 8
    return found if number == ir.DoubleType() else builder.fpext(found, ir.VectorType(ir.DoubleType(), 8))


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Eight rows of eight, turned: the usual transposition by pairs, quads and halves."""

    def mixed(a: Any, b: Any, order: list[int]) -> Any:
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, 8), order))

    pairs, quads, halves = [None] * 8, [None] * 8, [None] * 8
    for i in range(0, 8, 2):
        pairs[i] = mixed(rows[i], rows[i + 1], [0, 8, 2, 10, 4, 12, 6, 14])
        pairs[i + 1] = mixed(rows[i], rows[i + 1], [1, 9, 3, 11, 5, 13, 7, 15])
    for i in (0, 1, 4, 5):
        quads[i] = mixed(pairs[i], pairs[i + 2], [0, 1, 8, 9, 4, 5, 12, 13])
        quads[i + 2] = mixed(pairs[i], pairs[i + 2], [2, 3, 10, 11, 6, 7, 14, 15])
    for i in range(4):
        halves[i] = mixed(quads[i], quads[i + 4], [0, 1, 2, 3, 8, 9, 10, 11])
        halves[i + 4] = mixed(quads[i], quads[i + 4], [4, 5, 6, 7, 12, 13, 14, 15])
    return halves
