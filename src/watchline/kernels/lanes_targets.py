"""Sixteen targets at a time, held against horizons: what :mod:`watchline.kernels.lanes` is to rays.

Where numba's compiler is switched off, plain loops take their place.
"""

from __future__ import annotations

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from watchline.kernels.lanes import (
    _NUMBER,
    _NUMBERS,
    _REALS,
    LANES,
    _horizon,
    _larger,
    _mask,
    _pick,
    _spread,
    _store,
    _take,
)  # fmt: skip

_FINE = ir.DoubleType()
_FINES = ir.VectorType(_FINE, LANES)


def _place_types(
    typing_context, p, q, z, p0, q0, step, wide, half, reach2, level, from_target, count, places,
    lifts, scales, to,
):  # fmt: skip
    """Say between which rays targets lie, and how steeply above `level` they rise.

    Targets ``from_target … from_target + 15`` of the sorted p, q [cells] and z [m] (float64) are
    seen from (p0, q0) down the cone that opens towards `step`; of 16, the first `count` are
    targets. ``places[to + i]`` counts rays, of which the cone has ``2·half``, ``scales`` is one
    over the cells to the target's line and ``lifts`` is (z - level) times that: -infinity outside
    the cone or the range, whose square is `reach2`. Edges of the cone belong to it if `wide`.
    """
    whole, real, fine = types.int64, types.float32, types.float64
    return types.void(
        p, q, z, fine, fine, fine, types.boolean, real, fine, fine, whole, whole, places, lifts,
        scales, whole,
    ), _emit_place  # fmt: skip


def _steeper_types(typing_context, places, lifts, scales, lower, final, horizon, row, first):
    """Tell which of the targets first … first + 15 are no less steep than the horizon.

    A target's slope is ``lifts[i] + lower·scales[i]``; it lies ``places[i]`` rays along the
    horizon that begins at `row`, whose last ray is `final`. Bit i of the answer is target
    first + i.
    """
    whole, real = types.int64, types.float32
    return types.int64(places, lifts, scales, real, whole, horizon, whole, whole), _emit_steeper


def _beyond_types(typing_context, sectors, lifts, scales, lower, slack, bounds, row, first):
    """Tell which slopes, as for `steeper_lanes`, reach the bound b of their sector + slack·|b|."""
    whole, real = types.int64, types.float32
    return types.int64(sectors, lifts, scales, real, real, bounds, whole, whole), _emit_beyond


def _emit_place(context, builder, signature, arguments):
    (
        p, q, z, p0, q0, step, wide, half, reach2, level, from_target, count, places, lifts,
        scales, to,
    ) = arguments  # fmt: skip

    def fine(value):
        return _spread(builder, value, _FINES)

    def reals(value):
        return builder.fptrunc(value, _REALS)

    across, along, height = (
        _take(context, builder, kind, array, from_target, _FINES)
        for kind, array in zip(signature.args[:3], (p, q, z), strict=True)
    )
    away = builder.fmul(builder.fsub(across, fine(p0)), fine(step))
    aside = builder.fsub(along, fine(q0))
    zero = ir.Constant(_FINES, [0.0] * LANES)
    size = builder.select(builder.fcmp_ordered("<", aside, zero), builder.fsub(zero, aside), aside)
    square = builder.fadd(builder.fmul(away, away), builder.fmul(aside, aside))
    off = builder.fcmp_ordered(">", square, fine(reach2))
    off = builder.or_(off, builder.fcmp_ordered(">", size, away))
    narrow = builder.fcmp_ordered("==", size, away)
    flags = ir.VectorType(ir.IntType(1), LANES)
    off = builder.or_(off, builder.and_(narrow, _spread(builder, builder.not_(wide), flags)))
    behind = builder.fcmp_ordered("<", step, ir.Constant(_FINE, 0.0))
    own_line = builder.fcmp_ordered("==", away, zero)
    off = builder.or_(off, builder.and_(own_line, _spread(builder, behind, flags)))
    lanes = ir.Constant(_NUMBERS, list(range(LANES)))
    counted = builder.icmp_signed(
        "<", lanes, _spread(builder, builder.trunc(count, _NUMBER), _NUMBERS)
    )
    off = builder.or_(off, builder.not_(counted))
    least = ir.Constant(_FINES, [1e-9] * LANES)
    away = builder.select(builder.fcmp_ordered(">", away, least), away, least)
    one = ir.Constant(_REALS, [1.0] * LANES)
    scale = builder.fdiv(one, reals(away))
    place = builder.fadd(builder.fmul(reals(aside), scale), one)
    place = builder.fmul(place, _spread(builder, half, _REALS))
    place = builder.fsub(place, ir.Constant(_REALS, [0.5] * LANES))
    place = _larger(builder, place, ir.Constant(_REALS, [0.0] * LANES))
    lift = builder.fmul(reals(builder.fsub(height, fine(level))), scale)
    lift = builder.select(off, ir.Constant(_REALS, [float("-inf")] * LANES), lift)
    for kind, array, value in (
        (signature.args[12], places, place),
        (signature.args[13], lifts, lift),
        (signature.args[14], scales, scale),
    ):
        _store(context, builder, kind, array, value, to)
    return context.get_dummy_value()


def _slopes(context, builder, kinds, lifts, scales, lower, first):
    lift, scale = (
        _take(context, builder, kind, array, first)
        for kind, array in zip(kinds, (lifts, scales), strict=True)
    )
    return builder.fadd(lift, builder.fmul(_spread(builder, lower, _REALS), scale))


def _emit_steeper(context, builder, signature, arguments):
    places, lifts, scales, lower, final, horizon, row, first = arguments
    lift = _slopes(context, builder, signature.args[1:3], lifts, scales, lower, first)
    place = _take(context, builder, signature.args[0], places, first)
    height = _horizon(context, builder, signature.args[5], horizon, row, place, final)
    return _mask(builder, builder.fcmp_ordered(">=", lift, height))


def _emit_beyond(context, builder, signature, arguments):
    sectors, lifts, scales, lower, slack, bounds, row, first = arguments
    lift = _slopes(context, builder, signature.args[1:3], lifts, scales, lower, first)
    sector = _take(context, builder, signature.args[0], sectors, first, _NUMBERS)
    data = context.make_array(signature.args[5])(context, builder, bounds).data
    bound = _pick(builder, builder.gep(data, [row]), sector)
    size = _larger(builder, bound, builder.fsub(ir.Constant(_REALS, [0.0] * LANES), bound))
    bound = builder.fadd(bound, builder.fmul(_spread(builder, slack, _REALS), size))
    return _mask(builder, builder.fcmp_ordered(">=", lift, bound))


if numba.config.DISABLE_JIT:
    from watchline.kernels.lanes_plain import beyond_lanes, place_lanes, steeper_lanes
else:
    place_lanes = intrinsic(_place_types)
    steeper_lanes, beyond_lanes = intrinsic(_steeper_types), intrinsic(_beyond_types)
