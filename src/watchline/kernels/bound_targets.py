"""Targets held against the bounds of their sectors; rays to those in between are walked.

The bounds are those of :mod:`watchline.kernels.bounds`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from watchline.kernels.buckets import lowest_bit, set_bits
from watchline.kernels.cone import PAD
from watchline.kernels.grid import SNAP_CELLS
from watchline.kernels.lanes import LANES
from watchline.kernels.lanes_targets import beyond_lanes
from watchline.kernels.ray import HIDDEN, UNKNOWN, walk_ray


@njit(cache=True)
def highest_of_four(flat, width, p, other_p, q, other_q, lines, size):
    """Highest of the nodes on two lines at two places, those beyond the surface left out."""
    top = -np.inf
    for line in (p, other_p):
        for place in (q, other_q):
            if 0 <= line < lines and 0 <= place < size:
                top = max(top, flat[line * width + PAD + place])
    return top


@njit(cache=True)
def _place_targets(p, q, z, p0, q0, step, wide, rays, reach2, level, room):
    """Say in which sector each target of a line lies, and how steeply above `level`.

    A target outside the cone or the range gets a lift of -infinity. Free of branches and of
    scattered access, so that the compiler makes vectors of it.
    """
    sectors, lifts, scales, _ = room
    half, most = 0.5 * rays, rays - 1.0
    for i in range(p.size):
        dp = (p[i] - p0) * step
        dq = q[i] - q0
        aside = abs(dq)
        scale = 1.0 / max(dp, 1e-9)
        far = dp * dp + dq * dq > reach2
        edge = ((aside == dp) & (not wide)) | ((dp == 0.0) & (step < 0))
        off = far | edge | (aside > dp)
        sectors[i] = np.int32(min(max((dq * scale + 1.0) * half, 0.0), most))
        scales[i] = scale
        lifts[i] = -np.inf if off else (z[i] - level) * scale
    count = p.size
    for i in range(count, count + LANES):
        sectors[i] = 0
        lifts[i] = -np.inf
        scales[i] = 0.0


@njit(cache=True)
def _find_passes(p, q, p0, q0, step, passes):
    """Tell where a ray leaves its target's own cells before the target's line.

    That takes a target between nodes. `passes` is 0 for a target at a node, 1 between nodes, 2
    where the ray does.
    """
    for i in range(p.size):
        node_p, node_q = np.floor(p[i] + 0.5), np.floor(q[i] + 0.5)
        passes[i] = 0
        if abs(p[i] - node_p) > SNAP_CELLS or abs(q[i] - node_q) > SNAP_CELLS:
            back = (p[i] - node_p) * step + 1.0
            slope = (q[i] - q0) / max((p[i] - p0) * step, 1e-9)
            passes[i] = 2 if abs(q[i] - slope * back - node_q) >= 1.0 - 1e-6 else 1


@njit(cache=True)
def _hidden_beside(dp, p, q, z, dq, step, z0, slack, surface, heads, mounts, sure, lane):
    """Whether nodes beside a target's own cells, in sight of a ray to it, might hide it.

    The ray passes between two nodes on the line before the target's and two on the target's.
    """
    flat, lines, size = surface
    line, node_q = int(np.floor(p + 0.5)), int(np.floor(q + 0.5))
    toward = -1 if dq > 0 else 1
    beside = slack - z0 + highest_of_four(
        flat, size + 2 * PAD, line - step, line, node_q + toward, node_q + 2 * toward, lines, size
    )  # fmt: skip
    near = dp - ((p - line) * step + 1.0)
    for m in range(mounts.size):
        above = beside - mounts[m]
        most = above / (near if above > 0 else near + 1.0)
        for k in range(heads.size):
            lift = (z + heads[k] - z0 - mounts[m]) / dp
            if (sure[m, k] >> lane) & 1 and not lift >= most + 2e-6 * abs(most):
                return True
    return False


@njit(cache=True)
def decide_targets(
    begin, end, s, sight, rays, window, surface, buckets, mounts, heads, bounds, walk, room, planes
):
    """Hold the targets of one line against the bounds of their sectors; walk to those in between.

    Returns the number of rays walked.
    """
    p0, q0, z0, step, wide, reach2, slack, off_node = sight
    _, tp, tq, tz, order, _, runs = buckets
    whole, shape, tiles, unknowns, level, beside = walk
    eye, need, at, _, sure, targets = room
    sectors, lifts, scales, passes = targets
    visible, unknown = planes
    flat, words = visible.ravel(), visible.shape[2]
    best, last = int(np.argmax(mounts)), int(np.argmax(heads))
    across = bounds[0].shape[1]
    lower, upper = bounds[0].ravel(), bounds[1].ravel()
    top = z0 + mounts[best] - heads[last]
    count = end - begin
    _place_targets(
        tp[begin:end], tq[begin:end], tz[begin:end], p0, q0, step, wide, rays, reach2, top, targets
    )
    if beside:
        _find_passes(tp[begin:end], tq[begin:end], p0, q0, step, passes)
    # Bounds say nothing of rays that start or end beside the first lines, or meet unknown nodes.
    certain = unknowns.size == 0 and s > 2
    walked = 0
    for block in range(0, count, LANES):
        if certain:
            some = beyond_lanes(
                sectors, lifts, scales, np.float32(0.0), np.float32(-2e-6), lower, best * across,
                block,
            )  # fmt: skip
        else:
            some = 0
            for lane in range(LANES):
                if lifts[block + lane] > -np.inf:
                    some |= 1 << lane
        if some == 0:
            continue
        left = 0
        for m in range(mounts.size):
            for k in range(heads.size):
                down = np.float32(mounts[best] - mounts[m] + heads[k] - heads[last])
                sure[m, k] = some & beyond_lanes(
                    sectors, lifts, scales, down, np.float32(2e-6), upper, m * across, block
                )
                could = beyond_lanes(
                    sectors, lifts, scales, down, np.float32(-2e-6), lower, m * across, block
                )
                left |= some & could & ~sure[m, k]
        if unknowns.size > 0 or (s <= 2 and off_node):
            left = some
        elif beside:
            for lane in range(min(LANES, count - block)):
                passed = passes[block + lane]
                if passed == 0 or not ((some & ~left) >> lane) & 1:
                    continue
                i = begin + block + lane
                dp, dq = (tp[i] - p0) * step, tq[i] - q0
                if s <= 2 or (
                    passed == 2
                    and _hidden_beside(
                        dp,
                        tp[i],
                        tq[i],
                        tz[i],
                        dq,
                        step,
                        z0,
                        slack,
                        surface,
                        heads,
                        mounts,
                        sure,
                        lane,
                    )
                ):
                    left |= 1 << lane
        for m in range(mounts.size):
            for k in range(heads.size):
                plane = (m * heads.size + k) * words
                set_bits(sure[m, k] & ~left, begin + block, order, runs, window, flat, plane)
        while left:
            i = begin + block + lowest_bit(left)
            left &= left - 1
            j = order[i]
            if j < window[0] or j >= window[1]:
                continue
            walked += 1
            ends = (p0, q0, z0 + level, tp[i], tq[i], tz[i] + level)
            if not wide:
                ends = (q0, p0, z0 + level, tq[i], tp[i], tz[i] + level)
            # Mounts that certainly see nothing need not be asked about again.
            floor, sector = mounts.min(), sectors[i - begin]
            for m in range(mounts.size):
                if certain and mounts[m] > floor:
                    least = bounds[0][m, sector]
                    lift = lifts[i - begin] + scales[i - begin] * (mounts[best] - mounts[m])
                    if lift < least - 4e-6 * abs(least):
                        floor = mounts[m]
            state = walk_ray(
                whole, shape, tiles, unknowns, ends, heads, eye, need, at, floor, mounts.max()
            )
            bit = np.uint64(1) << np.uint64(j % 64)
            for k in range(heads.size):
                if state == UNKNOWN:
                    unknown[k, j // 64] |= bit
                for m in range(mounts.size):
                    if state != UNKNOWN and state != HIDDEN and mounts[m] >= need[k]:
                        visible[m, k, j // 64] |= bit
    return walked
