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
from watchline.kernels.buckets import mark_lost, middle_level, pad_lines, sort_targets
from watchline.kernels.cone import BINS
from watchline.kernels.grid import Grid, Points
from watchline.kernels.lanes import LANES
from watchline.kernels.ray import RANGE_SLACK
from watchline.kernels.sight import candidates, finite_heights
from watchline.kernels.sweep import empty_horizons, sweep_cone


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
    extremes = (np.argmax(mounts), np.argmin(mounts), heads.max())
    for chunk in prange(chunks):
        rays = LANES
        while 2.0 * longest > spacing * rays:
            rays *= 2
        horizon = empty_horizons(mounts.size, rays)
        scratch = (
            horizon,
            horizon.ravel(),
            np.empty(rays, dtype=np.bool_),
            (np.empty(LANES, dtype=np.float32), np.empty(LANES, dtype=np.float32)),
            np.empty(BINS, dtype=np.int64),
            np.empty((BINS, 2), dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest, dtype=np.int64),
            np.empty(longest),
            (
                np.empty(LANES, dtype=np.float32),
                np.empty(LANES, dtype=np.float32),
                np.empty(LANES, dtype=np.float32),
            ),
            mounts.astype(np.float32),
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
                    mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
                continue
            for j in lost:
                if first[i] <= j < last[i]:
                    mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown[i, part])
            planes = (visible[i, part].ravel(), unknown[i, part].ravel(), visible.shape[4])
            for cone in range(4):
                if parts > 1 and cone != part:
                    continue
                step = 1 if cone % 2 == 0 else -1
                if cone < 2:
                    sweep_cone(
                        by_col_flat, cols, rows, col, row, oz[i], step, True, reach2,
                        first[i], last[i], spacing, holes, cull, by_col, mounts, heads, extremes,
                        scratch, planes,
                    )  # fmt: skip
                else:
                    sweep_cone(
                        by_row_flat, rows, cols, row, col, oz[i], step, False, reach2,
                        first[i], last[i], spacing, holes, cull, by_row, mounts, heads, extremes,
                        scratch, planes,
                    )  # fmt: skip


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
    level = middle_level(surface)
    by_col, by_row, lost = sort_targets(grid, targets, level)
    words = word_count(targets.x_m.size)
    sites = observers.x_m.size
    parts = 4 if sites < 8 else 1
    visible = np.zeros((sites, parts, mounts.size, heads.size, words), dtype=np.uint64)
    unknown = np.zeros((sites, parts, heads.size, words), dtype=np.uint64)
    _fan_bits(
        tuple(lines.ravel() for lines in pad_lines(surface, level)),
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
        by_col,
        by_row,
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
