"""Horizons: the steepest slope to the surface along given directions, tested at every crossing.

A ray leaves a place and is compared with the surface at every crossing with a grid line, as in
:mod:`watchline.kernels.sight`; crossings in the open square of ±1 cell round the nearest node are
skipped, so that the own cell is no horizon. A ray is followed to its range, to the edge of the
surface or to the first unknown node, whichever comes first, and how far that was is told.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from watchline.kernels.grid import SNAP_CELLS


@njit(cache=True)
def _on_line(surface, along_cols, line, place):
    """Height on a grid line at a fractional node; NaN where an unknown node has a weight."""
    size = surface.shape[1] if along_cols else surface.shape[0]
    node = min(max(int(place), 0), size - 2)
    share = place - node
    if along_cols:
        near, far = surface[line, node], surface[line, node + 1]
    else:
        near, far = surface[node, line], surface[node + 1, line]
    if share < SNAP_CELLS:
        return np.float64(near)
    if share > 1.0 - SNAP_CELLS:
        return np.float64(far)
    return near + (far - near) * share


@njit(cache=True, parallel=True)
def horizon_slopes(surface, row, col, eye, down, right, reach, slope, distance, followed):
    """Find the steepest slope along each direction.

    Parameters
    ----------
    surface : ndarray, shape (rows, cols)
        Heights, curvature folded in [m]; NaN where unknown.
    row, col : float
        The place in nodes, between the outermost ones.
    eye : float
        Height of the eye there [m].
    down, right : ndarray of float64, shape (n,)
        Unit vectors of the directions, in rows and columns.
    reach : float
        How far to look, in cells; may be infinite.
    slope, distance, followed : ndarray of float64, shape (n,)
        Results: the steepest slope [m per cell], -inf where no crossing was tested; how far away
        it is, NaN without one; how far the ray was followed [cells].
    """
    rows, cols = surface.shape
    own_row, own_col = np.floor(row + 0.5), np.floor(col + 0.5)
    inside = 1.0 - SNAP_CELLS
    for i in prange(slope.size):
        down_i, right_i = down[i], right[i]
        # Distances to the next row and column of nodes, and from one to the next.
        if down_i > 0:
            next_row, each_row = (np.floor(row) + 1 - row) / down_i, 1.0 / down_i
        elif down_i < 0:
            next_row, each_row = (row - np.ceil(row) + 1) / -down_i, -1.0 / down_i
        else:
            next_row, each_row = np.inf, np.inf
        if right_i > 0:
            next_col, each_col = (np.floor(col) + 1 - col) / right_i, 1.0 / right_i
        elif right_i < 0:
            next_col, each_col = (col - np.ceil(col) + 1) / -right_i, -1.0 / right_i
        else:
            next_col, each_col = np.inf, np.inf
        line_row = np.floor(row) + 1 if down_i > 0 else np.ceil(row) - 1
        line_col = np.floor(col) + 1 if right_i > 0 else np.ceil(col) - 1
        # The surface ends on its outermost rows and columns.
        end = reach
        if down_i != 0:
            end = min(end, (rows - 1 - row if down_i > 0 else row) / abs(down_i))
        if right_i != 0:
            end = min(end, (cols - 1 - col if right_i > 0 else col) / abs(right_i))
        best, where = -np.inf, np.nan
        while True:
            by_row = next_row <= next_col
            away = next_row if by_row else next_col
            if away > end + 1e-9:
                break
            if by_row:
                line = line_row
                place = col + away * right_i
                apart = max(abs(line - own_row), abs(place - own_col))
            else:
                line = line_col
                place = row + away * down_i
                apart = max(abs(place - own_row), abs(line - own_col))
            if apart >= inside:
                height = _on_line(surface, by_row, int(line), place)
                if np.isnan(height):
                    end = away
                    break
                steep = (height - eye) / away
                if steep > best:
                    best, where = steep, away
            if by_row:
                next_row += each_row
                line_row += 1 if down_i > 0 else -1
            else:
                next_col += each_col
                line_col += 1 if right_i > 0 else -1
        slope[i] = best
        distance[i] = where
        followed[i] = end
