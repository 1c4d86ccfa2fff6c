"""Shadows: one ray over the triangulated surface, led by a pyramid of highest nodes.

The surface is that of the proof's rays: each square between four nodes is split from its
north-western to its south-eastern node into two triangles. A ray is a straight line over a
surface that is linear between the edges it crosses, so that it is blocked if and only if one of
these crossings lies above it: grid lines and diagonals are tested, nothing is sampled.

Level k of the pyramid holds the highest node of every block of 2^k × 2^k squares, edges included.
Where that lies below the ray's stretch over the block, the block is passed in one step (quadtree
marching: Tevs, Ihrke and Seidel 2008, "Maximum mipmaps for fast, accurate, and scalable dynamic
height field rendering"). Unobstructed ground costs a number of steps that grows with the
logarithm of the distance, once the ray has left the ground.

Unlike lines of sight, no square is exempt: light that a bump right beside a receiver keeps off is
not there (see ADR 16).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from watchline.kernels.grid import SNAP_CELLS, Grid
from watchline.kernels.ray import TOUCH_M

BLOCKED = np.inf
"""Stands for "from no height up to the limit"."""


class Pyramid(NamedTuple):
    """A surface with the highest nodes of its blocks, level by level.

    Parameters
    ----------
    flat : ndarray, shape (rows · cols,)
        Heights [m], NaN where unknown.
    shape : tuple of 2 int
        Rows and columns.
    highest : ndarray
        Highest node of every block of levels 1, 2, …, one level after the other, row by row;
        +infinity where a node is NaN.
    first, wide : ndarray of int64, shape (levels + 1,)
        Where a level begins in `highest`, and how many blocks its rows have; entry 0 is unused.
    """

    flat: NDArray[np.floating]
    shape: tuple[int, int]
    highest: NDArray[np.floating]
    first: NDArray[np.int64]
    wide: NDArray[np.int64]


@njit(cache=True)
def _lowest_level(surface, rows, cols):
    """Highest node of blocks of 2 × 2 squares, +infinity beside NaN."""
    out = np.empty((rows, cols), dtype=surface.dtype)
    for i in range(rows):
        for j in range(cols):
            top = -np.inf
            for row in range(2 * i, min(2 * i + 3, surface.shape[0])):
                for col in range(2 * j, min(2 * j + 3, surface.shape[1])):
                    height = surface[row, col]
                    top = np.inf if np.isnan(height) else max(top, height)
            out[i, j] = top
    return out


@njit(cache=True)
def _next_level(below):
    rows, cols = (below.shape[0] + 1) // 2, (below.shape[1] + 1) // 2
    out = np.empty((rows, cols), dtype=below.dtype)
    for i in range(rows):
        for j in range(cols):
            top = below[2 * i, 2 * j]
            for row in range(2 * i, min(2 * i + 2, below.shape[0])):
                for col in range(2 * j, min(2 * j + 2, below.shape[1])):
                    top = max(top, below[row, col])
            out[i, j] = top
    return out


def build_pyramid(grid: Grid) -> Pyramid:
    """Gather the highest nodes of a surface's blocks.

    Parameters
    ----------
    grid : Grid
        The surface, curvature folded in.

    Returns
    -------
    Pyramid
        A third more memory than the surface.
    """
    surface = grid.surface_m
    rows, cols = surface.shape
    level = _lowest_level(surface, rows // 2, cols // 2)
    levels = [level]
    while level.size > 1:
        level = _next_level(level)
        levels.append(level)
    sizes = [0, *(level.size for level in levels[:-1])]
    return Pyramid(
        surface.ravel(),
        surface.shape,
        np.concatenate([level.ravel() for level in levels]),
        np.array([0, *np.cumsum(sizes)], dtype=np.int64),
        np.array([0, *(level.shape[1] for level in levels)], dtype=np.int64),
    )


@njit(cache=True, inline="always")
def _between(near, far, share):
    """Height on an edge; a node without weight must not spread its NaN."""
    height = near + (far - near) * share
    if np.isnan(height):
        if share < SNAP_CELLS:
            return near
        if share > 1.0 - SNAP_CELLS:
            return far
    return height


@njit(cache=True)
def surface_height(flat, shape, col, row):
    """Height of the triangulated surface in node units; NaN outside and on unknown triangles."""
    rows, cols = shape
    if not (0.0 <= col <= cols - 1 and 0.0 <= row <= rows - 1):
        return np.nan
    left = min(int(col), cols - 2)
    top = min(int(row), rows - 2)
    east, south = col - left, row - top
    k = top * cols + left
    north_west, south_east = np.float64(flat[k]), np.float64(flat[k + cols + 1])
    third = np.float64(flat[k + 1] if east >= south else flat[k + cols])
    # Barycentric weights; the third node is the north-eastern or the south-western one.
    weight_nw, weight_se = 1.0 - max(east, south), min(east, south)
    weight_third = abs(east - south)
    height = 0.0
    if weight_nw > SNAP_CELLS:
        height += weight_nw * north_west
    if weight_se > SNAP_CELLS:
        height += weight_se * south_east
    if weight_third > SNAP_CELLS:
        height += weight_third * third
    return height


@njit(cache=True, inline="always")
def _first_square(start, step, last):
    """Square in which a ray begins: on a grid line, the one that it enters."""
    square = int(start)
    if step < 0.0 and square == start:
        square -= 1
    return min(max(square, 0), last)


@njit(cache=True)
def least_rise(flat, shape, highest, first, wide, start, end, limit, hint):
    """How far the start must rise for the ray to its end to be clear.

    Neighbours are hidden by the same crest: where the ray before was blocked is looked at first,
    and a place of the surface above the highest ray that matters settles it.

    Parameters
    ----------
    flat, shape, highest, first, wide
        The fields of :class:`Pyramid`, one by one: taking them out of a tuple counts references.
    start, end : tuple of 3 float
        Column, row and height [m] of the receiver and of the lamp, both on the grid.
    limit : float
        Largest rise [m] that matters.
    hint : float
        Share of the way at which a neighbouring ray was blocked; 0 for none.

    Returns
    -------
    rise : float
        The least rise, at least 0; :data:`BLOCKED` where it exceeds the limit.
    unknown : bool
        Whether an unknown triangle is crossed and no known one blocks. The rise then holds for
        the known ones only.
    at : float
        Share of the way at which the ray is blocked; 0 if it is not.
    """
    rows, cols = shape
    col0, row0, z0 = start
    col1, row1, z1 = end
    d_col, d_row = col1 - col0, row1 - row0
    if hint > 0.0:
        height = surface_height(flat, shape, col0 + d_col * hint, row0 + d_row * hint)
        if height - TOUCH_M > z0 + limit + (z1 - z0 - limit) * hint:
            return BLOCKED, False, hint
    per_col = 1.0 / d_col if d_col != 0.0 else 0.0
    per_row = 1.0 / d_row if d_row != 0.0 else 0.0
    i = _first_square(col0, d_col, cols - 2)
    j = _first_square(row0, d_row, rows - 2)
    top = wide.size - 1
    crest = highest[highest.size - 1] - TOUCH_M
    foot = z0
    climb = z1 - z0
    rise = 0.0
    unknown = False
    t = 0.0
    level = 0
    while True:
        here = foot + climb * t
        if min(here, z1) >= crest:
            return rise, unknown, 0.0
        b_col, b_row = i >> level, j >> level
        t_col = t_row = np.inf
        if d_col > 0.0:
            t_col = (((b_col + 1) << level) - col0) * per_col
        elif d_col < 0.0:
            t_col = ((b_col << level) - col0) * per_col
        if d_row > 0.0:
            t_row = (((b_row + 1) << level) - row0) * per_row
        elif d_row < 0.0:
            t_row = ((b_row << level) - row0) * per_row
        leave = min(min(t_col, t_row), 1.0)
        lowest = min(here, foot + climb * leave) + TOUCH_M
        if level > 0:
            if highest[first[level] + b_row * wide[level] + b_col] > lowest:
                level -= 1
                continue
        else:
            k = j * cols + i
            nw, ne = np.float64(flat[k]), np.float64(flat[k + 1])
            sw, se = np.float64(flat[k + cols]), np.float64(flat[k + cols + 1])
            if not (nw <= lowest and ne <= lowest and sw <= lowest and se <= lowest):
                # Where the ray leaves the square, then where it crosses the diagonal.
                for crossing in range(2):
                    if crossing == 0:
                        at = leave
                        if at >= 1.0:
                            continue
                        if t_col <= t_row:
                            share = min(max(row0 + d_row * at - j, 0.0), 1.0)
                            height = (
                                _between(ne, se, share) if d_col > 0.0 else _between(nw, sw, share)
                            )
                        else:
                            share = min(max(col0 + d_col * at - i, 0.0), 1.0)
                            height = (
                                _between(sw, se, share) if d_row > 0.0 else _between(nw, ne, share)
                            )
                    else:
                        across = d_col - d_row
                        if across == 0.0:
                            continue
                        at = ((row0 - j) - (col0 - i)) / across
                        if not t < at < leave:
                            continue
                        height = _between(nw, se, min(max(col0 + d_col * at - i, 0.0), 1.0))
                    if np.isnan(height):
                        unknown = True
                        continue
                    if height - TOUCH_M > foot + climb * at:
                        rise = (height - TOUCH_M - z1 * at) / (1.0 - at) - z0
                        if rise > limit:
                            return BLOCKED, False, at
                        foot = z0 + rise
                        climb = z1 - foot
        if leave >= 1.0:
            return rise, unknown, 0.0
        t = leave
        if t_col <= t_row:
            i = (b_col + 1) << level if d_col > 0.0 else (b_col << level) - 1
            if i < 0 or i > cols - 2:
                return rise, unknown, 0.0
            low = b_row << level
            j = min(max(int(row0 + d_row * t), low), min(low + (1 << level) - 1, rows - 2))
            if level < top and (i >> level) >> 1 != b_col >> 1:
                level += 1
        else:
            j = (b_row + 1) << level if d_row > 0.0 else (b_row << level) - 1
            if j < 0 or j > rows - 2:
                return rise, unknown, 0.0
            low = b_col << level
            i = min(max(int(col0 + d_col * t), low), min(low + (1 << level) - 1, cols - 2))
            if level < top and (j >> level) >> 1 != b_row >> 1:
                level += 1


@njit(cache=True)
def _surface_heights(flat, shape, cell, x0, y0, x, y):
    heights = np.empty(x.size)
    for i in range(x.size):
        heights[i] = surface_height(flat, shape, (x[i] - x0) / cell, (y0 - y[i]) / cell)
    return heights


def triangle_heights_m(grid: Grid, x_m: ArrayLike, y_m: ArrayLike) -> NDArray[np.float64]:
    """Heights of the triangulated surface [m].

    Parameters
    ----------
    grid : Grid
        The surface.
    x_m, y_m : array_like, shape (n,)
        Places [m].

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN beyond the outermost nodes and on triangles with an unknown node.
    """
    x = np.ascontiguousarray(x_m, dtype=np.float64).ravel()
    y = np.ascontiguousarray(y_m, dtype=np.float64).ravel()
    surface = grid.surface_m
    return _surface_heights(surface.ravel(), surface.shape, grid.cell_m, grid.x0_m, grid.y0_m, x, y)
