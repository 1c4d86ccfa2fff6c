"""Plain twins of :mod:`watchline.kernels.lanes`, where numba is switched off and in its tests.

What each function takes and gives is written there.
"""

from __future__ import annotations

import numpy as np

LANES = 16
"""Samples of one call."""
NEAR_RAYS = 64
"""Rays behind the first that are read whether they are needed or not: arrays have them to spare."""


def sample_line(flat, line, place, spacing, first, base, scale, out):
    """Sample sixteen rays on one grid line."""
    sample_between(flat, line, line, place, spacing, first, base, scale, out)


def sample_between(flat, line, other, place, spacing, first, base, scale, out):
    """Sample sixteen rays halfway between two grid lines."""
    for lane in range(LANES):
        q = np.float32(place + np.float32(first + lane) * spacing)
        node = int(q)
        near = (flat[line + node] + flat[other + node]) * np.float32(0.5)
        far = (flat[line + node + 1] + flat[other + node + 1]) * np.float32(0.5)
        height = near + np.float32(q - np.float32(node)) * (far - near)
        out[first + lane] = (height - base) * scale


def raise_lanes(values, drop, out, first):
    """Raise sixteen horizons."""
    for lane in range(LANES):
        value = values[lane] - drop
        if value > out[first + lane]:
            out[first + lane] = value


def raise_both(values, drop, others, other_drop, out, first):
    """Raise sixteen horizons to the higher of two slopes."""
    raise_lanes(values, drop, out, first)
    raise_lanes(others, other_drop, out, first)


def bound_sectors(
    flat, line, place, spacing, base, scale, nearer, bends, strip, begin, step, aside, widening,
    high, first, below, near, far,
):  # fmt: skip
    """Bound the surface in sixteen sectors."""
    for lane in range(LANES):
        start = np.float32(place + np.float32(lane) * spacing)
        stop = np.float32(place + np.float32(lane + 1) * spacing)
        ends = np.empty(2, dtype=np.float32)
        for i, q in enumerate((start, stop)):
            node = int(q)
            left, right = flat[line + node], flat[line + node + 1]
            ends[i] = left + np.float32(q - np.float32(node)) * (right - left)
        top, bottom = max(ends[0], ends[1]), min(ends[0], ends[1])
        if int(start) != int(stop):
            top = max(top, flat[line + int(stop)])
            bottom = min(bottom, flat[line + int(stop)])
        node = int(np.float32(begin + np.float32(lane) * step))
        bend = bends[strip + node] * np.float32(aside + np.float32(lane) * widening)
        near[lane] = (high[first + lane] + bend) * nearer
        far[lane] = (top - base) * scale + bend * nearer
        below[lane] = (bottom - base) * scale
        high[first + lane] = top - base


def place_lanes(
    p, q, z, p0, q0, step, wide, half, reach2, level, from_target, count, places, lifts, scales, to
):  # fmt: skip
    """Say between which rays sixteen targets lie, and how steeply they rise."""
    one = np.float32(1.0)
    for lane in range(LANES):
        i, out = from_target + lane, to + lane
        away, aside = (p[i] - p0) * step, q[i] - q0
        off = lane >= count or away * away + aside * aside > reach2 or abs(aside) > away
        off |= (abs(aside) == away and not wide) or (away == 0.0 and step < 0)
        scales[out] = one / np.float32(max(away, 1e-9))
        place = (np.float32(aside) * scales[out] + one) * half - np.float32(0.5)
        places[out] = max(place, np.float32(0.0))
        lift = np.float32(z[i] - level) * scales[out]
        lifts[out] = np.float32(-np.inf) if off else lift


def steeper_lanes(places, lifts, scales, lower, final, horizon, row, first):
    """Hold sixteen targets against a horizon."""
    mask = 0
    for lane in range(LANES):
        place = min(places[first + lane], np.float32(final))
        ray = min(int(place), final - 1)
        share = place - np.float32(ray)
        left, right = horizon[row + ray], horizon[row + ray + 1]
        lift = lifts[first + lane] + lower * scales[first + lane]
        if lift >= left + share * (right - left):
            mask |= 1 << lane
    return mask


def beyond_lanes(sectors, lifts, scales, lower, slack, bounds, row, first):
    """Hold sixteen targets against the bounds of their sectors."""
    mask = 0
    for lane in range(LANES):
        bound = bounds[row + sectors[first + lane]]
        lift = lifts[first + lane] + lower * scales[first + lane]
        if lift >= bound + slack * abs(bound):
            mask |= 1 << lane
    return mask


def see_lanes(
    flat, first, level, scale, place, each, final, horizon, row, count
):  # fmt: skip
    """Hold sixteen nodes against a horizon."""
    mask = 0
    for lane in range(LANES):
        at = max(np.float32(place + np.float32(lane) * each), np.float32(0.0))
        ray = min(int(at), final - 1)
        share = min(at, np.float32(final)) - np.float32(ray)
        left, right = horizon[row + ray], horizon[row + ray + 1]
        lift = (flat[first + lane] - level) * scale
        if lane < count and lift >= left + share * (right - left):
            mask |= 1 << lane
    return mask


def store_mask(mask, seen, to):
    """Write a mask of sixteen as booleans."""
    for lane in range(LANES):
        seen[to + lane] = (mask >> lane) & 1
