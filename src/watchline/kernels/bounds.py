"""Certain bounds on the horizon, so that few rays must be walked to know all exactly.

Each cone of directions round an observer is cut into narrow sectors. Swept outward grid line by
grid line, a sector keeps two slopes for every mount height:

- `lower`: along every ray of the sector something is at least that steep. It is the steepest of
  the sector's lowest slopes, one a grid line.
- `upper`: nothing along any ray of the sector is steeper. On a grid line the surface is linear
  between nodes, so its highest point in the sector is at an end or at a node. Between two lines a
  ray that moves Δ nodes aside runs below the chord between its two crossings plus
  |Δ|/4 · (the largest slope along the one line − the least along the other), both over the cells
  that the ray can touch: with the slopes a on the near and b on the far line, what the bilinear
  surface adds to the chord at the share u is at most u(1 − u)|Δ|·(max a − min b), or the same with
  the lines exchanged where the ray moves the other way.

A target steeper than `upper` is seen, one below `lower` is hidden, whatever ray of the sector leads
to it; both with room for float32 rounding. The few in between are walked
(:mod:`watchline.kernels.bound_targets`). So the answer is that of walking every ray, to the bit.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from watchline.kernels.bound_targets import decide_targets, highest_of_four
from watchline.kernels.buckets import mark_lost
from watchline.kernels.cone import BINS, CHECK, NO_HORIZON, PAD, cut_rays, find_runs, plan_cone
from watchline.kernels.grid import SNAP_CELLS
from watchline.kernels.lanes import LANES, bound_sectors, raise_lanes
from watchline.kernels.ray import RANGE_SLACK, TOUCH_M

SPACING = 0.5
"""Widest sector, in cells: narrower ones leave fewer rays to walk and cost more to sweep."""

_FEWEST = 2 * LANES  # sectors of a cone: no block of lanes looks to both sides of its axis


@njit(cache=True, parallel=True)
def find_bends(lines):
    """Bound how far the surface between grid lines may rise above a chord, from node to node.

    Parameters
    ----------
    lines : ndarray of float32, shape (lines, width)
        The surface, line by line.

    Returns
    -------
    outward, inward : ndarray of float32, shape (lines, width)
        For the strip between lines p and p + 1 and a ray over cells q … q + 2 that moves one node
        aside: a quarter of the largest slope on line p less the least on line p + 1, and the same
        with the lines exchanged; at least 0.
    """
    count, width = lines.shape
    outward, inward = np.zeros((count, width), np.float32), np.zeros((count, width), np.float32)
    for p in prange(count - 1):
        for q in range(width - 3):
            near_high = far_high = np.float32(-np.inf)
            near_low = far_low = np.float32(np.inf)
            for k in range(q, q + 3):
                near = lines[p, k + 1] - lines[p, k]
                far = lines[p + 1, k + 1] - lines[p + 1, k]
                near_high, near_low = max(near_high, near), min(near_low, near)
                far_high, far_low = max(far_high, far), min(far_low, far)
            outward[p, q] = np.float32(0.25) * max(near_high - far_low, np.float32(0.0))
            inward[p, q] = np.float32(0.25) * max(far_high - near_low, np.float32(0.0))
    return outward, inward


@njit(cache=True)
def _split_sectors(bounds, low, high):
    """Cut every sector of low … high - 1 in two, in place; what held for it holds for both."""
    lower, upper, high_m, _ = bounds
    for m in range(lower.shape[0]):
        for k in range(high - 1, low - 1, -1):
            value = lower[m, k]
            lower[m, 2 * k + 1] = value
            lower[m, 2 * k] = value
            value = upper[m, k]
            upper[m, 2 * k + 1] = value
            upper[m, 2 * k] = value
    for k in range(high - 1, low - 1, -1):
        value = high_m[k]
        high_m[2 * k + 1] = value
        high_m[2 * k] = value


@njit(cache=True)
def _sweep_line(
    flat, bends, line, step, width, p0, q0, away, rays, begin, done, strip, slack, base, bounds,
    drops,
):  # fmt: skip
    """Take one grid line into the bounds of the blocks begin … done - 1 of 16 sectors.

    `strip` says whether the strip before the line counts, too.
    """
    lower, upper, high_m, spare = bounds
    below, near, far = spare
    across = lower.shape[1]
    flat_lower, flat_upper = lower.ravel(), upper.ravel()
    here = line * width
    between = here if step < 0 else here - width
    gap = 2.0 * away / rays
    closer = 2.0 * (away - 1.0) / rays
    side = 2.0 / rays
    scale = np.float32(1.0 / away)
    nearer = np.float32(1.0 / (away - 1.0) if strip else 0.0)
    for block in range(begin, done):
        lane = block * LANES
        right = 2 * lane >= rays
        place = q0 - away + PAD + lane * gap
        # Bends are read from the lower end of what the sector sweeps on, less a hair.
        start, lanes = place - 1e-4, gap
        aside, widening = 1.0 - lane * side, -side
        if right:
            start, lanes = q0 - (away - 1.0) + PAD + lane * closer - 1e-4, closer
            aside, widening = (lane + 1) * side - 1.0, side
        if not strip:
            start, lanes, aside, widening = place, gap, 0.0, 0.0
        whole, from_node = int(place), int(start)
        bound_sectors(
            flat, here + whole, np.float32(place - whole), np.float32(gap), base, scale, nearer,
            bends[0] if (step > 0) == right else bends[1],
            between + from_node, np.float32(start - from_node), np.float32(lanes),
            np.float32(aside), np.float32(widening), high_m, lane, below, near, far,
        )  # fmt: skip
        for m in range(drops.size):
            row = m * across + lane
            raise_lanes(below, (drops[m] + slack) * scale, flat_lower, row)
            raise_lanes(far, (drops[m] - slack) * scale, flat_upper, row)
            if strip:
                raise_lanes(near, (drops[m] - slack) * nearer, flat_upper, row)


@njit(cache=True)
def _raise_beside(flat, lines, size, p0, q0, step, own, rays, level, slack, upper, drops):
    """Take in what lies beside the own cells of an observer between nodes, before the first line.

    Nothing there is nearer than half a cell or farther than one and a half.
    """
    width = size + 2 * PAD
    own_q = int(np.floor(q0 + 0.5))
    away = (own + step - p0) * step
    for side in (-1, 1):
        top = highest_of_four(
            flat, width, own, own + step, own_q + side, own_q + 2 * side, lines, size
        )
        for m in range(drops.size):
            above = top + slack - level - drops[m]
            slope = np.float32(above / 0.5 if above > 0 else above / 1.5)
            for k in range(rays):
                edge = -1.0 + 2.0 * (k + (1 if side > 0 else 0)) / rays
                if side * (q0 + edge * away - own_q) >= 1.0 - 1e-6:
                    upper[m, k] = max(upper[m, k], slope)


@njit(cache=True)
def _bound_cone(
    flat, bends, lines, size, p0, q0, z0, step, wide, reach2, window, slack, holes,
    buckets, mounts, heads, walk, scratch, planes,
):  # fmt: skip
    """Sweep one cone of one observer and set the bits of its targets; see sweep_cone."""
    start, _, tq, _, _, line_top, _ = buckets
    lower, upper, high_m, spare, farthest, runs, begins, ends, tops, room = scratch
    bounds = (lower, upper, high_m, spare)
    drops = room[3]
    reach = np.sqrt(reach2)
    own = int(np.floor(p0 + 0.5))
    if step > 0:
        steps = int(min(lines - 1.0, p0 + reach + 1.0)) - own + 1
    else:
        steps = own - int(max(0.0, np.ceil(p0 - reach - 1.0))) + 1
    best = int(np.argmax(mounts))
    end = plan_cone(
        p0, q0, z0, step, own, steps, reach2, start, tq, line_top, heads.max() - mounts[best],
        begins, ends, farthest, tops,
    )  # fmt: skip
    off_node = abs(p0 - own) > SNAP_CELLS or abs(q0 - np.floor(q0 + 0.5)) > SNAP_CELLS
    sight = (p0, q0, z0, step, wide, reach2, slack, off_node)
    rays = _FEWEST
    lower[:, :rays] = NO_HORIZON
    upper[:, :rays] = NO_HORIZON
    high_m[:rays] = 0.0
    base = np.float32(z0 + TOUCH_M)
    small = np.float32(slack)
    width = size + 2 * PAD
    count, lowest, highest = find_runs(0, rays, farthest, runs)
    walked = 0
    for s in range(end + 1):
        line = own + step * s
        if begins[s] < ends[s]:
            walked += decide_targets(
                begins[s], ends[s], s, sight, rays, window, (flat, lines, size), buckets, mounts,
                heads, bounds, walk, room, planes,
            )  # fmt: skip
        if s == 0 or s == end:
            continue
        away = (line - p0) * step
        while 2.0 * away > SPACING * rays:
            _split_sectors(bounds, lowest, highest)
            rays *= 2
            count, lowest, highest = find_runs(s, rays, farthest, runs)
        if s % CHECK == 0:
            if rays >= BINS:
                cut_rays(s, away, rays, tops[s], best, farthest, lower)
            count, lowest, highest = find_runs(s, rays, farthest, runs)
            if count == 0 and not holes:
                break
        gap = 2.0 * away / rays
        # Sectors that have left the raster lead to no target any more.
        left = int(np.floor((-1.0 - q0 + away) / gap))
        right = int(np.ceil((size - q0 + away) / gap))
        done = 0
        for r in range(count):
            begin = max(max(runs[r, 0], left) // LANES, done)
            done = max((min(runs[r, 1], right) + LANES - 1) // LANES, done)
            if begin >= done:
                continue
            _sweep_line(
                flat, bends, line, step, width, p0, q0, away, rays, begin, done, s > 1, small,
                base, bounds, drops,
            )  # fmt: skip
        if s == 1 and off_node:
            _raise_beside(
                flat, lines, size, p0, q0, step, own, rays, z0 + TOUCH_M, slack, upper, drops
            )
    return walked


@njit(cache=True, parallel=True)
def bounded_bits(
    flats, bends, rows, cols, cell, x0, y0, ox, oy, oz, mounts, tx, ty, lost, by_col, by_row,
    heads, reach, first, last, slack, whole, tiles, unknowns, level, beside, parts, visible,
    unknown, walked,
):  # fmt: skip
    """Fill the planes; `parts` is 4 to share one observer's cones out, else 1."""
    jobs = ox.size * parts
    chunks = min(jobs, 64)
    longest = max(rows, cols)
    holes = unknowns.size > 0
    crowd = max(np.max(np.diff(by_col[0])), np.max(np.diff(by_row[0]))) + LANES
    for chunk in prange(chunks):
        rays = _FEWEST
        while 2.0 * longest > SPACING * rays:
            rays *= 2
        scratch = (
            np.empty((mounts.size, rays), dtype=np.float32),
            np.empty((mounts.size, rays), dtype=np.float32),
            np.empty(rays, dtype=np.float32),
            (
                np.empty(LANES, dtype=np.float32), np.empty(LANES, dtype=np.float32),
                np.empty(LANES, dtype=np.float32),
            ),
            np.empty(BINS, dtype=np.int64),
            np.empty((BINS, 2), dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest),
            (
                np.empty(heads.size), np.empty(heads.size), np.empty(heads.size),
                mounts.astype(np.float32), np.empty((mounts.size, heads.size), dtype=np.int64),
                (
                    np.empty(crowd, dtype=np.int32), np.empty(crowd, dtype=np.float32),
                    np.empty(crowd, dtype=np.float32), np.empty(crowd, dtype=np.int8),
                ),
            ),
        )  # fmt: skip
        for job in range(chunk * jobs // chunks, (chunk + 1) * jobs // chunks):
            i = job // parts
            part = job % parts
            col = (ox[i] - x0) / cell
            row = (y0 - oy[i]) / cell
            reach2 = (reach[i] / cell) ** 2 * RANGE_SLACK
            window = (first[i], last[i])
            planes = (visible[i, part], unknown[i, part])
            walk = (whole, (rows, cols), tiles, unknowns, level, beside)
            inside = 0.0 <= col <= cols - 1 and 0.0 <= row <= rows - 1
            if np.isnan(oz[i]) or not inside:
                for j in range(first[i], last[i]):
                    mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
                continue
            for j in lost:
                if first[i] <= j < last[i]:
                    mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
            for cone in range(4):
                if parts > 1 and cone != part:
                    continue
                step = 1 if cone % 2 == 0 else -1
                if cone < 2:
                    walked[i, part] += _bound_cone(
                        flats[0], (bends[0], bends[1]), cols, rows, col, row, oz[i], step, True,
                        reach2, window, slack, holes, by_col, mounts, heads, walk, scratch, planes,
                    )  # fmt: skip
                else:
                    walked[i, part] += _bound_cone(
                        flats[1], (bends[2], bends[3]), rows, cols, row, col, oz[i], step, False,
                        reach2, window, slack, holes, by_row, mounts, heads, walk, scratch, planes,
                    )  # fmt: skip
