"""Line of sight by a fan of rays: many observers, heights and targets at once.

Rays leave each observer in four cones. A ray is sampled once on every grid line across its cone's
axis, by one linear interpolation, and once halfway between two lines, by a bilinear one, and keeps
the steepest slope met so far: one horizon a mount height. The number of rays doubles each octave
of range, so that neighbours stay at most `spacing` cells apart; a child takes over three quarters
of its parent's horizon and one of its parent's neighbour's. When the sweep arrives at a target's
grid line, the target is held against the horizons of the two rays that it lies between. As in
:mod:`watchline.kernels.sight`, the own cells of observer and target never block and a ray that
touches sees.

This is a fan after Franklin's R2 (Franklin, Ray and Mehta 1994) with one dial. What it costs to
look between targets is measured against the exact method, not guessed: interpolating between rays
halves the error of taking the nearest, the samples halfway between lines halve it again.

Only directions that lead to a target are walked, and a direction is cut once its rays hide the
highest target that remains from the highest mount: neither changes one bit of the result.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels.bits import word_count
from watchline.kernels.grid import Grid, Points
from watchline.kernels.lanes import LANES
from watchline.kernels.sight import RANGE_SLACK, candidates, finite_heights
from watchline.kernels.sweep import BINS, PAD, sweep_cone


@njit(cache=True, parallel=True)
def _fan_bits(
    flats,
    rows,
    cols,
    cell,
    x0,
    y0,
    ox,
    oy,
    oz,
    mounts,
    tx,
    ty,
    lost,
    by_col,
    by_row,
    heads,
    reach,
    first,
    last,
    spacing,
    holes,
    cull,
    parts,
    visible,
    unknown,
):
    """Fill the planes; `parts` is 4 to share one observer's cones out, else 1."""
    by_col_flat, by_row_flat = flats
    jobs = ox.size * parts
    chunks = min(jobs, 64)
    longest = max(rows, cols)
    crowd = max(np.max(np.diff(by_col[0])), np.max(np.diff(by_row[0])))
    for chunk in prange(chunks):
        rays = LANES
        while 2.0 * longest > spacing * rays:
            rays *= 2
        scratch = (
            np.empty((mounts.size, rays), dtype=np.float32),
            np.empty(rays, dtype=np.bool_),
            np.empty(LANES, dtype=np.float32),
            np.empty(BINS, dtype=np.int64),
            np.empty((BINS, 2), dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest),
            np.empty(crowd, dtype=np.float32),
            np.empty(crowd, dtype=np.float32),
            np.empty(crowd, dtype=np.float32),
        )
        for job in range(chunk * jobs // chunks, (chunk + 1) * jobs // chunks):
            i = job // parts
            part = job % parts
            col = (ox[i] - x0) / cell
            row = (y0 - oy[i]) / cell
            reach2 = (reach[i] / cell) ** 2 * RANGE_SLACK
            inside = 0.0 <= col <= cols - 1 and 0.0 <= row <= rows - 1
            if np.isnan(oz[i]) or not inside:
                for j in range(first[i], last[i]):
                    _mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
                continue
            for j in lost:
                if first[i] <= j < last[i]:
                    _mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
            for cone in range(4):
                if parts > 1 and cone != part:
                    continue
                step = 1 if cone % 2 == 0 else -1
                if cone < 2:
                    sweep_cone(
                        by_col_flat, cols, rows, col, row, oz[i], step, True, reach2,
                        first[i], last[i], spacing, holes, cull, by_col, mounts, heads, scratch,
                        visible[i, part], unknown[i, part],
                    )  # fmt: skip
                else:
                    sweep_cone(
                        by_row_flat, rows, cols, row, col, oz[i], step, False, reach2,
                        first[i], last[i], spacing, holes, cull, by_row, mounts, heads, scratch,
                        visible[i, part], unknown[i, part],
                    )  # fmt: skip


@njit(cache=True)
def _mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown):
    """Set a target without a ray unknown if it is in range."""
    dp = (tx[j] - x0) / cell - col
    dq = (y0 - ty[j]) / cell - row
    if dp * dp + dq * dq <= reach2:
        for k in range(unknown.shape[0]):
            unknown[k, j // 64] |= np.uint64(1) << np.uint64(j % 64)


@njit(cache=True)
def _sort_stable(keys, order, bins):
    """Reorder `order` by keys[order], an integer below `bins`; equal keys keep their order."""
    start = np.zeros(bins + 1, dtype=np.int64)
    for i in order:
        start[keys[i] + 1] += 1
    start = np.cumsum(start)
    place = start.copy()
    result = np.empty_like(order)
    for i in order:
        result[place[keys[i]]] = i
        place[keys[i]] += 1
    return result, start


@njit(cache=True)
def _bucket(found, p, q, z, lines, size):
    """Sort the targets `found` by the grid line nearest to them, then along it.

    Returns start (lines + 1), p, q, z, original index, and the highest z of each line.
    """
    line = np.floor(p + 0.5).astype(np.int64)
    cell = np.floor(q + 0.5).astype(np.int64)
    order, _ = _sort_stable(cell, found, size)
    order, start = _sort_stable(line, order, lines)
    line_top = np.full(lines, -np.inf)
    for k in range(order.size):
        i = order[k]
        line_top[line[i]] = max(line_top[line[i]], z[i])
        # Sorted by whole cells so far: insertion brings the few that share one into order.
        at = k
        while at > start[line[i]] and q[order[at - 1]] > q[i]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = i
    return start, p[order], q[order], z[order], order, line_top


def fan_bits(
    grid: Grid,
    observers: Points,
    mount_heights_m: ArrayLike,
    targets: Points,
    target_heights_m: ArrayLike,
    max_range_m: ArrayLike = np.inf,
    *,
    spacing: float = 0.5,
    first_target: ArrayLike | None = None,
    last_target: ArrayLike | None = None,
    cull: bool = True,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Tell which observer sees which target, by a fan of rays.

    Parameters
    ----------
    grid, observers, mount_heights_m, targets, target_heights_m, max_range_m
        As in :func:`watchline.kernels.sight.sight_bits`.
    spacing : float
        Largest gap between neighbouring rays, in cells, above 0 and at most 1: 1 is for work on
        screen, 0.5 for design, 0.25 for surfaces with buildings.
    first_target, last_target : int or array_like of int, shape (n,), optional
        Only targets first ≤ j < last are looked at.
    cull : bool
        Whether rays that hide all that remains are cut; the result is the same to the bit.

    Returns
    -------
    visible : ndarray of uint64, shape (n, h, k, words)
        As :func:`watchline.kernels.sight.sight_bits`.
    unknown : ndarray of uint64, shape (n, k, words)
        The rays through unknown ground.

    Raises
    ------
    UsageError
        If shapes do not go together, or a height, range or spacing is out of bounds.
    """
    if not 0 < spacing <= 1:
        raise UsageError(f"spacing = {spacing}", mend="pass a spacing above 0 and at most 1 cell")
    mounts = finite_heights(mount_heights_m, "mount_heights_m")
    heads = finite_heights(target_heights_m, "target_heights_m")
    reach, first, last = candidates(observers, targets, max_range_m, first_target, last_target)
    surface = grid.surface_m
    rows, cols = surface.shape
    # Relative to the middle of the heights, float32 rounds by less than 0.1 mm within ± 1 km.
    level = np.nanmean(surface) if not np.isnan(surface).all() else 0.0
    relative = (surface - level).astype(np.float32)
    ends = ((0, 0), (PAD, PAD))
    flats = (
        np.pad(relative.T, ends, mode="edge").ravel(),
        np.pad(relative, ends, mode="edge").ravel(),
    )
    col = (targets.x_m - grid.x0_m) / grid.cell_m
    row = (grid.y0_m - targets.y_m) / grid.cell_m
    inside = (col >= 0) & (col <= cols - 1) & (row >= 0) & (row <= rows - 1)
    found = np.flatnonzero(inside & ~np.isnan(targets.z_m))
    lost = np.flatnonzero(~inside | np.isnan(targets.z_m))
    z = targets.z_m - level
    words = word_count(col.size)
    sites = observers.x_m.size
    parts = 4 if sites < 8 else 1
    visible = np.zeros((sites, parts, mounts.size, heads.size, words), dtype=np.uint64)
    unknown = np.zeros((sites, parts, heads.size, words), dtype=np.uint64)
    _fan_bits(
        flats,
        rows,
        cols,
        *grid[1:],
        observers.x_m,
        observers.y_m,
        observers.z_m - level,
        mounts,
        targets.x_m,
        targets.y_m,
        lost,
        _bucket(found, col, row, z, cols, rows),
        _bucket(found, row, col, z, rows, cols),
        heads,
        reach,
        first,
        last,
        float(spacing),
        bool(np.isnan(surface).any()),
        cull,
        parts,
        visible,
        unknown,
    )
    if parts == 1:
        return visible[:, 0], unknown[:, 0]
    return np.bitwise_or.reduce(visible, axis=1), np.bitwise_or.reduce(unknown, axis=1)
