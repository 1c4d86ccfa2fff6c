"""Sixteen surface samples at a time.

A loop that reads the surface at scattered places and stores what it read is never vectorised by
the compiler, because it cannot rule out that the stores overwrite the surface. Written as an
intrinsic on vectors of 16 float32, the same arithmetic runs 2-2.5 times as fast. Where numba's
compiler is switched off, plain loops take its place.
"""

from __future__ import annotations

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16
"""Samples of one call."""

_NUMBER, _WORD, _REAL = ir.IntType(32), ir.IntType(64), ir.FloatType()
_NUMBERS, _WORDS, _REALS = (ir.VectorType(kind, LANES) for kind in (_NUMBER, _WORD, _REAL))


def _line_plain(flat, line, place, spacing, first, base, scale, out):
    _between_plain(flat, line, line, place, spacing, first, base, scale, out)


def _between_plain(flat, line, other, place, spacing, first, base, scale, out):
    for lane in range(LANES):
        q = np.float32(place + np.float32(first + lane) * spacing)
        node = int(q)
        near = (flat[line + node] + flat[other + node]) * np.float32(0.5)
        far = (flat[line + node + 1] + flat[other + node + 1]) * np.float32(0.5)
        height = near + np.float32(q - np.float32(node)) * (far - near)
        out[first + lane] = (height - base) * scale


def _raise_plain(values, drop, out, first):
    for lane in range(LANES):
        value = values[lane] - drop
        if value > out[first + lane]:
            out[first + lane] = value


def _sector_plain(flat, line, place, spacing, base, high, low, first):
    for lane in range(LANES):
        start = np.float32(place + np.float32(lane) * spacing)
        stop = np.float32(place + np.float32(lane + 1) * spacing)
        ends = np.empty(2, dtype=np.float32)
        for i, q in enumerate((start, stop)):
            node = int(q)
            near, far = flat[line + node], flat[line + node + 1]
            ends[i] = near + np.float32(q - np.float32(node)) * (far - near)
        top, bottom = max(ends[0], ends[1]), min(ends[0], ends[1])
        if int(start) != int(stop):
            top = max(top, flat[line + int(stop)])
            bottom = min(bottom, flat[line + int(stop)])
        high[first + lane] = top - base
        low[first + lane] = bottom - base


def _bend_plain(bends, line, place, spacing, aside, widening, out, first):
    for lane in range(LANES):
        node = int(np.float32(place + np.float32(lane) * spacing))
        out[first + lane] = bends[line + node] * np.float32(aside + np.float32(lane) * widening)


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


def _sector_types(typing_context, flat, line, place, spacing, base, high, low, first):
    """Bound the surface on a grid line within sectors first … first + 15.

    Sector i of the 16 reaches from ``place + i·spacing`` to ``place + (i + 1)·spacing`` nodes
    behind node `line`, at most one node apart; its highest and lowest height, less `base`, go to
    ``high[first + i]`` and ``low[first + i]``.
    """
    whole, real = types.int64, types.float32
    return types.void(flat, whole, real, real, real, high, low, whole), _emit_sectors


def _bend_types(typing_context, bends, line, place, spacing, aside, widening, out, first):
    """Read the node at ``place + i·spacing`` and store it times ``aside + i·widening``."""
    whole, real = types.int64, types.float32
    return types.void(bends, whole, real, real, real, real, out, whole), _emit_bends


def _raise_types(typing_context, values, drop, out, first):
    """Raise out[first … first + 15] to values[0 … 15] - drop where those are higher, not NaN."""
    return types.void(values, types.float32, out, types.int64), _emit_raise


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


def _emit(context, builder, signature, arguments):
    flat, *lines, place, spacing, first, base, scale, out = arguments
    lanes = builder.fadd(
        _spread(builder, builder.sitofp(first, _REAL), _REALS),
        ir.Constant(_REALS, [float(lane) for lane in range(LANES)]),
    )
    along = builder.fmul(lanes, _spread(builder, spacing, _REALS))
    q = builder.fadd(_spread(builder, place, _REALS), along)
    node = builder.fptosi(q, _NUMBERS)
    share = builder.fsub(q, builder.sitofp(node, _REALS))
    octets = builder.shl(builder.sext(node, _WORDS), ir.Constant(_WORDS, [2] * LANES))
    data = context.make_array(signature.args[0])(context, builder, flat).data
    near, far = _read(builder, data, lines[0], octets)
    if len(lines) == 2:
        half = ir.Constant(_REALS, [0.5] * LANES)
        near, far = (
            builder.fmul(builder.fadd(here, there), half)
            for here, there in zip((near, far), _read(builder, data, lines[1], octets), strict=True)
        )
    height = builder.fadd(near, builder.fmul(share, builder.fsub(far, near)))
    above = builder.fsub(height, _spread(builder, base, _REALS))
    result = builder.fmul(above, _spread(builder, scale, _REALS))
    target = context.make_array(signature.args[-1])(context, builder, out).data
    target = builder.bitcast(builder.gep(target, [first]), _REALS.as_pointer())
    builder.store(result, target).align = 4
    return context.get_dummy_value()


def _along(builder, place, spacing):
    """The places of 16 lanes, and the nodes at or below them."""
    lanes = ir.Constant(_REALS, [float(lane) for lane in range(LANES)])
    q = builder.fadd(
        _spread(builder, place, _REALS), builder.fmul(lanes, _spread(builder, spacing, _REALS))
    )
    return q, builder.fptosi(q, _NUMBERS)


def _store(context, builder, kind, array, value, first):
    target = context.make_array(kind)(context, builder, array).data
    target = builder.bitcast(builder.gep(target, [first]), _REALS.as_pointer())
    builder.store(value, target).align = 4


def _larger(builder, one, other):
    return builder.select(builder.fcmp_ordered(">", one, other), one, other)


def _smaller(builder, one, other):
    return builder.select(builder.fcmp_ordered("<", one, other), one, other)


def _emit_sectors(context, builder, signature, arguments):
    flat, line, place, spacing, base, high, low, first = arguments
    data = context.make_array(signature.args[0])(context, builder, flat).data
    q, node = _along(builder, place, spacing)
    octets = builder.shl(builder.sext(node, _WORDS), ir.Constant(_WORDS, [2] * LANES))
    near, far = _read(builder, data, line, octets)
    share = builder.fsub(q, builder.sitofp(node, _REALS))
    begin = builder.fadd(near, builder.fmul(share, builder.fsub(far, near)))
    # The far end of lane i is the near end of lane i + 1; the seventeenth is read by itself.
    end_q = builder.fadd(place, builder.fmul(ir.Constant(_REAL, float(LANES)), spacing))
    end_node = builder.fptosi(end_q, _NUMBER)
    at = builder.add(line, builder.sext(end_node, _WORD))
    end_near = builder.load(builder.gep(data, [at]))
    end_far = builder.load(builder.gep(data, [builder.add(at, ir.Constant(_WORD, 1))]))
    end_share = builder.fsub(end_q, builder.sitofp(end_node, _REAL))
    end_height = builder.fadd(
        end_near, builder.fmul(end_share, builder.fsub(end_far, end_near))
    )
    shift = ir.Constant(_NUMBERS, list(range(1, LANES + 1)))

    def shifted(values, last, kind):
        return builder.shuffle_vector(values, _spread(builder, last, kind), shift)

    end = shifted(begin, end_height, _REALS)
    middle = shifted(near, end_near, _REALS)
    apart = builder.icmp_signed("!=", node, shifted(node, end_node, _NUMBERS))
    top, bottom = _larger(builder, begin, end), _smaller(builder, begin, end)
    top = builder.select(apart, _larger(builder, top, middle), top)
    bottom = builder.select(apart, _smaller(builder, bottom, middle), bottom)
    level = _spread(builder, base, _REALS)
    _store(context, builder, signature.args[5], high, builder.fsub(top, level), first)
    _store(context, builder, signature.args[6], low, builder.fsub(bottom, level), first)
    return context.get_dummy_value()


def _emit_bends(context, builder, signature, arguments):
    bends, line, place, spacing, aside, widening, out, first = arguments
    data = context.make_array(signature.args[0])(context, builder, bends).data
    _, node = _along(builder, place, spacing)
    begin = builder.gep(data, [line])
    values = ir.Constant(_REALS, ir.Undefined)
    for lane in range(LANES):
        at = ir.Constant(_NUMBER, lane)
        pointer = builder.gep(begin, [builder.extract_element(node, at)])
        values = builder.insert_element(values, builder.load(pointer), at)
    size, _ = _along(builder, aside, widening)
    _store(context, builder, signature.args[6], out, builder.fmul(values, size), first)
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
    sample_line, sample_between, raise_lanes = _line_plain, _between_plain, _raise_plain
    bound_sectors, read_bends = _sector_plain, _bend_plain
else:
    sample_line, sample_between = intrinsic(_line_types), intrinsic(_between_types)
    raise_lanes = intrinsic(_raise_types)
    bound_sectors, read_bends = intrinsic(_sector_types), intrinsic(_bend_types)
