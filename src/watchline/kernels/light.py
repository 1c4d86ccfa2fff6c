"""Illuminance, point by point: many luminaires, many receivers, terrain between them.

    E = Σ F · I(C, γ) · max(0, n·l) / d² · exp(−σ d)        for every lamp whose ray is clear

Receivers of several kinds (height above the ground and normal) stand at one place and share its
rays: the ray of a higher one lies above that of a lower one all the way to the lamp, so one walk
over the surface tells all heights. So do luminaires that hang at one point.

Places are taken along a Hilbert curve in blocks of 64, so that a block is small and what it may
leave out (:mod:`watchline.kernels.light_cut`) is decided once. Arithmetic is float64; results do
not depend on the number of threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, prange
from numpy.typing import ArrayLike, NDArray

from watchline.errors import UsageError
from watchline.kernels.grid import Grid, Points
from watchline.kernels.light_cut import block_box, choose
from watchline.kernels.light_ray import (
    BLOCKED,
    Pyramid,
    build_pyramid,
    least_rise,
    surface_height,
)
from watchline.kernels.light_table import Lights, look_toward
from watchline.kernels.ray import TOUCH_M
from watchline.kernels.sight import finite_heights

BLOCK = 64
SUPER_BLOCK = 32 * BLOCK
_COARSE_SHARE = 0.25  # of what may be left out, spent on whole groups of blocks
_HILBERT_BITS = 16


class Illuminance(NamedTuple):
    """Light on every receiver.

    Attributes
    ----------
    lux : ndarray of float64, shape (n, kinds)
        Illuminance by rays that are known to be clear [lx].
    unknown_lx : ndarray of float64, shape (n, kinds)
        What rays over unknown ground would add if they were clear [lx].
    skipped_lx : ndarray of float64, shape (n, kinds)
        Proven upper bound of what was left out [lx].
    pairs : int
        Pairs of place and luminaire that were computed.
    """

    lux: NDArray[np.float64]
    unknown_lx: NDArray[np.float64]
    skipped_lx: NDArray[np.float64]
    pairs: int


@njit(cache=True)
def _block_light(
    pyramid, origin, lights, chosen, shared, points, normals, heights, extinction, block, results
):
    """Sum the chosen luminaires over one block of places."""
    lamp_x, lamp_y, lamp_z, frame, table, scale, tables = lights
    x, y, z = points
    nodes, per_step, intensity, index, per_bin, layout, _, _ = tables
    flat, shape, crests, first, wide = pyramid
    last_row, last_col = shape[0] - 1, shape[1] - 1
    cell, x0, y0 = origin
    lux, unknown_lx = results
    kinds = heights.size
    part = np.empty(kinds)
    lowest, highest = heights.min(), heights.max()
    hints = np.zeros(chosen.size)
    for i in range(block[0], block[1]):
        if np.isnan(z[i]):
            unknown_lx[i, :] = np.inf
            continue
        col, row = (x[i] - x0) / cell, (y0 - y[i]) / cell
        # Below the surface, as in a building, there is no light; beyond it, all is unknown.
        ground = surface_height(flat, shape, col, row)
        buried = ground - TOUCH_M - z[i]
        off_grid = not (0.0 <= col <= last_col and 0.0 <= row <= last_row)
        rise, dim, walked, walked_for = 0.0, False, False, -1
        for c in range(chosen.size):
            lamp = chosen[c]
            dx, dy = lamp_x[lamp] - x[i], lamp_y[lamp] - y[i]
            any_light = False
            low, high = highest, lowest
            for k in range(kinds):
                part[k] = 0.0
                dz = lamp_z[lamp] - z[i] - heights[k]
                facing = normals[i, k, 0] * dx + normals[i, k, 1] * dy + normals[i, k, 2] * dz
                if facing <= 0.0 or buried > heights[k]:
                    continue
                light = look_toward(
                    nodes, per_step, intensity, index, per_bin, layout, table[lamp], frame, lamp,
                    dx, dy, dz,
                )  # fmt: skip
                if light <= 0.0:
                    continue
                d2 = dx * dx + dy * dy + dz * dz
                d = math.sqrt(d2)
                part[k] = light * scale[lamp] * facing / (d2 * d)
                if extinction > 0.0:
                    part[k] *= math.exp(-extinction * d)
                any_light = True
                low, high = min(low, heights[k]), max(high, heights[k])
            if not any_light:
                continue
            if not walked or shared[lamp] != walked_for:
                # A ray that another luminaire at this point may use must serve all heights.
                walked = shared[lamp] >= 0
                walked_for = shared[lamp]
                if walked:
                    low, high = lowest, highest
                to_col, to_row = (lamp_x[lamp] - x0) / cell, (y0 - lamp_y[lamp]) / cell
                lamp_on_grid = 0.0 <= to_col <= last_col and 0.0 <= to_row <= last_row
                if off_grid or not lamp_on_grid:
                    rise, dim = low, True
                else:
                    rise, dim, hints[c] = least_rise(
                        flat,
                        shape,
                        crests,
                        first,
                        wide,
                        (col, row, z[i] + low),
                        (to_col, to_row, lamp_z[lamp]),
                        high - low,
                        hints[c],
                    )
                    rise += low
                    top = surface_height(flat, shape, to_col, to_row)
                    if top - TOUCH_M > lamp_z[lamp]:
                        rise = BLOCKED
                    dim |= np.isnan(top) or np.isnan(ground)
            for k in range(kinds):
                # One rounding of the height that was asked for must not hide what just sees.
                if part[k] > 0.0 and heights[k] >= rise - 1e-9:
                    if dim:
                        unknown_lx[i, k] += part[k]
                    else:
                        lux[i, k] += part[k]


@njit(cache=True, parallel=True)
def _all_light(
    flat, shape, levels, origin, lamps, tables, shared, points, normals, heights, air, skip, results
):
    lux, unknown_lx, skipped = results
    count = points[0].size
    groups = (count + SUPER_BLOCK - 1) // SUPER_BLOCK
    pairs = np.zeros(groups, dtype=np.int64)
    everything = np.arange(lamps[0].size)
    for group in prange(groups):
        # Numba carries no tuple of tuples into a parallel loop: they are put together here.
        pyramid = Pyramid(flat, shape, levels[0], levels[1], levels[2])
        lights = Lights(lamps[0], lamps[1], lamps[2], lamps[3], lamps[4], lamps[5], tables)
        begin, end = group * SUPER_BLOCK, min((group + 1) * SUPER_BLOCK, count)
        coarse_spent = np.zeros(heights.size)
        box = block_box(points, normals, heights, begin, end)
        near = choose(lights, everything, box, air, skip * _COARSE_SHARE, coarse_spent)
        for first in range(begin, end, BLOCK):
            last = min(first + BLOCK, end)
            spent = coarse_spent.copy()
            box = block_box(points, normals, heights, first, last)
            chosen = choose(lights, near, box, air, skip, spent)
            for i in range(first, last):
                skipped[i] = spent
            pairs[group] += chosen.size * (last - first)
            _block_light(
                pyramid,
                origin,
                lights,
                chosen,
                shared,
                points,
                normals,
                heights,
                air,
                (first, last),
                (lux, unknown_lx),
            )
    return pairs.sum()


@njit(cache=True)
def _hilbert(col, row):
    """Place of a square along a Hilbert curve (Warren, "Hacker's Delight", 16-1)."""
    place = np.int64(0)
    side = np.int64(1) << (_HILBERT_BITS - 1)
    while side > 0:
        right, down = np.int64((col & side) > 0), np.int64((row & side) > 0)
        place += side * side * ((3 * right) ^ down)
        if down == 0:
            if right == 1:
                col, row = side - 1 - (col & (side - 1)), side - 1 - (row & (side - 1))
            col, row = row, col
        side >>= 1
    return place


@njit(cache=True)
def _hilbert_places(col, row):
    places = np.empty(col.size, dtype=np.int64)
    for i in range(col.size):
        places[i] = _hilbert(col[i], row[i])
    return places


def along_curve(x_m: NDArray[np.float64], y_m: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order of places along a Hilbert curve: neighbours in the order are neighbours on the ground.

    Parameters
    ----------
    x_m, y_m : ndarray of float64, shape (n,)
        Places [m].
    """
    if x_m.size == 0:
        return np.zeros(0, dtype=np.int64)
    extent = max(float(np.ptp(x_m)), float(np.ptp(y_m)), 1e-9)
    side = (1 << _HILBERT_BITS) - 1
    col = ((x_m - x_m.min()) / extent * side).astype(np.int64)
    row = ((y_m - y_m.min()) / extent * side).astype(np.int64)
    return np.argsort(_hilbert_places(col, row), kind="stable")


def _shared_points(lights: Lights) -> NDArray[np.int64]:
    """For each luminaire the first one at the same point; −1 where no other hangs there."""
    places = np.column_stack([lights.x_m, lights.y_m, lights.z_m])
    _, first, which, size = np.unique(
        places, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    which = which.ravel()
    return np.where(size[which] > 1, first[which], -1).astype(np.int64)


def illuminate(
    grid: Grid,
    lights: Lights,
    places: Points,
    heights_m: ArrayLike,
    normals: ArrayLike,
    *,
    extinction_per_m: float = 0.0,
    skip_lx: float = 0.0,
    pyramid: Pyramid | None = None,
) -> Illuminance:
    """Sum the light of all luminaires on all receivers.

    Parameters
    ----------
    grid : Grid
        The surface that blocks, curvature folded in.
    lights : Lights
        The luminaires. Those at one point should be neighbours, so that they share rays.
    places : Points
        Where receivers stand, with the (folded) height of the ground there.
    heights_m : array_like, shape (kinds,)
        Height of each kind of receiver above its ground [m].
    normals : array_like, shape (kinds, 3) or (n, kinds, 3)
        Unit normals of the receivers, as east, north, up; (0, 0, 1) is horizontal illuminance,
        (sin b, cos b, 0) vertical illuminance toward the bearing b.
    extinction_per_m : float
        Extinction of the air σ [1/m]; 0 for clear air.
    skip_lx : float
        Luminaires may be left out where their sum cannot exceed this on any receiver [lx].
    pyramid : Pyramid, optional
        From :func:`~watchline.kernels.light_ray.build_pyramid`, to use it again.

    Returns
    -------
    Illuminance

    Raises
    ------
    UsageError
        If shapes do not go together, or a number is not finite or negative.
    """
    heights = finite_heights(heights_m, "heights_m")
    count = places.x_m.size
    given = np.asarray(normals, dtype=np.float64)
    if given.shape not in ((heights.size, 3), (count, heights.size, 3)):
        raise UsageError(
            f"normals have shape {given.shape} for {heights.size} heights and {count} places",
            mend="pass (heights, 3) or (places, heights, 3)",
        )
    if not np.allclose((given**2).sum(axis=-1), 1.0, atol=1e-6):
        raise UsageError("a normal is not of length 1", mend="divide it by its length")
    for name, value in (("extinction_per_m", extinction_per_m), ("skip_lx", skip_lx)):
        if not (math.isfinite(value) and value >= 0):
            raise UsageError(f"{name} = {value}", mend="pass a finite number of at least 0")
    order = along_curve(places.x_m, places.y_m)
    points = Points(*(np.ascontiguousarray(part[order]) for part in places))
    if given.ndim == 2:
        # A copy: a view would be read-only, which is another type to the compiler.
        turned = np.array(np.broadcast_to(given, (count, heights.size, 3)), order="C")
    else:
        turned = np.ascontiguousarray(given[order])
    results = tuple(np.zeros((count, heights.size)) for _ in range(3))
    pyramid = build_pyramid(grid) if pyramid is None else pyramid
    pairs = _all_light(
        pyramid.flat,
        pyramid.shape,
        tuple(pyramid[2:]),
        tuple(grid[1:]),
        tuple(lights[:-1]),
        lights.tables,
        _shared_points(lights),
        points,
        turned,
        heights,
        float(extinction_per_m),
        float(skip_lx),
        results,
    )
    back = np.empty_like(order)
    back[order] = np.arange(count)
    lux, unknown, skipped = (part[back] for part in results)
    return Illuminance(lux, unknown, skipped, int(pairs))
