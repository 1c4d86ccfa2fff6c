"""Horizons: the steepest slope to the bilinear surface along given directions.

A ray leaves a place and is compared with the surface at every crossing with a grid line, and
between two crossings, where the surface is a parabola over the ray: at distance d it stands
α + β·d + γ·d² above the eye, its slope α/d + β + γ·d, which is steepest at d = √(α/γ) if α and γ
are negative. Crossings in the open square of ±1 cell round the nearest node are skipped, so that
the own cell is no horizon. A ray is followed to its range, to the edge of the surface or to the
first cell with an unknown node, whichever comes first, and how far that was is told.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from watchline.kernels.grid import SNAP_CELLS, _bilinear


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


@njit(cache=True)
def _twist(surface, row, col):
    """How much the surface's slope along one axis changes along the other, in one cell."""
    i = min(max(int(row), 0), surface.shape[0] - 2)
    j = min(max(int(col), 0), surface.shape[1] - 2)
    return np.float64(surface[i, j]) - surface[i, j + 1] - surface[i + 1, j] + surface[i + 1, j + 1]


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
        # The last crossing that was tested; none yet.
        from_away, from_height = np.inf, 0.0
        while True:
            by_row = next_row <= next_col
            away = next_row if by_row else next_col
            final = away > end + SNAP_CELLS
            if final:
                away = end
                i_row, i_col = row + away * down_i, col + away * right_i
                apart = max(abs(i_row - own_row), abs(i_col - own_col))
            elif by_row:
                place = col + away * right_i
                apart = max(abs(line_row - own_row), abs(place - own_col))
            else:
                place = row + away * down_i
                apart = max(abs(place - own_row), abs(line_col - own_col))
            if apart >= inside:
                if final:
                    height = _bilinear(surface, i_col, i_row)
                else:
                    height = _on_line(surface, by_row, int(line_row if by_row else line_col), place)
                if np.isnan(height):
                    # What is unknown begins behind the last known crossing.
                    end = from_away if from_away <= away else 0.0
                    break
                steep = (height - eye) / away
                if steep > best:
                    best, where = steep, away
                # Between the two crossings, unless they are one, at a node.
                span = away - from_away
                if span > SNAP_CELLS and abs(down_i * right_i) > SNAP_CELLS:
                    middle = from_away + 0.5 * span
                    twist = _twist(surface, row + middle * down_i, col + middle * right_i)
                    if np.isnan(twist):
                        end = from_away
                        break
                    bend = twist * down_i * right_i
                    climb = (height - from_height) / span - bend * (from_away + away)
                    rise = from_height - eye - (climb + bend * from_away) * from_away
                    if bend < 0.0 and rise < 0.0:
                        peak = np.sqrt(rise / bend)
                        steep = climb + 2.0 * bend * peak
                        if from_away < peak < away and steep > best:
                            best, where = steep, peak
                from_away, from_height = away, height
            if final:
                break
            if by_row:
                next_row += each_row
                line_row += 1 if down_i > 0 else -1
            else:
                next_col += each_col
                line_col += 1 if right_i > 0 else -1
        slope[i] = best
        distance[i] = where
        followed[i] = end
