"""The fan of rays for one observer who looks all round: every cell of a window is a target.

The rays, their samples and the comparison with a target are those of :mod:`watchline.kernels.fan`.
As targets are the nodes themselves, they need no lists: on a grid line they follow one another,
sixteen at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels.borrows import BORROWS
from watchline.kernels.buckets import lowest_bit
from watchline.kernels.cone import CHECK, NO_HORIZON, PAD
from watchline.kernels.curvature import EARTH_RADIUS_M
from watchline.kernels.grid import Grid
from watchline.kernels.lanes import LANES, see_lanes, store_mask
from watchline.kernels.ray import RANGE_SLACK, TOUCH_M
from watchline.kernels.sight import finite_heights
from watchline.kernels.sweep import empty_horizons, sample_blocks, split_rays

_TURN = 64  # rows and columns turned at once, to stay within the cache
_BESIDE = LANES + 2  # nodes beyond the edge of a cone that a line is filled with
_FEWEST = 8  # blocks of 16 rays next to the observer


@njit(cache=True, parallel=True)
def _lay_out(surface, level, bend, col, row, by_col, by_row):
    """Fold curvature in and lay the surface out line by line, both ways, ends repeated.

    Heights become relative to `level`, lowered by `bend` times the squared distance in cells from
    (col, row). Of each line only what its cones can touch is filled.
    """
    rows, cols = surface.shape
    for block in prange((rows + _TURN - 1) // _TURN):
        first, last = block * _TURN, min((block + 1) * _TURN, rows)
        for i in range(first, last):
            away2 = (i - row) ** 2
            for j in range(cols):
                by_row[i, PAD + j] = surface[i, j] - level - bend * ((j - col) ** 2 + away2)
            by_row[i, :PAD] = by_row[i, PAD]
            by_row[i, PAD + cols :] = by_row[i, PAD + cols - 1]
        for edge in range(0, cols, _TURN):
            for j in range(edge, min(edge + _TURN, cols)):
                side = abs(j - col) + _BESIDE
                top, bottom = max(int(row - side), first), min(int(row + side), last)
                for i in range(top, bottom):
                    by_col[j, PAD + i] = by_row[i, PAD + j]
    for j in prange(cols):
        if abs(j - col) + _BESIDE > row:
            by_col[j, :PAD] = by_col[j, PAD]
        if row + abs(j - col) + _BESIDE >= rows:
            by_col[j, PAD + rows :] = by_col[j, PAD + rows - 1]


@njit(cache=True, fastmath={"nnan", "nsz"})
def _highest(values, begin, end):
    """Highest of values[begin:end]; none is NaN, and no order of comparing changes the answer."""
    top = values[begin]
    for i in range(begin + 1, end):
        top = max(top, values[i])
    return top


@njit(cache=True)
def _find_tops(flat, lines, size, p0, q0, own, step, steps, reach2, rise, ranges, tops):
    """Find each line's nodes in the cone and range; how steep the rest of them is at most.

    `rise` is the tallest target less the highest mount.
    """
    for s in range(steps):
        line = own + step * s
        away = (line - p0) * step
        ranges[s, 0] = ranges[s, 1] = 0
        tops[s] = -np.inf
        if away < 0.0 or (away == 0.0 and step < 0):
            continue
        side = min(away, np.sqrt(max(reach2 - away * away, 0.0)))
        low = max(int(np.ceil(q0 - side)), 0)
        high = min(int(np.floor(q0 + side)), size - 1) + 1
        if low >= high:
            continue
        ranges[s, 0], ranges[s, 1] = low, high
        here = line * (size + 2 * PAD) + PAD
        top = _highest(flat, here + low, here + high)
        tops[s] = (top + rise) / away if away > 0.0 else np.inf
    for s in range(steps - 2, -1, -1):
        tops[s] = max(tops[s], tops[s + 1])


@njit(**BORROWS)
def _cut_blocks(horizon, top, away, blocks, dead):
    """Mark the blocks of 16 rays that hide all that remains even from the highest mount."""
    # A millimetre and float32 rounding to spare: what is cut must be hidden without the cut, too.
    limit = np.float32(top + 1e-5 * abs(top) + 2e-3 / away)
    for block in range(blocks):
        if dead[block]:
            continue
        hidden = True
        for ray in range(block * LANES, (block + 1) * LANES):
            hidden &= horizon[ray] > limit
        dead[block] = hidden


@njit(**BORROWS)
def _find_runs(blocks, dead, runs):
    """List the runs of blocks to walk: those not cut, and their neighbours, for interpolation."""
    count = 0
    for block in range(blocks):
        if dead[block] and dead[max(block - 1, 0)] and dead[min(block + 1, blocks - 1)]:
            continue
        if count > 0 and runs[count - 1, 1] == block:
            runs[count - 1, 1] = block + 1
        else:
            runs[count, 0], runs[count, 1] = block, block + 1
            count += 1
    return count


@njit(**BORROWS)
def _mark(mask, first, stride, seen):
    """Set what a mask of 16 nodes, `stride` apart, tells."""
    while mask:
        seen[first + lowest_bit(mask) * stride] = True
        mask &= mask - 1


@njit(**BORROWS)
def _look(
    flat, size, line, low, high, q0, away, rays, flat_horizon, across, dead, mounts, heads,
    most, strides, seen, nodes,
):  # fmt: skip
    """Hold the nodes low … high - 1 of a line against the horizon of every mount.

    `most` are the indices of the highest and the lowest mount and of the tallest target; `seen` is
    flat, with so many `nodes` to each mount and target.
    """
    best, worst, tallest = most
    here = line * (size + 2 * PAD) + PAD
    along, from_line = strides
    scale = np.float32(1.0 / away)
    each = rays / (2.0 * away)
    for q in range(low, high, LANES):
        place = np.float32((q - q0 + away) * each - 0.5)
        count = min(high - q, LANES)
        alive = False
        first = max(int(place), 0) // LANES
        for block in range(first, min(int(place + each * count) + 1, rays - 1) // LANES + 1):
            alive |= not dead[block]
        if not alive:
            continue
        to = line * from_line + q * along
        level = np.float32(mounts[best] - heads[tallest])
        # What the highest mount does not see of the tallest target is hidden from all.
        some = see_lanes(
            flat, here + q, level, scale, place, np.float32(each), rays - 1, flat_horizon,
            best * across, count,
        )  # fmt: skip
        if some == 0:
            continue
        for k in range(heads.size):
            level = np.float32(mounts[worst] - heads[k])
            least = see_lanes(
                flat, here + q, level, scale, place, np.float32(each), rays - 1, flat_horizon,
                worst * across, count,
            )  # fmt: skip
            for m in range(mounts.size):
                mask = some
                # What the lowest mount sees of a target, all see.
                if m == worst or least == some:
                    mask = least
                elif m != best or k != tallest:
                    level = np.float32(mounts[m] - heads[k])
                    mask = see_lanes(
                        flat, here + q, level, scale, place, np.float32(each), rays - 1,
                        flat_horizon, m * across, count,
                    )  # fmt: skip
                plane = (m * heads.size + k) * nodes
                if along == 1 and count == LANES:
                    store_mask(mask, seen, plane + to)
                else:
                    _mark(mask, plane + to, along, seen)


@njit(cache=True)
def _sweep(flat, lines, size, p0, q0, step, wide, reach2, spacing, cull, mounts, heads, seen):
    """Sweep one cone over all nodes; `seen` is [mount, head, node], row by row."""
    reach = np.sqrt(reach2)
    own = int(np.floor(p0 + 0.5))
    if step > 0:
        steps = int(min(lines - 1.0, p0 + reach)) - own + 1
    else:
        steps = own - int(max(0.0, np.ceil(p0 - reach))) + 1
    # As many rays as the farthest line asks for, halved as often as leaves some blocks.
    most = max(int(np.ceil(2.0 * (steps + 1.0) / spacing)), LANES)
    halvings = 0
    while most > 2 * _FEWEST * LANES << halvings:
        halvings += 1
    rays = ((most >> halvings) // LANES + 1) * LANES
    most = rays << halvings
    strides = (lines, 1) if wide else (1, size)
    horizon = empty_horizons(mounts.size, most)
    horizon[:] = NO_HORIZON
    flat_horizon = horizon.ravel()
    holed = np.zeros(most, dtype=np.bool_)
    slopes = (np.empty(LANES, dtype=np.float32), np.empty(LANES, dtype=np.float32))
    drops = mounts.astype(np.float32)
    base = np.float32(TOUCH_M)
    width = size + 2 * PAD
    ranges = np.empty((steps, 2), dtype=np.int64)
    tops = np.empty(steps)
    _find_tops(
        flat, lines, size, p0, q0, own, step, steps, reach2, heads.max() - mounts.max(), ranges,
        tops,
    )  # fmt: skip
    dead = np.zeros(most // LANES, dtype=np.bool_)
    runs = np.empty((most // LANES, 2), dtype=np.int64)
    count = _find_runs(rays // LANES, dead, runs)
    best, worst, tallest = np.argmax(mounts), np.argmin(mounts), np.argmax(heads)
    flat_seen = seen.ravel()
    for s in range(steps):
        line = own + step * s
        away = (line - p0) * step
        low, high = ranges[s]
        if low >= high:
            continue
        if not wide:
            # Nodes on the edge between two cones belong to the other kind.
            low += int(q0 - low == away)
            high -= int(high - 1 - q0 == away)
        if away == 0.0:
            for q in range(low, high):
                seen[:, :, line * strides[1] + q * strides[0]] = True
        elif low < high:
            _look(
                flat, size, line, low, high, q0, away, rays, flat_horizon, most, dead, mounts,
                heads, (best, worst, tallest), strides, flat_seen, lines * size,
            )  # fmt: skip
        if s == 0:
            continue
        while 2.0 * away > spacing * rays:
            split_rays(horizon, holed, 0, rays)
            for block in range(rays // LANES - 1, -1, -1):
                dead[2 * block] = dead[2 * block + 1] = dead[block]
            rays *= 2
            count = _find_runs(rays // LANES, dead, runs)
        if cull and s % CHECK == 0:
            _cut_blocks(horizon[best], tops[s], away, rays // LANES, dead)
            count = _find_runs(rays // LANES, dead, runs)
            if count == 0:
                break
        gap = 2.0 * away / rays
        # Rays that have left the raster or the range lead to no target any more.
        out = np.sqrt(max(reach2 - away * away, 0.0)) + 2.0
        left = int(np.ceil((max(-1.0, q0 - out) - q0 + away) / gap - 0.5))
        right = int(np.floor((min(float(size), q0 + out) - q0 + away) / gap - 0.5)) + 1
        first = max(left, 0) // LANES
        last = (min(right, rays) + LANES - 1) // LANES
        here = line * width
        for r in range(count):
            begin, end = max(runs[r, 0], first), min(runs[r, 1], last)
            if begin >= end:
                continue
            sample_blocks(
                flat, here, here - step * width, q0, away, rays, base, begin, end, drops,
                flat_horizon, slopes, s > 1,
            )  # fmt: skip


@njit(cache=True, parallel=True)
def _circle(by_col, by_row, col, row, reach2, spacing, cull, mounts, heads, seen):
    rows, cols = by_row.shape[0], by_col.shape[0]
    for cone in prange(4):
        step = 1 if cone % 2 == 0 else -1
        if cone < 2:
            _sweep(
                by_col.ravel(), cols, rows, col, row, step, True, reach2, spacing, cull, mounts,
                heads, seen,
            )  # fmt: skip
        else:
            _sweep(
                by_row.ravel(), rows, cols, row, col, step, False, reach2, spacing, cull, mounts,
                heads, seen,
            )  # fmt: skip


def circle_flags(
    grid: Grid,
    observer: tuple[float, float, float],
    mount_heights_m: ArrayLike,
    target_heights_m: ArrayLike,
    max_range_m: float = np.inf,
    *,
    spacing: float = 0.5,
    refraction: float | None = None,
    cull: bool = True,
) -> NDArray[np.bool_]:
    """Tell which nodes of a grid one observer sees, by a fan of rays all round.

    Parameters
    ----------
    grid : Grid
        The surface that blocks and on which targets stand, without unknown nodes.
    observer : tuple of float
        x, y and height of the ground there [m].
    mount_heights_m, target_heights_m : array_like, shapes (h,) and (k,)
        Heights of the observer and of the targets above their ground [m].
    max_range_m : float
        Largest horizontal distance [m].
    spacing : float
        Largest gap between neighbouring rays, in cells, above 0 and at most 1.
    refraction : float, optional
        Refraction coefficient: curvature less refraction is folded in about the observer, whose
        own height it does not change. None for a surface into which it is folded already, or for
        a flat Earth.
    cull : bool
        Whether rays that hide all that remains are cut; the result is the same to the bit.

    Returns
    -------
    ndarray of bool, shape (h, k, rows, cols)
        Whether each node is visible.

    Raises
    ------
    UsageError
        If a height or the spacing is out of bounds.
    """
    if not 0 < spacing <= 1:
        raise UsageError(f"spacing = {spacing}", mend="pass a spacing above 0 and at most 1 cell")
    mounts = finite_heights(mount_heights_m, "mount_heights_m")
    heads = finite_heights(target_heights_m, "target_heights_m")
    surface = grid.surface_m
    rows, cols = surface.shape
    col, row = (observer[0] - grid.x0_m) / grid.cell_m, (grid.y0_m - observer[1]) / grid.cell_m
    # Relative to the observer's ground, float32 rounds least where it matters.
    bend = 0.0
    if refraction is not None:
        bend = (1.0 - refraction) * grid.cell_m**2 / (2.0 * EARTH_RADIUS_M)
    by_col = np.empty((cols, rows + 2 * PAD), dtype=np.float32)
    by_row = np.empty((rows, cols + 2 * PAD), dtype=np.float32)
    _lay_out(surface, float(observer[2]), bend, col, row, by_col, by_row)
    seen = np.zeros((mounts.size, heads.size, rows * cols), dtype=np.bool_)
    reach2 = min(max_range_m / grid.cell_m, float(rows + cols)) ** 2 * RANGE_SLACK
    _circle(by_col, by_row, col, row, reach2, float(spacing), cull, mounts, heads, seen)
    return seen.reshape(mounts.size, heads.size, rows, cols)
