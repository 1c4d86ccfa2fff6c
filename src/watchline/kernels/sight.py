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

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels.bits import word_count
from watchline.kernels.bounds import bounded_bits, find_bends
from watchline.kernels.buckets import middle_level, pad_lines, sort_targets
from watchline.kernels.grid import Grid, Points
from watchline.kernels.ray import (
    HIDDEN,
    NO_NEED,
    RANGE_SLACK,
    SMALL_TILE,
    TILE,
    UNKNOWN,
    highest_in_tiles,
    walk_ray,
)

_UNKNOWN_RISE_M = 1e6
_BLOCK_WORDS = 64  # words of one work item: 4,096 targets, enough to outweigh the scheduling


@njit(cache=True)
def row_and_col(x, y, origin):
    """Place on the grid, whose origin is (cell, x0, y0) [m], in node units."""
    cell, x0, y0 = origin
    return (x - x0) / cell, (y0 - y) / cell


@njit(cache=True)
def or_none(need):
    """Return the lowest mount that a ray asks for [m]; -inf where none is asked for."""
    return need if need > NO_NEED else -np.inf


@njit(cache=True, parallel=True)
def _sight_bits(
    flat,
    shape,
    tiles,
    unknowns,
    origin,
    observers,
    mounts,
    targets,
    heights,
    window,
    visible,
    unknown,
):
    ox, oy, oz = observers
    tx, ty, tz = targets
    reach, first, last = window
    words = visible.shape[3]
    blocks = (words + _BLOCK_WORDS - 1) // _BLOCK_WORDS
    for item in prange(ox.size * blocks):
        i = item // blocks
        word = (item % blocks) * _BLOCK_WORDS
        begin = max(word * 64, first[i])
        end = min((word + _BLOCK_WORDS) * 64, last[i])
        eye, need, at = np.empty(heights.size), np.empty(heights.size), np.empty(heights.size)
        col, row = row_and_col(ox[i], oy[i], origin)
        reach2 = (reach[i] / origin[0]) ** 2 * RANGE_SLACK
        for j in range(begin, end):
            to_col, to_row = row_and_col(tx[j], ty[j], origin)
            if (to_col - col) ** 2 + (to_row - row) ** 2 > reach2:
                continue
            ends = (col, row, oz[i], to_col, to_row, tz[j])
            state = walk_ray(
                flat,
                shape,
                tiles,
                unknowns,
                ends,
                heights,
                eye,
                need,
                at,
                mounts.min(),
                mounts.max(),
            )
            if state == HIDDEN:
                continue
            bit = np.uint64(1) << np.uint64(j % 64)
            for k in range(heights.size):
                if state == UNKNOWN:
                    unknown[i, k, j // 64] |= bit
                    continue
                for m in range(mounts.size):
                    if mounts[m] >= need[k]:
                        visible[i, m, k, j // 64] |= bit


@njit(cache=True, parallel=True)
def _least_heights(
    flat, shape, tiles, unknowns, origin, observers, targets, heights, window, least
):
    ox, oy, oz = observers
    tx, ty, tz = targets
    reach, first, last = window
    block = _BLOCK_WORDS * 64
    blocks = (tx.size + block - 1) // block
    for item in prange(ox.size * blocks):
        i = item // blocks
        begin = max((item % blocks) * block, first[i])
        end = min((item % blocks + 1) * block, last[i])
        eye, need, at = np.empty(heights.size), np.empty(heights.size), np.empty(heights.size)
        col, row = row_and_col(ox[i], oy[i], origin)
        reach2 = (reach[i] / origin[0]) ** 2 * RANGE_SLACK
        for j in range(begin, end):
            to_col, to_row = row_and_col(tx[j], ty[j], origin)
            if (to_col - col) ** 2 + (to_row - row) ** 2 > reach2:
                continue
            ends = (col, row, oz[i], to_col, to_row, tz[j])
            state = walk_ray(
                flat, shape, tiles, unknowns, ends, heights, eye, need, at, NO_NEED, np.inf
            )
            for k in range(heights.size):
                least[i, k, j] = np.nan if state == UNKNOWN else or_none(need[k])


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


def walkable(
    grid: Grid, cull: bool
) -> tuple[NDArray, tuple[int, int], tuple[NDArray, NDArray], NDArray[np.int64], tuple[float, ...]]:
    """Return what :func:`watchline.kernels.ray.walk_ray` walks on, and the grid's origin."""
    surface = grid.surface_m
    tiles = (np.empty((0, 0)), np.empty((0, 0)))
    if cull:
        tiles = (highest_in_tiles(surface, TILE), highest_in_tiles(surface, SMALL_TILE))
    return surface.ravel(), surface.shape, tiles, count_unknowns(surface), grid[1:]


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
    cull: bool = True,
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
    cull : bool
        Whether stretches of a ray are skipped where no node near it is high enough to matter; the
        result is the same to the bit.

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
    window = candidates(observers, targets, max_range_m, first_target, last_target)
    words = word_count(targets.x_m.size)
    sites = observers.x_m.size
    if cull and sites * targets.x_m.size >= max(grid.surface_m.size // 10, 64):
        return bounded_sight(grid, observers, mounts, targets, heights, window, words)[:2]
    visible = np.zeros((sites, mounts.size, heights.size, words), dtype=np.uint64)
    unknown = np.zeros((sites, heights.size, words), dtype=np.uint64)
    _sight_bits(
        *walkable(grid, cull),
        observers,
        mounts,
        targets,
        heights,
        window,
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
    cull: bool = True,
) -> NDArray[np.float32]:
    """Return the lowest mount that sees each target.

    Parameters
    ----------
    grid, observers, targets, target_heights_m, max_range_m, first_target, last_target, cull
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
    window = candidates(observers, targets, max_range_m, first_target, last_target)
    shape = (observers.x_m.size, heights.size, targets.x_m.size)
    least = np.full(shape, np.inf, dtype=np.float32)
    _least_heights(
        *walkable(grid, cull),
        observers,
        targets,
        heights,
        window,
        least,
    )
    return least


def bounded_sight(
    grid: Grid,
    observers: Points,
    mounts: NDArray[np.float64],
    targets: Points,
    heights: NDArray[np.float64],
    window: tuple[NDArray, NDArray, NDArray],
    words: int,
) -> tuple[NDArray[np.uint64], NDArray[np.uint64], int]:
    """Do the work of :func:`sight_bits`, walking only rays that bounds on the horizon leave open.

    Also returns the number of rays walked.
    """
    surface = grid.surface_m
    level = middle_level(surface)
    known = surface
    if np.isnan(surface).any():
        # What an unknown node could be is left to the walk: here it hides and bounds nothing.
        known = np.where(np.isnan(surface), level + _UNKNOWN_RISE_M, surface)
    lines = pad_lines(known, level)
    by_col, by_row, lost = sort_targets(grid, targets, level)
    sites = observers.x_m.size
    parts = 4 if sites < 8 else 1
    visible = np.zeros((sites, parts, mounts.size, heights.size, words), dtype=np.uint64)
    unknown = np.zeros((sites, parts, heights.size, words), dtype=np.uint64)
    walked = np.zeros((sites, parts), dtype=np.int64)
    flat, shape, tiles, unknowns, origin = walkable(grid, True)
    bounded_bits(
        tuple(line.ravel() for line in lines),
        tuple(bend.ravel() for line in lines for bend in find_bends(line)),
        *shape,
        *origin,
        observers.x_m,
        observers.y_m,
        observers.z_m - level,
        mounts,
        targets.x_m,
        targets.y_m,
        lost,
        by_col,
        by_row,
        heights,
        *window,
        _rounding_m(surface, mounts),
        flat,
        tiles,
        unknowns,
        level,
        bool(np.any(by_col[1] % 1) or np.any(by_col[2] % 1)),
        parts,
        visible,
        unknown,
        walked,
    )
    if parts == 1:
        return visible[:, 0], unknown[:, 0], int(walked.sum())
    visible, unknown = (np.bitwise_or.reduce(planes, axis=1) for planes in (visible, unknown))
    return visible, unknown, int(walked.sum())


def _rounding_m(surface: NDArray[np.floating], mounts: NDArray[np.float64]) -> float:
    """Bound what float32 heights and places between nodes lose [m].

    Heights above an observer are off by a few units in the last place, 6e-8 of the range of
    heights; places in a block of lanes by 1e-6 of a cell, so heights by as much of a step.
    """
    if np.isnan(surface).all():
        return 0.0
    span = float(np.nanmax(surface)) - float(np.nanmin(surface)) + float(np.abs(mounts).max())
    return 1e-5 + 2e-6 * span
