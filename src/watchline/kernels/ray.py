"""One ray over the surface: what it asks of the mount, tested at every grid-line crossing.

Shared by everything in :mod:`watchline.kernels.sight`, where the conventions are written down.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from watchline.kernels.grid import SNAP_CELLS

TOUCH_M = 5e-4
"""A ray that runs less than this below the surface touches it, and so sees [m]."""

CLEAR, UNKNOWN, HIDDEN = 0, 1, 2

NO_NEED = -1e9
"""Stands for a mount height of -infinity [m]: low enough, and finite so that it has a slope."""

_SLACK_M = 1e-6  # rounding of a line's height; what is nearer to it is looked at in full
_AT_ONCE = 4  # tiles tested in one go
TILE = 16
_TILE_BITS = 4


@njit(cache=True)
def _first_line(start, end):
    """First grid line strictly after start on the way to end, the step, and how many there are."""
    if end > start:
        line = int(np.floor(start)) + 1
        return line, 1, max(int(np.ceil(end)) - line, 0)
    line = int(np.ceil(start)) - 1
    return line, -1, max(line - int(np.floor(end)), 0)


@njit(cache=True)
def _smallest(values):
    least = values[0]
    for k in range(1, values.size):
        least = min(least, values[k])
    return least


@njit(cache=True)
def _frame(stride_line, stride_along, size, p0, q0, p1, q1):
    """Gather what all lines of a family share.

    The strides from line to line and along a line, the nodes of a line, the observer as (line,
    place along it), the nodes nearest to observer and target, the share of the way from line to
    line and the step along them.
    """
    per_line = 1.0 / (p1 - p0) if p1 != p0 else 0.0
    own_p0, own_p1 = int(np.floor(p0 + 0.5)), int(np.floor(p1 + 0.5))
    own_q0, own_q1 = np.floor(q0 + 0.5), np.floor(q1 + 0.5)
    slope = (q1 - q0) * per_line
    return stride_line, stride_along, size, p0, q0, own_p0, own_q0, own_p1, own_q1, per_line, slope


@njit(cache=True)
def _test_lines(surface, frame, line, step, count, base, eye, need, at, limit):
    """Test the crossings with `count` lines of one family, raising `need` and `at`.

    The surface is flat; for `frame` see :func:`_frame`. `base` is the observer's ground, `eye`
    the targets' levels above it.
    """
    stride_line, stride_along, size, p0, q0, own_p0, own_q0, own_p1, own_q1, per_line, slope = frame
    inside = 1.0 - SNAP_CELLS
    # Below this line, from the lowest needed mount to the lowest target, nothing matters.
    lowest = _smallest(need)
    low_eye = _smallest(eye)
    bar = lowest + base + TOUCH_M - _SLACK_M
    climb = low_eye - lowest
    for i in range(count):
        p = line + i * step
        away = p - p0
        q = q0 + away * slope
        # Rounding may carry q past the first or last node by 1e-12.
        node = min(int(max(q, 0.0)), size - 2)
        share = q - node
        k = p * stride_line + node * stride_along
        near = np.float64(surface[k])
        far = np.float64(surface[k + stride_along])
        height = near * (1.0 - share) + far * share
        t = away * per_line
        if height <= bar + climb * t:
            continue
        if (p == own_p0 and abs(q - own_q0) < inside) or (p == own_p1 and abs(q - own_q1) < inside):
            continue
        if np.isnan(height):
            # A node without weight must not spread its NaN.
            if share < SNAP_CELLS:
                height = near
            elif share > 1.0 - SNAP_CELLS:
                height = far
            if np.isnan(height):
                at[0] = t
                return UNKNOWN
        height -= base + TOUCH_M
        rest = 1.0 - t
        raised = False
        for k in range(need.size):
            asked = (height - eye[k] * t) / rest
            if asked > need[k]:
                need[k] = asked
                at[k] = t
                raised = True
        if raised:
            lowest = _smallest(need)
            if lowest > limit:
                return HIDDEN
            bar = lowest + base + TOUCH_M - _SLACK_M
            climb = low_eye - lowest
    return CLEAR


@njit(cache=True)
def walk_ray(flat, shape, tiles, unknowns, ends, heights, eye, need, at, floor, limit):
    """Find the lowest mount that one ray asks for, one a target height.

    Parameters
    ----------
    flat : ndarray, shape (rows · cols,)
        Heights [m].
    shape : tuple of 2 int
        Rows and columns.
    tiles : ndarray, shape (ceil(rows / 16), ceil(cols / 16)) or (0, 0)
        Highest node of each tile, see :func:`highest_in_tiles`; empty to test every crossing.
    unknowns : ndarray
        Summed-area table of NaN nodes, see :func:`count_unknowns`.
    ends : tuple of 6 float
        Column, row and ground [m] of the observer, then of the target.
    heights : ndarray, shape (k,)
        Target heights [m].
    eye : ndarray, shape (k,)
        Room to work in.
    need, at : ndarray, shape (k,)
        Results: the lowest mount [m], at least `floor`, and at which share of the way it is asked
        for (of an unknown ray at[0]: where an unknown node is touched).
    floor, limit : float
        Mounts [m] between which `need` matters: crossings that ask for less than `floor` may be
        skipped (:data:`NO_NEED` for none), and a ray that asks for more than `limit` need not be
        walked to its end.

    Returns
    -------
    int
        CLEAR (see `need`), UNKNOWN, or HIDDEN from all mounts up to `limit`.
    """
    rows, cols = shape
    col0, row0, z0, col1, row1, z1 = ends
    need[:] = floor
    at[:] = np.nan
    if not (
        min(col0, col1) >= 0.0
        and max(col0, col1) <= cols - 1
        and min(row0, row1) >= 0.0
        and max(row0, row1) <= rows - 1
    ):
        return UNKNOWN
    if np.isnan(z0) or np.isnan(z1):
        return UNKNOWN
    for k in range(need.size):
        eye[k] = z1 - z0 + heights[k]
    if unknowns.size > 0:
        top, left = int(min(row0, row1)), int(min(col0, col1))
        bottom = min(int(max(row0, row1)) + 2, rows)
        right = min(int(max(col0, col1)) + 2, cols)
        holes = unknowns[bottom, right] - unknowns[top, right]
        if holes - unknowns[bottom, left] + unknowns[top, left] > 0:
            limit = np.inf  # a hidden ray may still turn out unknown: walk it to its end
    # p runs along the longer axis, q along the other.
    wide = abs(col1 - col0) >= abs(row1 - row0)
    if wide:
        p0, q0, p1, q1 = col0, row0, col1, row1
        major = _frame(1, cols, rows, p0, q0, p1, q1)
        minor = _frame(cols, 1, cols, q0, p0, q1, p1)
        last = rows - 1
    else:
        p0, q0, p1, q1 = row0, col0, row1, col1
        major = _frame(cols, 1, cols, p0, q0, p1, q1)
        minor = _frame(1, cols, rows, q0, p0, q1, p1)
        last = cols - 1
    if p0 == p1:
        return CLEAR
    line_p, step_p, left_p = _first_line(p0, p1)
    line_q, step_q, left_q = _first_line(q0, q1)
    if q0 == q1:
        left_q = 0
    per_line = 1.0 / (p1 - p0)
    slope = (q1 - q0) * per_line
    begin = p0
    wait_p = wait_q = waiting = 0
    # Tile by tile along the longer axis; tiles to be tested wait for a few to be tested at once.
    while True:
        tile = line_p >> _TILE_BITS
        edge = (tile + 1) * TILE if step_p > 0 else tile * TILE
        many_p = min(left_p, edge - line_p if step_p > 0 else line_p - edge + 1)
        final = many_p == left_p or tiles.size == 0
        if final:
            many_p = left_p
        end = p1 if final else float(edge)
        q_begin = q0 + (begin - p0) * slope
        q_end = q0 + (end - p0) * slope
        many_q = left_q
        if not final:
            many_q = int(np.ceil(q_end)) - line_q if step_q > 0 else line_q - int(np.floor(q_end))
            many_q = min(max(many_q, 0), left_q)
        skip = tiles.size > 0
        if skip:
            low_p = int(min(begin, end)) >> _TILE_BITS
            high_p = max((int(np.ceil(max(begin, end))) - 1) >> _TILE_BITS, low_p)
            low_q = int(max(min(q_begin, q_end) - SNAP_CELLS, 0.0)) >> _TILE_BITS
            high_q = int(min(max(q_begin, q_end) + SNAP_CELLS, last)) >> _TILE_BITS
            highest = -np.inf
            for p in range(low_p, high_p + 1):
                for q in range(low_q, high_q + 1):
                    highest = max(highest, tiles[q, p] if wide else tiles[p, q])
            # A straight line from the needed mount to the target, at both ends of the stretch.
            highest -= z0 + TOUCH_M - _SLACK_M
            share_begin, share_end = (begin - p0) * per_line, (end - p0) * per_line
            for k in range(need.size):
                rise = eye[k] - need[k]
                lowest = need[k] + min(share_begin * rise, share_end * rise)
                if not highest <= lowest:
                    skip = False
        line_p += step_p * many_p
        line_q += step_q * many_q
        left_p -= many_p
        left_q -= many_q
        begin = end
        if not skip:
            wait_p += many_p
            wait_q += many_q
            waiting += 1
        if waiting and (skip or final or waiting == _AT_ONCE):
            # Lines of a skipped tile have been passed already: those that wait lie before them.
            from_p = line_p - step_p * (wait_p + (many_p if skip else 0))
            from_q = line_q - step_q * (wait_q + (many_q if skip else 0))
            state = _test_lines(flat, major, from_p, step_p, wait_p, z0, eye, need, at, limit)
            if state == CLEAR and wait_q > 0:
                state = _test_lines(flat, minor, from_q, step_q, wait_q, z0, eye, need, at, limit)
            if state != CLEAR:
                return state
            wait_p = wait_q = waiting = 0
        if final:
            return CLEAR


@njit(cache=True)
def highest_in_tiles(surface):
    """Return the highest node of every tile of 16 × 16 cells; infinity where a node is NaN.

    A tile's nodes are those of its cells' four corners, so neighbouring tiles share an edge.
    """
    rows, cols = surface.shape
    tiles = np.empty(((rows + TILE - 1) // TILE, (cols + TILE - 1) // TILE))
    for i in range(tiles.shape[0]):
        for j in range(tiles.shape[1]):
            highest = -np.inf
            for row in range(i * TILE, min((i + 1) * TILE + 1, rows)):
                for col in range(j * TILE, min((j + 1) * TILE + 1, cols)):
                    height = np.float64(surface[row, col])
                    if np.isnan(height):
                        highest = np.inf
                    highest = max(highest, height) if highest < np.inf else highest
            tiles[i, j] = highest
    return tiles
