"""Line of sight by a fan of rays on a GPU: one block of threads a site and cone.

The same bits as :mod:`watchline.kernels.fan`; how a cone is swept is in
:mod:`watchline.kernels.cuda_sweep`. Like that module, only :mod:`watchline.kernels.device` may
import this one.
"""

from __future__ import annotations

import math

import numpy as np
from numba import cuda
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels.bits import word_count
from watchline.kernels.buckets import middle_level, pad_lines
from watchline.kernels.cuda_sweep import product, sweep_kernel
from watchline.kernels.grid import Grid, Points
from watchline.kernels.lanes import LANES
from watchline.kernels.ray import RANGE_SLACK
from watchline.kernels.sight import candidates, finite_heights

_ROOM_BYTES = 2**29  # horizons of all blocks
_PLANE_BYTES = 2**28  # planes of one launch
_MOST_BLOCKS = 65_535  # of a launch's second dimension


@cuda.jit(cache=True)
def lost_kernel(rows, cols, col0, row0, z0, reach2, first, last, col1, row1, z1, unknown):
    """Set the pairs in range unknown that have an end off the raster or without ground."""
    for i in range(cuda.blockIdx.x, z0.size, cuda.gridDim.x):
        nowhere = not (0.0 <= col0[i] <= cols - 1 and 0.0 <= row0[i] <= rows - 1)
        nowhere = nowhere or math.isnan(z0[i])
        begin = first[i] + cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.x
        for j in range(begin, last[i], cuda.gridDim.y * cuda.blockDim.x):
            found = 0.0 <= col1[j] <= cols - 1 and 0.0 <= row1[j] <= rows - 1
            if nowhere or not found or math.isnan(z1[j]):
                dp, dq = col1[j] - col0[i], row1[j] - row0[i]
                if product(dp, dp) + product(dq, dq) <= reach2[i]:
                    for k in range(unknown.shape[1]):
                        bit = np.uint64(1) << np.uint64(j % 64)
                        cuda.atomic.or_(unknown, (i, k, j // 64), bit)


def _bucket(
    p: NDArray[np.float64], q: NDArray[np.float64], z: NDArray[np.float64], lines: int
) -> tuple[NDArray, ...]:
    """Sort targets by the grid line nearest to them, then along it.

    Returns start (lines + 1), p, q, z, original index, and the highest z of each line.
    """
    line = np.floor(p + 0.5).astype(np.int64)
    order = np.lexsort((q, line))
    start = np.searchsorted(line[order], np.arange(lines + 1))
    line_top = np.full(lines, -np.inf)
    np.maximum.at(line_top, line, z)
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
    threads: int = 256,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Tell which observer sees which target, by a fan of rays, on the GPU.

    Parameters
    ----------
    grid, observers, mount_heights_m, targets, target_heights_m, max_range_m
        As in :func:`watchline.kernels.fan.fan_bits`.
    spacing, first_target, last_target, cull
        As there.
    threads : int
        Threads of a block; any number gives the same bits.

    Returns
    -------
    visible, unknown : ndarray of uint64, shapes (n, h, k, words) and (n, k, words)
        As there, to the bit.

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
    surface, cell, x0, y0 = grid
    rows, cols = surface.shape
    sites, words = observers.x_m.size, word_count(targets.x_m.size)
    visible = np.zeros((sites, mounts.size, heads.size, words), dtype=np.uint64)
    unknown = np.zeros((sites, heads.size, words), dtype=np.uint64)
    if sites == 0 or words == 0:
        return visible, unknown

    level = middle_level(surface)
    by_col, by_row = pad_lines(surface, level)
    col, row = (targets.x_m - x0) / cell, (y0 - targets.y_m) / cell
    inside = (col >= 0) & (col <= cols - 1) & (row >= 0) & (row <= rows - 1)
    found = np.flatnonzero(inside & ~np.isnan(targets.z_m))
    at = (col[found], row[found], targets.z_m[found] - level)
    # One family of grid lines after the other, with two cones each: columns, then rows.
    families = []
    for across, p, q, lines, size in (
        (by_col, at[0], at[1], cols, rows),
        (by_row, at[1], at[0], rows, cols),
    ):
        start, tp, tq, tz, order, line_top = _bucket(p, q, at[2], lines)
        flat = across.ravel()
        buckets = (start, tp, tq, tz, found[order], line_top)
        families.append((cuda.to_device(flat), lines, size, [cuda.to_device(b) for b in buckets]))
    sight = (
        (observers.x_m - x0) / cell,
        (y0 - observers.y_m) / cell,
        observers.z_m - level,
        (reach / cell) ** 2 * RANGE_SLACK,
        first,
        last,
    )
    away = [cuda.to_device(array) for array in (col, row, targets.z_m)]
    heights = [cuda.to_device(array) for array in (mounts, mounts.astype(np.float32), heads)]
    holes = bool(np.isnan(surface).any())
    # No cone reaches farther than this many lines.
    longest = int(min(max(rows, cols), reach.max() / cell + 4.0))
    rays = LANES
    while 2.0 * longest > spacing * rays:
        rays *= 2
    at_once = max(1, _PLANE_BYTES // ((mounts.size + 1) * heads.size * words * 8))
    room_bytes = 8 * (mounts.size + 1) * rays + 24 * longest
    blocks = min(2 * min(at_once, sites), max(1, _ROOM_BYTES // room_bytes))
    room = [
        cuda.device_array(shape, kind)
        for shape, kind in (
            ((blocks, 2, mounts.size, rays), np.float32),
            ((blocks, 2, rays), np.uint8),
            ((blocks, longest), np.int64),
            ((blocks, longest), np.int64),
            ((blocks, longest), np.float64),
            ((blocks, rays // LANES), np.int64),
        )
    ]
    for a in range(0, sites, at_once):
        part = slice(a, min(a + at_once, sites))
        col0, row0, ground, reach2, begin, end = (
            cuda.to_device(np.ascontiguousarray(array[part])) for array in sight
        )
        planes = [cuda.to_device(plane) for plane in (visible[part], unknown[part])]
        stretches = int(min(max((last[part] - first[part]).max() // threads + 1, 1), _MOST_BLOCKS))
        lost_kernel[(part.stop - a, stretches), threads](
            rows, cols, col0, row0, ground, reach2, begin, end, *away, planes[1]
        )
        for wide, (flat, lines, size, buckets) in zip((True, False), families, strict=True):
            p0, q0 = (col0, row0) if wide else (row0, col0)
            sweep_kernel[min(blocks, 2 * (part.stop - a)), threads](
                flat, lines, size, p0, q0, ground, reach2, begin, end, wide, float(spacing), holes,
                cull, *buckets, *heights, int(np.argmax(mounts)), heads.max(), *room, *planes,
            )  # fmt: skip
        visible[part] = planes[0].copy_to_host()
        unknown[part] = planes[1].copy_to_host()
    return visible, unknown
