"""Exact line of sight on a GPU: one thread a pair.

The definition is that of :mod:`watchline.kernels.sight`; here a thread follows one ray from
crossing to crossing, in order, and looks at two kinds of places.

- A crossing with a grid line, where the surface is linear between two nodes.
- The inside of the grid cell between two crossings. There the bilinear surface is quadratic along
  the ray: with the heights s1, s2 at the two crossings and the cell's nodes z, it is
  ``s1 + (s2 - s1)·τ - c·τ·(1 - τ)`` with ``c = (z00 - z01 - z10 + z11)·Δcol·Δrow``. For c < 0 it
  bulges above the chord, and the mount that it asks for, a quadratic over a linear function of τ,
  has one maximum, found in closed form. A NaN node at any corner makes the ray unknown.

Tiles of 16 × 16 cells whose highest node lies below all that still matters are passed in one step.

Float64 throughout. A GPU fuses multiplications and additions, so h_min may differ from the CPU's by
rounding (below 1e-6 m); a bit differs only if a mount is that near to h_min.

This module imports numba's CUDA target: only :mod:`watchline.kernels.device` may import it, and
only when a GPU is asked for. Device functions are inlined: numba-cuda compiles any other kind only
where a GPU is.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numba import cuda
from numpy.typing import ArrayLike, NDArray

from watchline.kernels.bits import word_count
from watchline.kernels.grid import SNAP_CELLS, Grid, Points
from watchline.kernels.ray import (
    CLEAR,
    HIDDEN,
    RANGE_SLACK,
    TILE,
    TOUCH_M,
    UNKNOWN,
    highest_in_tiles,
)
from watchline.kernels.sight import candidates, count_unknowns, finite_heights

MOST_HEADS = 8
"""Target heights that one launch takes; more are done in further launches."""

_INSIDE = 1.0 - SNAP_CELLS
_SLACK_M = 1e-6  # rounding of a line's height; what is nearer to it is looked at in full
_FLAT_M = 1e-9  # a bulge below a quarter of this is none
_NEVER = 2.0  # share of the way at which a line is crossed that is not
_PLANE_BYTES = 2**28  # planes of one launch
_MOST_BLOCKS = 65_535  # of a launch's second dimension


@cuda.jit(device=True, inline="always")
def _first_line(start, end):
    """First grid line strictly after start on the way to end, the step, and how many there are."""
    if end > start:
        line = int(math.floor(start)) + 1
        step = 1
        count = max(int(math.ceil(end)) - line, 0)
    else:
        line = int(math.ceil(start)) - 1
        step = -1
        count = max(line - int(math.floor(end)), 0)
        if end == start:
            count = 0
    return line, step, count


@cuda.jit(device=True, inline="always")
def _lowest(need, heads):
    least = need[0]
    for k in range(1, heads.size):
        least = min(least, need[k])
    return least


@cuda.jit(device=True, inline="always")
def _ask_bulge(bow, begin, end, t_begin, t_end, eye, need, heads):
    """Raise `need` by the highest place between two crossings; whether it did.

    `begin` and `end` are the heights there above the observer's ground, the touch taken off; `bow`
    is -c, four times how far the surface rises above the chord.
    """
    raised = False
    step = t_end - t_begin
    rest = 1.0 - t_begin
    for k in range(heads.size):
        # Asked for is (a + b·τ - bow·τ²) / (rest - step·τ); its derivative vanishes at the root.
        a = begin - eye[k] * t_begin
        b = end - begin + bow - eye[k] * step
        turn = (b * rest + step * a) / bow
        under = rest * rest - step * turn
        if turn > 0.0 and under >= 0.0:
            place = turn / (rest + math.sqrt(under))
            if place < 1.0:
                asked = (a + place * (b - bow * place)) / (rest - step * place)
                if asked > need[k]:
                    need[k] = asked
                    raised = True
    return raised


@cuda.jit(device=True, inline="always")
def _may_hide(unknowns, rows, cols, col0, row0, col1, row1):
    """Whether no NaN node lies in the ray's window: if one does, hidden may still be unknown."""
    if unknowns.shape[0] == 0:
        return True
    top = int(min(row0, row1))
    left = int(min(col0, col1))
    bottom = min(int(max(row0, row1)) + 2, rows)
    right = min(int(max(col0, col1)) + 2, cols)
    holes = unknowns[bottom, right] - unknowns[top, right]
    return holes - unknowns[bottom, left] + unknowns[top, left] == 0


@cuda.jit(device=True, inline="always")
def _lines_before(line, step, left, edge, place):
    """How many lines are crossed before `place`, at most up to the tile's `edge`."""
    if step > 0:
        count = min(int(math.ceil(place)), edge) - line
    else:
        count = line - max(int(math.floor(place)), edge)
    return min(max(count, 0), left)


@cuda.jit(device=True, inline="always")
def _walk(
    flat, rows, cols, tiles, unknowns, col0, row0, z0, col1, row1, z1, heads, eye, need, limit
):
    """Follow one ray; `need` becomes the lowest mount that it asks for, where above its start."""
    inside = min(col0, col1) >= 0.0 and max(col0, col1) <= cols - 1
    inside = inside and min(row0, row1) >= 0.0 and max(row0, row1) <= rows - 1
    if not inside or math.isnan(z0) or math.isnan(z1):
        return UNKNOWN
    for k in range(heads.size):
        eye[k] = z1 - z0 + heads[k]
    hides = limit if _may_hide(unknowns, rows, cols, col0, row0, col1, row1) else math.inf
    dcol, drow = col1 - col0, row1 - row0
    per_col = 1.0 / dcol if dcol != 0.0 else 0.0
    per_row = 1.0 / drow if drow != 0.0 else 0.0
    col, col_step, cols_left = _first_line(col0, col1)
    row, row_step, rows_left = _first_line(row0, row1)
    near_col, near_row = int(math.floor(col0 + 0.5)), int(math.floor(row0 + 0.5))
    far_col, far_row = int(math.floor(col1 + 0.5)), int(math.floor(row1 + 0.5))
    t_col = (col - col0) * per_col if cols_left > 0 else _NEVER
    t_row = (row - row0) * per_row if rows_left > 0 else _NEVER
    low_eye = eye[0]
    for k in range(1, heads.size):
        low_eye = min(low_eye, eye[k])
    # Below this line, from the lowest needed mount to the lowest target, nothing matters.
    lowest = _lowest(need, heads)
    bar, climb = lowest - _SLACK_M, low_eye - lowest
    base = z0 + TOUCH_M
    before, t_before = math.nan, 0.0
    passed = -1
    while cols_left > 0 or rows_left > 0:
        # The cell that ends at this crossing, by its upper left node.
        cell_col = min(max(col - 1 if col_step > 0 else col, 0), cols - 2)
        cell_row = min(max(row - 1 if row_step > 0 else row, 0), rows - 2)
        tile_col, tile_row = cell_col // TILE, cell_row // TILE
        if tiles.size > 0 and tile_row * cols + tile_col != passed:
            passed = tile_row * cols + tile_col
            edge_col = (tile_col + 1 if col_step > 0 else tile_col) * TILE
            edge_row = (tile_row + 1 if row_step > 0 else tile_row) * TILE
            # By the count of lines, not by the share of the way, which is rounded at its end.
            leave_col = (edge_col - col0) * per_col if abs(edge_col - col) < cols_left else _NEVER
            leave_row = (edge_row - row0) * per_row if abs(edge_row - row) < rows_left else _NEVER
            leave = min(leave_col, leave_row)
            top = tiles[tile_row, tile_col] - base
            if top <= bar + min(climb * max(t_before, 0.0), climb * min(leave, 1.0)):
                if leave == _NEVER:
                    break
                # On to the line by which the ray leaves; what lies before it asks for nothing.
                if leave_col <= leave_row:
                    place = row0 + (edge_col - col0) * (drow * per_col)
                    count = _lines_before(row, row_step, rows_left, edge_row, place)
                    cols_left -= abs(edge_col - col)
                    rows_left -= count
                    col, row = edge_col, row + count * row_step
                else:
                    place = col0 + (edge_row - row0) * (dcol * per_row)
                    count = _lines_before(col, col_step, cols_left, edge_col, place)
                    rows_left -= abs(edge_row - row)
                    cols_left -= count
                    row, col = edge_row, col + count * col_step
                t_col = (col - col0) * per_col if cols_left > 0 else _NEVER
                t_row = (row - row0) * per_row if rows_left > 0 else _NEVER
                t_before = -1.0
                continue
        if t_col <= t_row:
            t = t_col
            place = row0 + (col - col0) * (drow * per_col)
            node = min(int(max(place, 0.0)), rows - 2)
            share = place - node
            near = float(flat[node * cols + col])
            far = float(flat[(node + 1) * cols + col])
            own = (col == near_col and abs(place - near_row) < _INSIDE) or (
                col == far_col and abs(place - far_row) < _INSIDE
            )
            col += col_step
            cols_left -= 1
            t_col = (col - col0) * per_col if cols_left > 0 else _NEVER
        else:
            t = t_row
            place = col0 + (row - row0) * (dcol * per_row)
            node = min(int(max(place, 0.0)), cols - 2)
            share = place - node
            near = float(flat[row * cols + node])
            far = float(flat[row * cols + node + 1])
            own = (row == near_row and abs(place - near_col) < _INSIDE) or (
                row == far_row and abs(place - far_col) < _INSIDE
            )
            row += row_step
            rows_left -= 1
            t_row = (row - row0) * per_row if rows_left > 0 else _NEVER
        height = near * (1.0 - share) + far * share
        if math.isnan(height):
            # A node without weight must not spread its NaN.
            if share < SNAP_CELLS:
                height = near
            elif share > _INSIDE:
                height = far
            if math.isnan(height) and not own:
                return UNKNOWN
        height -= base
        raised = False
        if not own and height > bar + climb * t:
            rest = 1.0 - t
            for k in range(heads.size):
                asked = (height - eye[k] * t) / rest
                if asked > need[k]:
                    need[k] = asked
                    raised = True
        beside = (cell_col == near_col or cell_col == near_col - 1) and (
            cell_row == near_row or cell_row == near_row - 1
        )
        beside = beside or (
            (cell_col == far_col or cell_col == far_col - 1)
            and (cell_row == far_row or cell_row == far_row - 1)
        )
        if t_before > 0.0 and not beside:
            step = t - t_before
            moved = (dcol * step) * (drow * step)
            if abs(moved) > SNAP_CELLS:
                corner = cell_row * cols + cell_col
                twist = float(flat[corner]) - float(flat[corner + 1])
                twist += float(flat[corner + cols + 1]) - float(flat[corner + cols])
                if math.isnan(twist):
                    return UNKNOWN
                bow = -twist * moved
                under = bar + min(climb * t_before, climb * t)
                if bow > _FLAT_M and max(before, height) + 0.25 * bow > under:
                    bulged = _ask_bulge(bow, before, height, t_before, t, eye, need, heads)
                    raised = raised or bulged
        if raised:
            lowest = _lowest(need, heads)
            if lowest > hides:
                return HIDDEN
            bar, climb = lowest - _SLACK_M, low_eye - lowest
        before, t_before = height, t
    return CLEAR


@cuda.jit(cache=True)
def sight_kernel(
    flat, rows, cols, tiles, unknowns, col0, row0, z0, reach2, first, last, col1, row1, z1, mounts,
    heads, floor, limit, visible, unknown,
):  # fmt: skip
    """Block (i, b) takes a stretch of the targets of observer i; its threads set bits in place.

    Places are in node units, `reach2` in squared cells; `floor` and `limit` are the lowest and the
    highest mount; `heads` are at most MOST_HEADS.
    """
    eye = cuda.local.array(MOST_HEADS, numba.float64)
    need = cuda.local.array(MOST_HEADS, numba.float64)
    for i in range(cuda.blockIdx.x, z0.size, cuda.gridDim.x):
        begin = first[i] + cuda.blockIdx.y * cuda.blockDim.x + cuda.threadIdx.x
        for j in range(begin, last[i], cuda.gridDim.y * cuda.blockDim.x):
            dcol, drow = col1[j] - col0[i], row1[j] - row0[i]
            if dcol * dcol + drow * drow > reach2[i]:
                continue
            for k in range(heads.size):
                need[k] = floor
            state = _walk(
                flat, rows, cols, tiles, unknowns, col0[i], row0[i], z0[i], col1[j], row1[j],
                z1[j], heads, eye, need, limit,
            )  # fmt: skip
            if state == HIDDEN:
                continue
            word = j // 64
            bit = np.uint64(1) << np.uint64(j % 64)
            for k in range(heads.size):
                if state == UNKNOWN:
                    cuda.atomic.or_(unknown, (i, k, word), bit)
                    continue
                for m in range(mounts.size):
                    if mounts[m] >= need[k]:
                        cuda.atomic.or_(visible, (i, m, k, word), bit)


def sight_bits(
    grid: Grid,
    observers: Points,
    mount_heights_m: ArrayLike,
    targets: Points,
    target_heights_m: ArrayLike,
    max_range_m: ArrayLike = np.inf,
    *,
    first_target: ArrayLike | None = None,
    last_target: ArrayLike | None = None,
    cull: bool = True,
    threads: int = 128,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Tell which observer sees which target, exactly, on the GPU.

    Parameters
    ----------
    grid, observers, mount_heights_m, targets, target_heights_m, max_range_m
        As in :func:`watchline.kernels.sight.sight_bits`.
    first_target, last_target, cull
        As there.
    threads : int
        Threads of a block; any number gives the same bits.

    Returns
    -------
    visible, unknown : ndarray of uint64, shapes (n, h, k, words) and (n, k, words)
        As there.

    Raises
    ------
    UsageError
        If shapes do not go together or a height or range is not a number.
    """
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

    tiles = highest_in_tiles(surface, TILE) if cull else np.empty((0, 0))
    ground = [
        cuda.to_device(array) for array in (surface.ravel(), tiles, count_unknowns(surface), mounts)
    ]
    near = ((observers.x_m - x0) / cell, (y0 - observers.y_m) / cell, observers.z_m)
    near += ((reach / cell) ** 2 * RANGE_SLACK, first, last)
    away = [
        cuda.to_device(array)
        for array in ((targets.x_m - x0) / cell, (y0 - targets.y_m) / cell, targets.z_m)
    ]
    at_once = max(1, _PLANE_BYTES // ((mounts.size + 1) * min(heads.size, MOST_HEADS) * words * 8))
    for a in range(0, sites, at_once):
        part = slice(a, min(a + at_once, sites))
        longest = int((last[part] - first[part]).max())
        if longest <= 0:
            continue
        blocks = (part.stop - a, min((longest + threads - 1) // threads, _MOST_BLOCKS))
        places = [cuda.to_device(np.ascontiguousarray(array[part])) for array in near]
        for k in range(0, heads.size, MOST_HEADS):
            some = slice(k, min(k + MOST_HEADS, heads.size))
            planes = [
                cuda.to_device(np.ascontiguousarray(plane))
                for plane in (visible[part, :, some], unknown[part, some])
            ]
            sight_kernel[blocks, threads](
                ground[0], rows, cols, ground[1], ground[2], *places, *away, ground[3],
                cuda.to_device(heads[some]), mounts.min(), mounts.max(), *planes,
            )  # fmt: skip
            visible[part, :, some] = planes[0].copy_to_host()
            unknown[part, some] = planes[1].copy_to_host()
    return visible, unknown
