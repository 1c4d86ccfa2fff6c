"""Exact line of sight: every ray tested at every crossing with a grid line.

The surface is bilinear between nodes, so along a grid line through nodes it is linear, and between
two such crossings a ray over the surface is tested where the surface is given by two nodes alone
(Franklin, Ray and Mehta 1994, "Geometric algorithms for siting of air defense missile batteries",
method R3). A crossing blocks where the surface is strictly higher than the ray.

Conventions
-----------
- A crossing in the open square of ±1 cell round the node nearest to the observer, or round the
  node nearest to the target, is skipped: the ends' own cells never block.
- A ray with a tested crossing that touches a NaN node is unknown, wherever else it may be blocked;
  so is one whose end has a NaN ground or lies beyond the outermost nodes.
- One pass serves all mount heights: with the observer's ground g, the target's eye level Z and a
  crossing of surface s at the share t of the way, the ray clears it iff the mount height is at
  least (s - Z·t)/(1 - t) - g. The largest of these is `h_min`, the lowest mount that sees the
  target.
- Rays that touch are visible: the surface blocks where it is more than :data:`TOUCH_M` above the
  ray. Terrain in whole metres or centimetres is full of ties, and as float32 its heights are
  rounded by up to 0.25 mm (below 4,096 m), again when curvature is folded in; the tolerance is
  twice that, so that rounding does not decide them.

Arithmetic is float64 throughout: rounding stays below 1e-8 m, and results do not depend on the
number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels.bits import word_count
from watchline.kernels.grid import SNAP_CELLS, Grid, Points

TOUCH_M = 5e-4
"""A ray that runs less than this below the surface touches it, and so sees [m]."""

RANGE_SLACK = 1.0 + 1e-9
"""A target whose squared distance exceeds the squared range by this factor is just in range."""

_CLEAR, _UNKNOWN, _HIDDEN = 0, 1, 2
_BLOCK_WORDS = 64  # words of one work item: 4,096 targets, enough to outweigh the scheduling


@njit(cache=True)
def _walk_lines(
    surface,
    stride_line,
    stride_across,
    size_across,
    p0,
    q0,
    p1,
    q1,
    base,
    eye,
    need,
    at,
    limit,
):
    """Test the crossings with one family of grid lines.

    p counts the lines, q runs along them, both in node units; the surface is flat, node (p, q) at
    p·stride_line + q·stride_across. `base` is the observer's ground, `eye` the targets' levels
    above it; `need` and `at` are raised in place. Stops as soon as no target can be seen from
    `limit`, so pass infinity where an unknown node may follow.
    """
    if p0 == p1:
        return _CLEAR
    step = 1 if p1 > p0 else -1
    line = int(np.floor(p0)) + 1 if step > 0 else int(np.ceil(p0)) - 1
    count = (int(np.ceil(p1)) - line) if step > 0 else (line - int(np.floor(p1)))
    own_p0 = int(np.floor(p0 + 0.5))
    own_q0 = np.floor(q0 + 0.5)
    own_p1 = int(np.floor(p1 + 0.5))
    own_q1 = np.floor(q1 + 0.5)
    share_per_line = 1.0 / (p1 - p0)
    slope = (q1 - q0) * share_per_line
    inside = 1.0 - SNAP_CELLS
    for _ in range(count):
        away = line - p0
        q = q0 + away * slope
        skip = (line == own_p0 and abs(q - own_q0) < inside) or (
            line == own_p1 and abs(q - own_q1) < inside
        )
        if not skip:
            # Rounding may carry q past the last node by 1e-12.
            q = max(q, 0.0)
            node = min(int(q), size_across - 2)
            f = q - node
            k = line * stride_line + node * stride_across
            near = np.float64(surface[k])
            far = np.float64(surface[k + stride_across])
            s = near * (1.0 - f) + far * f
            t = away * share_per_line
            if np.isnan(s):
                # A node without weight must not spread its NaN.
                if f < SNAP_CELLS:
                    s = near
                elif f > 1.0 - SNAP_CELLS:
                    s = far
                if np.isnan(s):
                    at[0] = t
                    return _UNKNOWN
            s -= base + TOUCH_M
            rest = 1.0 - t
            raised = False
            for i in range(need.size):
                over = s - eye[i] * t
                if over > need[i] * rest:
                    need[i] = over / rest
                    at[i] = t
                    raised = True
            if raised:
                hopeless = True
                for i in range(need.size):
                    if need[i] <= limit:
                        hopeless = False
                if hopeless:
                    return _HIDDEN
        line += step
    return _CLEAR


@njit(cache=True)
def _walk_ray(
    surface,
    rows,
    cols,
    unknowns,
    col0,
    row0,
    z0,
    col1,
    row1,
    z1,
    heights,
    eye,
    need,
    at,
    limit,
):
    """Raise `need` to the mount heights that one ray asks for, one a target height."""
    for i in range(need.size):
        need[i] = -np.inf
        at[i] = np.nan
    if not (
        0.0 <= col0 <= cols - 1
        and 0.0 <= row0 <= rows - 1
        and 0.0 <= col1 <= cols - 1
        and 0.0 <= row1 <= rows - 1
    ):
        return _UNKNOWN
    if np.isnan(z0) or np.isnan(z1):
        return _UNKNOWN
    for i in range(need.size):
        eye[i] = z1 - z0 + heights[i]
    if unknowns.size > 0:
        top = int(min(row0, row1))
        left = int(min(col0, col1))
        bottom = min(int(max(row0, row1)) + 2, rows)
        right = min(int(max(col0, col1)) + 2, cols)
        if (
            unknowns[bottom, right]
            - unknowns[top, right]
            - unknowns[bottom, left]
            + unknowns[top, left]
        ) > 0:
            limit = np.inf
    state = _walk_lines(surface, 1, cols, rows, col0, row0, col1, row1, z0, eye, need, at, limit)
    if state != _CLEAR:
        return state
    return _walk_lines(surface, cols, 1, cols, row0, col0, row1, col1, z0, eye, need, at, limit)


@njit(cache=True, parallel=True)
def _sight_bits(
    surface,
    rows,
    cols,
    cell,
    x0,
    y0,
    unknowns,
    ox,
    oy,
    oz,
    mounts,
    tx,
    ty,
    tz,
    heights,
    reach,
    first,
    last,
    visible,
    unknown,
):
    words = visible.shape[3]
    blocks = (words + _BLOCK_WORDS - 1) // _BLOCK_WORDS
    limit = mounts.max()
    for item in prange(ox.size * blocks):
        i = item // blocks
        word = (item % blocks) * _BLOCK_WORDS
        begin = max(word * 64, first[i])
        end = min((word + _BLOCK_WORDS) * 64, last[i])
        eye = np.empty(heights.size)
        need = np.empty(heights.size)
        at = np.empty(heights.size)
        for j in range(begin, end):
            dx = tx[j] - ox[i]
            dy = ty[j] - oy[i]
            if dx * dx + dy * dy > reach[i] * reach[i] * RANGE_SLACK:
                continue
            state = _walk_ray(
                surface,
                rows,
                cols,
                unknowns,
                (ox[i] - x0) / cell,
                (y0 - oy[i]) / cell,
                oz[i],
                (tx[j] - x0) / cell,
                (y0 - ty[j]) / cell,
                tz[j],
                heights,
                eye,
                need,
                at,
                limit,
            )
            if state == _HIDDEN:
                continue
            bit = np.uint64(1) << np.uint64(j % 64)
            for k in range(heights.size):
                if state == _UNKNOWN:
                    unknown[i, k, j // 64] |= bit
                    continue
                for m in range(mounts.size):
                    if mounts[m] >= need[k]:
                        visible[i, m, k, j // 64] |= bit


@njit(cache=True, parallel=True)
def _least_heights(
    surface,
    rows,
    cols,
    cell,
    x0,
    y0,
    unknowns,
    ox,
    oy,
    oz,
    tx,
    ty,
    tz,
    heights,
    reach,
    first,
    last,
    least,
):
    block = _BLOCK_WORDS * 64
    blocks = (tx.size + block - 1) // block
    for item in prange(ox.size * blocks):
        i = item // blocks
        begin = max((item % blocks) * block, first[i])
        end = min((item % blocks + 1) * block, last[i])
        eye = np.empty(heights.size)
        need = np.empty(heights.size)
        at = np.empty(heights.size)
        for j in range(begin, end):
            dx = tx[j] - ox[i]
            dy = ty[j] - oy[i]
            if dx * dx + dy * dy > reach[i] * reach[i] * RANGE_SLACK:
                continue
            state = _walk_ray(
                surface,
                rows,
                cols,
                unknowns,
                (ox[i] - x0) / cell,
                (y0 - oy[i]) / cell,
                oz[i],
                (tx[j] - x0) / cell,
                (y0 - ty[j]) / cell,
                tz[j],
                heights,
                eye,
                need,
                at,
                np.inf,
            )
            for k in range(heights.size):
                least[i, k, j] = np.nan if state == _UNKNOWN else need[k]


def count_unknowns(surface_m: NDArray[np.floating]) -> NDArray[np.int64]:
    """Sum the NaN nodes above and to the left of every node, to ask any window in O(1).

    Parameters
    ----------
    surface_m : ndarray, shape (rows, cols)
        Heights [m].

    Returns
    -------
    ndarray of int64, shape (rows + 1, cols + 1), or (0, 0) where no node is NaN
        Summed-area table.
    """
    holes = np.isnan(surface_m)
    if not holes.any():
        return np.zeros((0, 0), dtype=np.int64)
    table = np.zeros((holes.shape[0] + 1, holes.shape[1] + 1), dtype=np.int64)
    table[1:, 1:] = holes.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    return table


def finite_heights(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return at least one height as float64 [m], or say which argument is wrong."""
    heights = np.ascontiguousarray(values, dtype=np.float64).ravel()
    if heights.size == 0 or not np.isfinite(heights).all():
        raise UsageError(f"{name} = {values!r}", mend="pass at least one finite height")
    return heights


def _per_observer(values: ArrayLike, count: int, kind: type, name: str) -> NDArray:
    array = np.asarray(values, dtype=kind)
    if array.ndim > 1 or (array.ndim == 1 and array.size != count):
        raise UsageError(
            f"{name} has shape {array.shape} for {count} observers",
            mend="pass one value, or one an observer",
        )
    return np.ascontiguousarray(np.broadcast_to(array, (count,)))


def candidates(
    observers: Points,
    targets: Points,
    max_range_m: ArrayLike,
    first_target: ArrayLike | None,
    last_target: ArrayLike | None,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return each observer's range [m] and its first and last + 1 target."""
    sites, count = observers.x_m.size, targets.x_m.size
    reach = _per_observer(max_range_m, sites, np.float64, "max_range_m")
    if np.isnan(reach).any() or (reach < 0).any():
        raise UsageError("max_range_m is NaN or negative", mend="pass a range of at least 0 m")
    first = _per_observer(0 if first_target is None else first_target, sites, np.int64, "first")
    last = _per_observer(count if last_target is None else last_target, sites, np.int64, "last")
    return reach, np.clip(first, 0, count), np.clip(last, 0, count)


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
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Tell which observer sees which target, for all mount and target heights in one pass.

    Parameters
    ----------
    grid : Grid
        The surface that blocks, curvature folded in.
    observers, targets : Points
        Ends of the rays with the (folded) height of the ground there; n observers, m targets.
    mount_heights_m : array_like, shape (h,)
        Heights of the observers above their ground [m].
    target_heights_m : array_like, shape (k,)
        Heights of the targets above their ground [m].
    max_range_m : float or array_like, shape (n,)
        Largest horizontal distance [m]; farther targets are neither visible nor unknown.
    first_target, last_target : int or array_like of int, shape (n,), optional
        Only targets first ≤ j < last are looked at.

    Returns
    -------
    visible : ndarray of uint64, shape (n, h, k, words)
        Bit j of word w is target 64·w + j (see :mod:`watchline.kernels.bits`).
    unknown : ndarray of uint64, shape (n, k, words)
        The rays through unknown ground; never visible.

    Raises
    ------
    UsageError
        If shapes do not go together or a height or range is not a number.
    """
    mounts = finite_heights(mount_heights_m, "mount_heights_m")
    heights = finite_heights(target_heights_m, "target_heights_m")
    reach, first, last = candidates(observers, targets, max_range_m, first_target, last_target)
    words = word_count(targets.x_m.size)
    visible = np.zeros((observers.x_m.size, mounts.size, heights.size, words), dtype=np.uint64)
    unknown = np.zeros((observers.x_m.size, heights.size, words), dtype=np.uint64)
    _sight_bits(
        grid.surface_m.ravel(),
        *grid.surface_m.shape,
        *grid[1:],
        count_unknowns(grid.surface_m),
        *observers,
        mounts,
        *targets,
        heights,
        reach,
        first,
        last,
        visible,
        unknown,
    )
    return visible, unknown


def least_mount_heights_m(
    grid: Grid,
    observers: Points,
    targets: Points,
    target_heights_m: ArrayLike,
    max_range_m: ArrayLike = np.inf,
    *,
    first_target: ArrayLike | None = None,
    last_target: ArrayLike | None = None,
) -> NDArray[np.float32]:
    """Return the lowest mount that sees each target.

    Parameters
    ----------
    grid, observers, targets, target_heights_m, max_range_m, first_target, last_target
        As in :func:`sight_bits`.

    Returns
    -------
    ndarray of float32, shape (n, k, m)
        h_min [m] above the observer's ground: a mount of height h sees the target iff
        h ≥ h_min. -inf where nothing is in the way, NaN where unknown, +inf out of range.

    Raises
    ------
    UsageError
        If shapes do not go together or a height or range is not a number.
    """
    heights = finite_heights(target_heights_m, "target_heights_m")
    reach, first, last = candidates(observers, targets, max_range_m, first_target, last_target)
    shape = (observers.x_m.size, heights.size, targets.x_m.size)
    least = np.full(shape, np.inf, dtype=np.float32)
    _least_heights(
        grid.surface_m.ravel(),
        *grid.surface_m.shape,
        *grid[1:],
        count_unknowns(grid.surface_m),
        *observers,
        *targets,
        heights,
        reach,
        first,
        last,
        least,
    )
    return least


class SightLine(NamedTuple):
    """One ray, explained by the crossing that decides it.

    Parameters
    ----------
    verdict : str
        ``"visible"``, ``"hidden"`` or ``"unknown"``.
    least_mount_m : float
        The lowest mount that sees the target [m]; -inf where nothing is in the way.
    x_m, y_m : float
        Where the deciding crossing is [m] (of an unknown ray: its first unknown crossing); NaN
        where none was tested.
    surface_m : float
        The (folded) surface there [m].
    clearance_m : float
        Ray minus surface there [m]; below -:data:`TOUCH_M` if it blocks.
    """

    verdict: str
    least_mount_m: float
    x_m: float
    y_m: float
    surface_m: float
    clearance_m: float


def explain_sight(
    grid: Grid,
    observer: tuple[float, float, float],
    mount_height_m: float,
    target: tuple[float, float, float],
    target_height_m: float,
) -> SightLine:
    """Say what decides one ray: the crossing that asks for the highest mount.

    Parameters
    ----------
    grid : Grid
        The surface that blocks, curvature folded in.
    observer, target : tuple of float
        x, y and (folded) ground height of the ends [m].
    mount_height_m, target_height_m : float
        Heights above the ground [m].

    Returns
    -------
    SightLine
        Verdict, deciding crossing and clearance; the same verdict as :func:`sight_bits`.
    """
    x, y, z = (float(value) for value in observer)
    to_x, to_y, to_z = (float(value) for value in target)
    cell, x0, y0 = grid[1:]
    need, at = np.empty(1), np.empty(1)
    state = _walk_ray(
        grid.surface_m.ravel(),
        *grid.surface_m.shape,
        np.zeros((0, 0), dtype=np.int64),
        (x - x0) / cell,
        (y0 - y) / cell,
        z,
        (to_x - x0) / cell,
        (y0 - to_y) / cell,
        to_z,
        np.array([float(target_height_m)]),
        np.empty(1),
        need,
        at,
        np.inf,
    )
    t = float(at[0])
    place = (x + t * (to_x - x), y + t * (to_y - y))
    if state == _UNKNOWN:
        return SightLine("unknown", np.nan, *place, np.nan, np.nan)
    least = float(need[0])
    seen = mount_height_m >= least
    if np.isnan(t):
        return SightLine("visible", least, *place, np.nan, np.nan)
    level = to_z + target_height_m
    blocking = (z + least) * (1.0 - t) + level * t + TOUCH_M
    clearance = (mount_height_m - least) * (1.0 - t) - TOUCH_M
    return SightLine("visible" if seen else "hidden", least, *place, blocking, clearance)
