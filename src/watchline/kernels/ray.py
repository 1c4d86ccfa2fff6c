"""One ray over the surface: what it asks of the mount, tested at every grid-line crossing.

Shared by everything in :mod:`watchline.kernels.sight`, where the conventions are written down.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from watchline.kernels.grid import SNAP_CELLS

TOUCH_M = 5e-4
"""A ray that runs less than this below the surface touches it, and so sees [m]."""

RANGE_SLACK = 1.0 + 1e-9
"""A target whose squared distance exceeds the squared range by this factor is just in range."""

CLEAR, UNKNOWN, HIDDEN = 0, 1, 2

NO_NEED = -1e9
"""Stands for a mount height of -infinity [m]: low enough, and finite so that it has a slope."""

_SLACK_M = 1e-6  # rounding of a line's height; what is nearer to it is looked at in full
_AT_ONCE = 64  # strips tested in one go
TILE_BITS, SMALL_TILE_BITS = 4, 2
TILE, SMALL_TILE = 1 << TILE_BITS, 1 << SMALL_TILE_BITS


@njit(cache=True)
def _smallest(values):
    least = values[0]
    for k in range(1, values.size):
        least = min(least, values[k])
    return least


@njit(cache=True)
def _own(p, q, own_p0, own_q0, own_p1, own_q1):
    """Whether a place lies in the open square round the node of one of the ends."""
    inside = 1.0 - SNAP_CELLS
    return (abs(p - own_p0) < inside and abs(q - own_q0) < inside) or (
        abs(p - own_p1) < inside and abs(q - own_q1) < inside
    )


@njit(cache=True)
def _raise_at(height, t, eye, need, at):
    """Raise `need` to what a point of this height [m above the base] at the share t asks for."""
    raised = False
    for k in range(need.size):
        asked = (height - eye[k] * t) / (1.0 - t)
        if asked > need[k]:
            need[k] = asked
            at[k] = t
            raised = True
    return raised


@njit(cache=True)
def _raise_inside(begin, end, from_t, to_t, bulge, eye, need, at):
    """Raise `need` to what the highest point between two crossings asks for.

    Between crossings at the shares `from_t` and `to_t`, `begin` and `end` [m] above the base, the
    surface is begin + (end - begin - bulge)·u + bulge·u², 0 < u < 1, and `bulge` is negative. Its
    (height - eye·t) / (1 - t) is a quadratic over a straight line, with its peak at a root of one.
    """
    raised = False
    step = to_t - from_t
    rest = 1.0 - from_t
    for k in range(need.size):
        level = begin - eye[k] * from_t
        climb = end - begin - bulge - eye[k] * step
        rise = (climb * rest + step * level) / -bulge
        square = rest * rest - step * rise
        if rise <= 0.0 or square < 0.0:
            continue  # the peak is at one of the crossings
        u = rise / (rest + np.sqrt(square))
        if u >= 1.0:
            continue
        asked = (level + (climb + bulge * u) * u) / (rest - step * u)
        if asked > need[k]:
            need[k] = asked
            at[k] = from_t + step * u
            raised = True
    return raised


@njit(cache=True)
def _test_strips(surface, strides, size, ray, owns, line, step, count, base, eye, need, at, limit):
    """Test `count` strips between neighbouring grid lines, from `line` on; raise `need` and `at`.

    In a strip the ray is tested where it crosses the line at the far end and, if it does, a line
    of the other family, and inside the cells between such crossings. `strides` leads from line to
    line and along a line in the flat surface; `ray` is p0, q0, p1, and slope; `owns` are the nodes
    of the ends; `base` is the observer's ground, `eye` the targets' levels above it.
    """
    stride_line, stride_along = strides
    p0, q0, p1, slope = ray
    per_line = 1.0 / (p1 - p0)
    ahead = stride_line * step
    # Below this line, from the lowest needed mount to the lowest target, nothing matters.
    lowest = _smallest(need)
    low_eye = _smallest(eye)
    bar = lowest + base + TOUCH_M - _SLACK_M
    climb = low_eye - lowest
    level = base + TOUCH_M
    for i in range(count):
        from_line = line + i * step
        from_p = from_line + 0.0
        to_p = from_p + step
        # The first and the last strip are cut short by the ends of the ray.
        if (p0 - from_p) * step > 0.0:
            from_p = p0
        last = (to_p - p1) * step >= 0.0
        if last:
            to_p = p1
        from_q = q0 + (from_p - p0) * slope
        to_q = q0 + (to_p - p0) * slope
        low = from_q if from_q < to_q else to_q
        high = to_q if from_q < to_q else from_q
        # Rounding may carry q past the first or last node by 1e-12.
        node = min(int(max(low, 0.0)), size - 2)
        k = from_line * stride_line + node * stride_along
        z00 = np.float64(surface[k])
        z01 = np.float64(surface[k + stride_along])
        z10 = np.float64(surface[k + ahead])
        z11 = np.float64(surface[k + ahead + stride_along])
        from_t = (from_p - p0) * per_line
        to_t = (to_p - p0) * per_line
        from_far = (from_p - from_line) * step
        to_far = (to_p - from_line) * step
        split = high > node + 1 + SNAP_CELLS and node + 2 < size
        top = max(max(z00, z01), max(z10, z11))
        if split:
            z02 = np.float64(surface[k + 2 * stride_along])
            z12 = np.float64(surface[k + ahead + 2 * stride_along])
            top = max(top, max(z02, z12))
        # Any NaN fails this comparison, and is looked at.
        if top <= bar + min(climb * from_t, climb * to_t) and not np.isnan(
            z00 + z01 + z10 + z11 + (z02 + z12 if split else 0.0)
        ):
            continue
        begin_p, begin_q, begin_t, begin_far = from_p, from_q, from_t, from_far
        pieces = 2 if split else 1
        for piece in range(pieces):
            second = split and (piece == 1) == (to_q > from_q)
            if second:
                n, a, b, c, d = node + 1, z01, z02, z11, z12
            else:
                n, a, b, c, d = node, z00, z01, z10, z11
            end_p, end_q, end_t, end_far = to_p, to_q, to_t, to_far
            crossing = not last
            if piece + 1 < pieces:
                end_q = node + 1.0
                end_p = p0 + (end_q - q0) / slope
                end_t = (end_p - p0) * per_line
                end_far = (end_p - from_line) * step
                crossing = True
            along = min(max(end_q - n, 0.0), 1.0)
            across = min(max(end_far, 0.0), 1.0)
            tested = crossing and not _own(end_p, end_q, *owns)
            # A node without weight must not spread its NaN.
            end = _weighted(a, b, c, d, along, across)
            if tested and np.isnan(end):
                at[0] = end_t
                return UNKNOWN
            if (
                tested
                and not end <= bar + climb * end_t
                and _raise_at(end - level, end_t, eye, need, at)
            ):
                lowest = _smallest(need)
                if lowest > limit:
                    return HIDDEN
                bar = lowest + level - _SLACK_M
                climb = low_eye - lowest
            moved = (end_q - begin_q) * (end_far - begin_far)
            if abs(moved) > SNAP_CELLS and not _own(
                0.5 * (begin_p + end_p), 0.5 * (begin_q + end_q), *owns
            ):
                bulge = (a - b - c + d) * moved
                if np.isnan(bulge):
                    at[0] = 0.5 * (begin_t + end_t)
                    return UNKNOWN
                if bulge < 0.0:
                    begin = _weighted(
                        a, b, c, d, min(max(begin_q - n, 0.0), 1.0),
                        min(max(begin_far, 0.0), 1.0),
                    )  # fmt: skip
                    over = max(begin - bar - climb * begin_t, end - bar - climb * end_t)
                    if over > 0.25 * bulge and _raise_inside(
                        begin - level, end - level, begin_t, end_t, bulge, eye, need, at
                    ):
                        lowest = _smallest(need)
                        if lowest > limit:
                            return HIDDEN
                        bar = lowest + level - _SLACK_M
                        climb = low_eye - lowest
            begin_p, begin_q, begin_t, begin_far = end_p, end_q, end_t, end_far
    return CLEAR


@njit(cache=True)
def _weighted(a, b, c, d, along, across):
    """Bilinear height; nodes without weight are left out, so that their NaN does not spread."""
    if along < SNAP_CELLS:
        near, far = a, c
    elif along > 1.0 - SNAP_CELLS:
        near, far = b, d
    else:
        near = a * (1.0 - along) + b * along
        far = c * (1.0 - along) + d * along
    if across < SNAP_CELLS:
        return near
    if across > 1.0 - SNAP_CELLS:
        return far
    return near * (1.0 - across) + far * across


@njit(cache=True)
def holes_between(unknowns, shape, ends):
    """Count the NaN nodes of all cells that lie between the ends of a ray, which are inside."""
    rows, cols = shape
    col0, row0, _, col1, row1, _ = ends
    top, left = int(min(row0, row1)), int(min(col0, col1))
    bottom = min(int(max(row0, row1)) + 2, rows)
    right = min(int(max(col0, col1)) + 2, cols)
    holes = unknowns[bottom, right] - unknowns[top, right]
    return holes - unknowns[bottom, left] + unknowns[top, left]


@njit(cache=True)
def walk_ray(flat, shape, tiles, unknowns, ends, heights, eye, need, at, floor, limit):
    """Find the lowest mount that one ray asks for, one a target height.

    Parameters
    ----------
    flat : ndarray, shape (rows · cols,)
        Heights [m].
    shape : tuple of 2 int
        Rows and columns.
    tiles : tuple of 2 ndarray
        Highest node of each tile of 16 × 16 and of 4 × 4 cells, see :func:`highest_in_tiles`;
        of shape (0, 0) to test every crossing.
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
    if unknowns.size > 0 and holes_between(unknowns, shape, ends) > 0:
        limit = np.inf  # a hidden ray may still turn out unknown: walk it to its end
    # p runs along the longer axis, q along the other.
    wide = abs(col1 - col0) >= abs(row1 - row0)
    if wide:
        p0, q0, p1, q1 = col0, row0, col1, row1
        strides, last = (1, cols), rows - 1
    else:
        p0, q0, p1, q1 = row0, col0, row1, col1
        strides, last = (cols, 1), cols - 1
    if p0 == p1:
        return CLEAR
    owns = (
        int(np.floor(p0 + 0.5)), int(np.floor(q0 + 0.5)),
        int(np.floor(p1 + 0.5)), int(np.floor(q1 + 0.5)),
    )  # fmt: skip
    per_line = 1.0 / (p1 - p0)
    slope = (q1 - q0) * per_line
    ray = (p0, q0, p1, slope)
    if p1 > p0:
        step = 1
        line = int(np.floor(p0))
        left = int(np.ceil(p1)) - line
    else:
        step = -1
        line = int(np.ceil(p0))
        left = line - int(np.floor(p1))
    coarse, fine = tiles
    if coarse.size == 0:
        return _test_strips(
            flat, strides, last + 1, ray, owns, line, step, left, z0, eye, need, at, limit
        )
    low = _smallest(need)
    lines = (low + z0 + TOUCH_M - _SLACK_M, _smallest(eye) - low)
    # Tile by tile along the longer axis; strips to be tested wait for some to be tested at once.
    wait = 0
    while left > 0:
        many = _to_edge(line, step, TILE, left)
        skip = _below(coarse, TILE_BITS, wide, line, step, many, ray, last, lines)
        end = many
        while not skip and many > 0:
            some = _to_edge(line, step, SMALL_TILE, many)
            if _below(fine, SMALL_TILE_BITS, wide, line, step, some, ray, last, lines):
                if wait > 0:
                    break
            else:
                wait += some
            line += step * some
            many -= some
            left -= some
        if wait > 0 and (skip or many > 0 or left == 0 or wait >= _AT_ONCE):
            state = _test_strips(
                flat, strides, last + 1, ray, owns, line - step * wait, step, wait, z0, eye,
                need, at, limit,
            )  # fmt: skip
            if state != CLEAR:
                return state
            low = _smallest(need)
            lines = (low + z0 + TOUCH_M - _SLACK_M, _smallest(eye) - low)
            wait = 0
        if skip:
            line += step * end
            left -= end
    return CLEAR


@njit(cache=True)
def _to_edge(line, step, tile, left):
    """Count the strips from a line to the edge of its tile, at most those that are left."""
    behind = line & (tile - 1) if step > 0 else -line & (tile - 1)
    return min(tile - behind, left)


@njit(cache=True)
def _below(tiles, bits, wide, line, step, many, ray, last, lines):
    """Whether a stretch of strips within one row of tiles lies below the line that matters.

    The line from the lowest needed mount to the lowest target is `lines`: its height at the
    observer, and its rise to the target.
    """
    p0, q0, p1, slope = ray
    begin, end = float(line), float(line + step * many)
    if (p0 - begin) * step > 0.0:
        begin = p0
    if (end - p1) * step > 0.0:
        end = p1
    tile = (line if step > 0 else line - 1) >> bits
    q_begin = q0 + (begin - p0) * slope
    q_end = q0 + (end - p0) * slope
    low_q = int(max(min(q_begin, q_end) - SNAP_CELLS, 0.0)) >> bits
    high_q = int(min(max(q_begin, q_end) + SNAP_CELLS, last - 1)) >> bits
    per_line = 1.0 / (p1 - p0)
    share = ((begin if lines[1] > 0.0 else end) - p0) * per_line
    bar = lines[0] + lines[1] * share
    for q in range(low_q, high_q + 1):
        highest = tiles[q, tile] if wide else tiles[tile, q]
        if not highest <= bar:
            return False
    return True


@njit(cache=True)
def highest_in_tiles(surface, size):
    """Return the highest node of every tile of size × size cells; infinity where a node is NaN.

    A tile's nodes are those of its cells' four corners, so neighbouring tiles share an edge.
    """
    rows, cols = surface.shape
    tiles = np.empty(((rows + size - 1) // size, (cols + size - 1) // size))
    for i in range(tiles.shape[0]):
        for j in range(tiles.shape[1]):
            highest = -np.inf
            for row in range(i * size, min((i + 1) * size + 1, rows)):
                for col in range(j * size, min((j + 1) * size + 1, cols)):
                    height = np.float64(surface[row, col])
                    if np.isnan(height):
                        highest = np.inf
                    highest = max(highest, height) if highest < np.inf else highest
            tiles[i, j] = highest
    return tiles
