"""Sixteen surface samples at a time.

A loop that reads the surface at scattered places and stores what it read is never vectorised by
the compiler, because it cannot rule out that the stores overwrite the surface. Written as an
intrinsic on vectors of 16 float32, the same arithmetic runs 2-2.5 times as fast, and twice that
again where eight neighbouring rays lie within eight nodes: then two loads and two permutations
(AVX2) bring what sixteen scattered loads did. Where numba's compiler is switched off, plain loops
take its place (:mod:`watchline.kernels.lanes_plain`).
"""

from __future__ import annotations

import numba
from llvmlite import binding, ir
from numba import types
from numba.extending import intrinsic

from watchline.kernels.lanes_plain import LANES, NEAR_RAYS

_AVX2 = "x86" in binding.get_default_triple() and bool(binding.get_host_cpu_features().get("avx2"))
_AVX512 = _AVX2 and bool(binding.get_host_cpu_features().get("avx512f"))
_NUMBER, _WORD, _REAL = ir.IntType(32), ir.IntType(64), ir.FloatType()
_NUMBERS, _WORDS, _REALS = (ir.VectorType(kind, LANES) for kind in (_NUMBER, _WORD, _REAL))


def _line_types(typing_context, flat, line, place, spacing, first, base, scale, out):
    """Sample rays first … first + 15 on one grid line.

    Ray i lies at ``place + i·spacing`` nodes behind node `line` of the flat surface;
    ``out[i] = (height - base)·scale``. All float32; neither array is bounds-checked.
    """
    whole, real = types.int64, types.float32
    return types.void(flat, whole, real, real, whole, real, real, out), _emit


def _between_types(typing_context, flat, line, other, place, spacing, first, base, scale, out):
    """Sample rays first … first + 15 halfway between two grid lines; else as `sample_line`."""
    whole, real = types.int64, types.float32
    return types.void(flat, whole, whole, real, real, whole, real, real, out), _emit


def _sector_types(
    typing_context, flat, line, place, spacing, base, scale, nearer, bends, strip, begin, step,
    aside, widening, high, first, below, near, far,
):  # fmt: skip
    """Bound the surface within sectors first … first + 15, on a grid line and in the strip before.

    Sector i of the 16 reaches from ``place + i·spacing`` to ``place + (i + 1)·spacing`` nodes
    behind node `line`, at most one node apart. ``below[i]`` becomes its lowest height there, less
    `base`, times `scale`. ``high[first + i]`` holds its highest height on the line before, less
    `base`, and then that on this line. `near` and `far` become the two, times `nearer` and
    `scale`, each with the strip's bend times `nearer` on top: the node ``begin + i·step`` behind
    node `strip` of `bends`, times ``aside + i·widening``.
    """
    whole, real = types.int64, types.float32
    return types.void(
        flat, whole, real, real, real, real, real, bends, whole, real, real, real, real, high,
        whole, below, near, far,
    ), _emit_sectors  # fmt: skip


def _see_types(
    typing_context, flat, first, level, scale, place, each, final, horizon, row, count
):  # fmt: skip
    """Hold nodes first … first + 15 of a line, the first `count` of them, against a horizon.

    Their slopes are ``(height - level)·scale``; node i lies ``place + i·each`` rays along the
    horizon that begins at `row`, whose last ray is `final`. Bit i of the answer is node i.
    """
    whole, real = types.int64, types.float32
    return types.int64(flat, whole, real, real, real, real, whole, horizon, whole, whole), _emit_see


def _store_types(typing_context, mask, seen, to):
    """Write a mask of 16 as booleans to seen[to … to + 15]."""
    return types.void(types.int64, seen, types.int64), _emit_store


def _raise_types(typing_context, values, drop, out, first):
    """Raise out[first … first + 15] to values[0 … 15] - drop where those are higher, not NaN."""
    return types.void(values, types.float32, out, types.int64), _emit_raise


def _both_types(typing_context, values, drop, others, other_drop, out, first):
    """As `raise_lanes`, to the higher of values[0 … 15] - drop and others[0 … 15] - other_drop."""
    real = types.float32
    return types.void(values, real, others, real, out, types.int64), _emit_both


def _spread(builder, value, kind):
    """A vector that holds one value in all lanes."""
    empty = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(empty, value, ir.Constant(_NUMBER, 0))
    return builder.shuffle_vector(one, empty, ir.Constant(_NUMBERS, [0] * LANES))


def _read(builder, data, line, nodes):
    """Each lane's node and the next on a line, as one 64-bit load (little-endian machines)."""
    begin = _spread(builder, builder.ptrtoint(builder.gep(data, [line]), _WORD), _WORDS)
    address = builder.add(begin, nodes)
    pairs = ir.Constant(_WORDS, ir.Undefined)
    for lane in range(LANES):
        at = ir.Constant(_NUMBER, lane)
        pointer = builder.inttoptr(builder.extract_element(address, at), _WORD.as_pointer())
        pair = builder.load(pointer)
        pair.align = 4
        pairs = builder.insert_element(pairs, pair, at)
    upper = builder.lshr(pairs, ir.Constant(_WORDS, [32] * LANES))
    return [builder.bitcast(builder.trunc(part, _NUMBERS), _REALS) for part in (pairs, upper)]


def _nodes(builder, q):
    """The node at or below each place, and the share of the way to the next.

    Places rise from lane to lane by at most 1. Rounding may lift the last of 8 (or 16) places by
    nearly 8 to 8; it is then the far end of the step before, so that `_neighbours` finds it.
    """
    node = builder.fptosi(q, _NUMBERS)
    size = LANES if _AVX512 else 8
    starts = ir.Constant(_NUMBERS, [lane // size * size for lane in range(LANES)])
    begin = builder.shuffle_vector(node, ir.Constant(_NUMBERS, ir.Undefined), starts)
    last = builder.add(begin, ir.Constant(_NUMBERS, [size - 1] * LANES))
    node = builder.select(builder.icmp_signed("<", node, last), node, last)
    return node, builder.fsub(q, builder.sitofp(node, _REALS))


def _neighbours(builder, data, line, node):
    """Each lane's node and the next on a line, for places as `_nodes` takes them.

    Eight lanes lie within eight nodes: with AVX2 two loads and two permutations bring them, and
    sixteen at once with AVX-512.
    """
    if _AVX512:
        permute = builder.module.declare_intrinsic(
            "llvm.x86.avx512.permvar.sf.512", (), ir.FunctionType(_REALS, [_REALS, _NUMBERS])
        )
        first = builder.extract_element(node, ir.Constant(_NUMBER, 0))
        place = builder.sub(node, _spread(builder, first, _NUMBERS))
        at = builder.add(line, builder.sext(first, _WORD))
        found = []
        for step in (0, 1):
            pointer = builder.gep(data, [builder.add(at, ir.Constant(_WORD, step))])
            values = builder.load(builder.bitcast(pointer, _REALS.as_pointer()))
            values.align = 4
            found.append(builder.call(permute, [values, place]))
        return found
    if not _AVX2:
        octets = builder.shl(builder.sext(node, _WORDS), ir.Constant(_WORDS, [2] * LANES))
        return _read(builder, data, line, octets)
    eight_reals, eight_numbers = ir.VectorType(_REAL, 8), ir.VectorType(_NUMBER, 8)
    permute = builder.module.declare_intrinsic(
        "llvm.x86.avx2.permps", (), ir.FunctionType(eight_reals, [eight_reals, eight_numbers])
    )
    empty = ir.Constant(_NUMBERS, ir.Undefined)
    halves = []
    for begin in (0, 8):
        lanes = ir.Constant(eight_numbers, list(range(begin, begin + 8)))
        mine = builder.shuffle_vector(node, empty, lanes)
        first = builder.extract_element(node, ir.Constant(_NUMBER, begin))
        whole = ir.Constant(eight_numbers, ir.Undefined)
        whole = builder.insert_element(whole, first, ir.Constant(_NUMBER, 0))
        whole = builder.shuffle_vector(whole, whole, ir.Constant(eight_numbers, [0] * 8))
        place = builder.sub(mine, whole)
        at = builder.add(line, builder.sext(first, _WORD))
        half = []
        for step in (0, 1):
            pointer = builder.gep(data, [builder.add(at, ir.Constant(_WORD, step))])
            values = builder.load(builder.bitcast(pointer, eight_reals.as_pointer()))
            values.align = 4
            half.append(builder.call(permute, [values, place]))
        halves.append(half)
    both = ir.Constant(_NUMBERS, list(range(LANES)))
    return [builder.shuffle_vector(low, high, both) for low, high in zip(*halves, strict=True)]


def _pick(builder, begin, places):
    """Each lane's value at its place behind a pointer."""
    values = ir.Constant(_REALS, ir.Undefined)
    for lane in range(LANES):
        at = ir.Constant(_NUMBER, lane)
        pointer = builder.gep(begin, [builder.extract_element(places, at)])
        values = builder.insert_element(values, builder.load(pointer), at)
    return values


def _emit(context, builder, signature, arguments):
    flat, *lines, place, spacing, first, base, scale, out = arguments
    lanes = builder.fadd(
        _spread(builder, builder.sitofp(first, _REAL), _REALS),
        ir.Constant(_REALS, [float(lane) for lane in range(LANES)]),
    )
    along = builder.fmul(lanes, _spread(builder, spacing, _REALS))
    q = builder.fadd(_spread(builder, place, _REALS), along)
    node, share = _nodes(builder, q)
    data = context.make_array(signature.args[0])(context, builder, flat).data
    near, far = _neighbours(builder, data, lines[0], node)
    if len(lines) == 2:
        half = ir.Constant(_REALS, [0.5] * LANES)
        near, far = (
            builder.fmul(builder.fadd(here, there), half)
            for here, there in zip(
                (near, far), _neighbours(builder, data, lines[1], node), strict=True
            )
        )
    height = builder.fadd(near, builder.fmul(share, builder.fsub(far, near)))
    above = builder.fsub(height, _spread(builder, base, _REALS))
    result = builder.fmul(above, _spread(builder, scale, _REALS))
    target = context.make_array(signature.args[-1])(context, builder, out).data
    target = builder.bitcast(builder.gep(target, [first]), _REALS.as_pointer())
    builder.store(result, target).align = 4
    return context.get_dummy_value()


def _along(builder, place, spacing):
    """The places of 16 lanes."""
    lanes = ir.Constant(_REALS, [float(lane) for lane in range(LANES)])
    return builder.fadd(
        _spread(builder, place, _REALS), builder.fmul(lanes, _spread(builder, spacing, _REALS))
    )


def _store(context, builder, kind, array, value, first):
    target = context.make_array(kind)(context, builder, array).data
    target = builder.bitcast(builder.gep(target, [first]), _REALS.as_pointer())
    builder.store(value, target).align = 4


def _larger(builder, one, other):
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


def _smaller(builder, one, other):
    return builder.select(builder.fcmp_ordered("<", one, other), one, other)


def _emit_sectors(context, builder, signature, arguments):
    (
        flat, line, place, spacing, base, scale, nearer, bends, strip, begin, step, aside,
        widening, high, first, below, near, far,
    ) = arguments  # fmt: skip
    data = context.make_array(signature.args[0])(context, builder, flat).data
    node, share = _nodes(builder, _along(builder, place, spacing))
    left, right = _neighbours(builder, data, line, node)
    start = builder.fadd(left, builder.fmul(share, builder.fsub(right, left)))
    # The far end of lane i is the near end of lane i + 1; the seventeenth is read by itself.
    end_q = builder.fadd(place, builder.fmul(ir.Constant(_REAL, float(LANES)), spacing))
    end_node = builder.fptosi(end_q, _NUMBER)
    at = builder.add(line, builder.sext(end_node, _WORD))
    end_left = builder.load(builder.gep(data, [at]))
    end_right = builder.load(builder.gep(data, [builder.add(at, ir.Constant(_WORD, 1))]))
    end_share = builder.fsub(end_q, builder.sitofp(end_node, _REAL))
    last = builder.fadd(end_left, builder.fmul(end_share, builder.fsub(end_right, end_left)))
    shift = ir.Constant(_NUMBERS, list(range(1, LANES + 1)))

    def shifted(values, last, kind):
        return builder.shuffle_vector(values, _spread(builder, last, kind), shift)

    stop = shifted(start, last, _REALS)
    middle = shifted(left, end_left, _REALS)
    apart = builder.icmp_signed("!=", node, shifted(node, end_node, _NUMBERS))
    top, bottom = _larger(builder, start, stop), _smaller(builder, start, stop)
    top = builder.select(apart, _larger(builder, top, middle), top)
    bottom = builder.select(apart, _smaller(builder, bottom, middle), bottom)
    level, scale = _spread(builder, base, _REALS), _spread(builder, scale, _REALS)
    nearer = _spread(builder, nearer, _REALS)
    bend_data = context.make_array(signature.args[7])(context, builder, bends).data
    at_bend, _ = _nodes(builder, _along(builder, begin, step))
    bend, _ = _neighbours(builder, bend_data, strip, at_bend)
    bend = builder.fmul(bend, _along(builder, aside, widening))
    before = _take(context, builder, signature.args[13], high, first)
    top = builder.fsub(top, level)
    raised = builder.fadd(builder.fmul(top, scale), builder.fmul(bend, nearer))
    zero = ir.Constant(_WORD, 0)
    for kind, array, value, to in (
        (signature.args[13], high, top, first),
        (signature.args[15], below, builder.fmul(builder.fsub(bottom, level), scale), zero),
        (signature.args[16], near, builder.fmul(builder.fadd(before, bend), nearer), zero),
        (signature.args[17], far, raised, zero),
    ):
        _store(context, builder, kind, array, value, to)
    return context.get_dummy_value()


def _take(context, builder, kind, array, first, vector=_REALS):
    """Sixteen values that follow one another."""
    source = context.make_array(kind)(context, builder, array).data
    values = builder.load(builder.bitcast(builder.gep(source, [first]), vector.as_pointer()))
    values.align = 4
    return values


def _mask(builder, flags):
    return builder.zext(builder.bitcast(flags, ir.IntType(LANES)), _WORD)


def _horizon(context, builder, kind, horizon, row, place, final):
    """The horizon at places between its rays."""
    final = builder.trunc(final, _NUMBER)
    most = _spread(builder, builder.sub(final, ir.Constant(_NUMBER, 1)), _NUMBERS)
    # First of all within the rays: targets of other cones may lie anywhere.
    place = _smaller(builder, place, _spread(builder, builder.sitofp(final, _REAL), _REALS))
    ray = builder.fptosi(place, _NUMBERS)
    ray = builder.select(builder.icmp_signed("<", ray, most), ray, most)
    share = builder.fsub(place, builder.sitofp(ray, _REALS))
    data = context.make_array(kind)(context, builder, horizon).data

    def scattered():
        octets = builder.shl(builder.sext(ray, _WORDS), ir.Constant(_WORDS, [2] * LANES))
        return _read(builder, data, row, octets)

    if _AVX512:
        left, right = _near_rays(builder, data, row, ray, scattered)
    else:
        left, right = scattered()
    return builder.fadd(left, builder.fmul(share, builder.fsub(right, left)))


def _near_rays(builder, data, row, ray, scattered):
    """Each lane's ray and the next: by permutation where all lie within 64 rays of the first."""
    permute = builder.module.declare_intrinsic(
        "llvm.x86.avx512.vpermi2var.ps.512", (),
        ir.FunctionType(_REALS, [_REALS, _NUMBERS, _REALS]),
    )  # fmt: skip
    first = builder.extract_element(ray, ir.Constant(_NUMBER, 0))
    beyond = builder.sub(ray, _spread(builder, first, _NUMBERS))
    near = builder.icmp_unsigned("<", beyond, ir.Constant(_NUMBERS, [NEAR_RAYS] * LANES))
    all_near = builder.icmp_unsigned(
        "==", builder.bitcast(near, ir.IntType(LANES)), ir.Constant(ir.IntType(LANES), -1)
    )
    with builder.if_else(all_near, likely=True) as (then, otherwise):
        with then:
            at = builder.add(row, builder.sext(first, _WORD))
            low = builder.icmp_unsigned("<", beyond, ir.Constant(_NUMBERS, [32] * LANES))
            together = []
            for step in (0, 1):
                parts = []
                for part in range(0, NEAR_RAYS, LANES):
                    pointer = builder.gep(data, [builder.add(at, ir.Constant(_WORD, part + step))])
                    values = builder.load(builder.bitcast(pointer, _REALS.as_pointer()))
                    values.align = 4
                    parts.append(values)
                lower = builder.call(permute, [parts[0], beyond, parts[1]])
                upper = builder.call(permute, [parts[2], beyond, parts[3]])
                together.append(builder.select(low, lower, upper))
            from_then = builder.block
        with otherwise:
            apart = scattered()
            from_otherwise = builder.block
    found = []
    for one, other in zip(together, apart, strict=True):
        joined = builder.phi(_REALS)
        joined.add_incoming(one, from_then)
        joined.add_incoming(other, from_otherwise)
        found.append(joined)
    return found


def _emit_see(context, builder, signature, arguments):
    flat, first, level, scale, place, each, final, horizon, row, count = arguments
    height = _take(context, builder, signature.args[0], flat, first)
    lift = builder.fsub(height, _spread(builder, level, _REALS))
    lift = builder.fmul(lift, _spread(builder, scale, _REALS))
    places = _along(builder, place, each)
    places = _larger(builder, places, ir.Constant(_REALS, [0.0] * LANES))
    edge = _horizon(context, builder, signature.args[7], horizon, row, places, final)
    lanes = ir.Constant(_NUMBERS, list(range(LANES)))
    counted = builder.icmp_signed(
        "<", lanes, _spread(builder, builder.trunc(count, _NUMBER), _NUMBERS)
    )
    visible = builder.and_(builder.fcmp_ordered(">=", lift, edge), counted)
    return _mask(builder, visible)


def _emit_store(context, builder, signature, arguments):
    mask, seen, to = arguments
    octets = ir.VectorType(ir.IntType(8), LANES)
    flags = builder.bitcast(
        builder.trunc(mask, ir.IntType(LANES)), ir.VectorType(ir.IntType(1), LANES)
    )
    data = context.make_array(signature.args[1])(context, builder, seen).data
    target = builder.bitcast(builder.gep(data, [to]), octets.as_pointer())
    builder.store(builder.zext(flags, octets), target).align = 1
    return context.get_dummy_value()


def _emit_both(context, builder, signature, arguments):
    values, drop, others, other_drop, out, first = arguments
    zero = ir.Constant(_WORD, 0)
    target = context.make_array(signature.args[4])(context, builder, out).data
    target = builder.bitcast(builder.gep(target, [first]), _REALS.as_pointer())
    best = builder.load(target)
    best.align = 4
    for kind, array, less in (
        (signature.args[0], values, drop),
        (signature.args[2], others, other_drop),
    ):
        new = _take(context, builder, kind, array, zero)
        best = _larger(builder, builder.fsub(new, _spread(builder, less, _REALS)), best)
    builder.store(best, target).align = 4
    return context.get_dummy_value()


def _emit_raise(context, builder, signature, arguments):
    values, drop, out, first = arguments
    source = context.make_array(signature.args[0])(context, builder, values).data
    new = builder.load(builder.bitcast(source, _REALS.as_pointer()))
    new.align = 4
    new = builder.fsub(new, _spread(builder, drop, _REALS))
    target = context.make_array(signature.args[2])(context, builder, out).data
    target = builder.bitcast(builder.gep(target, [first]), _REALS.as_pointer())
    old = builder.load(target)
    old.align = 4
    builder.store(builder.select(builder.fcmp_ordered(">", new, old), new, old), target).align = 4
    return context.get_dummy_value()


if numba.config.DISABLE_JIT:
    from watchline.kernels.lanes_plain import (
        bound_sectors,
        raise_both,
        raise_lanes,
        sample_between,
        sample_line,
        see_lanes,
        store_mask,
    )
else:
    sample_line, sample_between = intrinsic(_line_types), intrinsic(_between_types)
    raise_lanes, raise_both = intrinsic(_raise_types), intrinsic(_both_types)
    bound_sectors = intrinsic(_sector_types)
    see_lanes, store_mask = intrinsic(_see_types), intrinsic(_store_types)
