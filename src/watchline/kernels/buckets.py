"""Targets sorted by grid line, and the surface laid out line by line, as the sweeps read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from watchline.kernels.borrows import BORROWS
from watchline.kernels.cone import PAD
from watchline.kernels.grid import Grid, Points


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
def bucket_targets(found, p, q, z, lines, size):
    """Sort the targets `found` by the grid line nearest to them, then along it.

    Returns start (lines + 1), p, q, z, original index, the highest z of each line, and for each
    place where the run of targets ends whose indices follow one another from there.
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
    runs = np.arange(1, order.size + 1)
    for k in range(order.size - 2, -1, -1):
        if order[k + 1] == order[k] + 1:
            runs[k] = runs[k + 1]
    # Sixteen are read at a time: room for fifteen beyond the last.
    beyond = np.zeros(PAD, dtype=np.float64)
    p, q, z = p[order], q[order], z[order]
    p, q, z = np.append(p, beyond), np.append(q, beyond), np.append(z, beyond)
    return start, p, q, z, order, line_top, runs


@njit(**BORROWS)
def set_bits(mask, begin, order, runs, window, planes, plane):
    """Set the bits of a mask of 16 sorted targets from `begin` on, if they lie in the window.

    `planes` is flat and the plane begins at its word `plane`: a slice would cost more, in counting
    who holds the array, than all that is done here.
    """
    if mask == 0:
        return
    first, last = window
    j = order[begin]
    # At the end of a grid line the lanes beyond it are not set.
    if mask >> min(runs[begin] - begin, 16) == 0 and first <= j and j + 16 <= last:
        word, shift = plane + j // 64, j % 64
        planes[word] |= np.uint64(mask) << np.uint64(shift)
        if shift > 48 and mask >> (64 - shift):
            planes[word + 1] |= np.uint64(mask) >> np.uint64(64 - shift)
        return
    while mask:
        j = order[begin + lowest_bit(mask)]
        mask &= mask - 1
        if first <= j < last:
            planes[plane + j // 64] |= np.uint64(1) << np.uint64(j % 64)


@njit(**BORROWS)
def lowest_bit(mask):
    """Place of the lowest set bit of a mask of 16."""
    place = 0
    if mask & 0xFF == 0:
        mask >>= 8
        place = 8
    if mask & 0xF == 0:
        mask >>= 4
        place += 4
    if mask & 0x3 == 0:
        mask >>= 2
        place += 2
    return place + 1 - (mask & 1)


@njit(cache=True)
def mark_lost(j, col, row, reach2, tx, ty, x0, y0, cell, unknown):
    """Set a target without a ray unknown if it is in range."""
    dp = (tx[j] - x0) / cell - col
    dq = (y0 - ty[j]) / cell - row
    if dp * dp + dq * dq <= reach2:
        for k in range(unknown.shape[0]):
            unknown[k, j // 64] |= np.uint64(1) << np.uint64(j % 64)


class Sorted(NamedTuple):
    """Targets as both kinds of cones read them.

    Parameters
    ----------
    by_col, by_row : tuple
        Of :func:`bucket_targets`, for lines that are columns and for lines that are rows.
    lost : ndarray of int64
        Targets without a ray: beyond the outermost nodes, or on unknown ground.
    """

    by_col: tuple
    by_row: tuple
    lost: NDArray[np.int64]


def sort_targets(grid: Grid, targets: Points, level: float) -> Sorted:
    """Sort targets by column and by row; their heights become relative to `level` [m]."""
    rows, cols = grid.surface_m.shape
    col = (targets.x_m - grid.x0_m) / grid.cell_m
    row = (grid.y0_m - targets.y_m) / grid.cell_m
    inside = (col >= 0) & (col <= cols - 1) & (row >= 0) & (row <= rows - 1)
    found = np.flatnonzero(inside & ~np.isnan(targets.z_m))
    z = targets.z_m - level
    return Sorted(
        bucket_targets(found, col, row, z, cols, rows),
        bucket_targets(found, row, col, z, rows, cols),
        np.flatnonzero(~inside | np.isnan(targets.z_m)),
    )


def pad_lines(surface: NDArray, level: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lay a surface out column by column and row by row, PAD nodes repeated at both ends.

    Relative to `level` [m], near the middle of the heights, float32 rounds by less than 0.1 mm
    within ± 1 km.
    """
    relative = (surface - level).astype(np.float32)
    ends = ((0, 0), (PAD, PAD))
    return np.pad(relative.T, ends, mode="edge"), np.pad(relative, ends, mode="edge")


def middle_level(surface: NDArray) -> float:
    """Return the mean of the known heights [m]; 0 where none is known."""
    return float(np.nanmean(surface)) if not np.isnan(surface).all() else 0.0
