"""Light of every luminaire on every receiver near it, pair by pair: what a choice among them needs.

The sums of :mod:`watchline.kernels.light` are of given luminaires. To choose luminaires their parts
must stay apart. Luminaires that may hang at one point share its rays.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from watchline.kernels.grid import Grid
from watchline.kernels.light_ray import BLOCKED, Pyramid, least_rise, surface_height
from watchline.kernels.light_table import Lights, look_toward
from watchline.kernels.ray import TOUCH_M


@njit(cache=True, parallel=True)
def _pair_light(
    flat,
    shape,
    levels,
    origin,
    tops,
    first_lamp,
    lamps,
    tables,
    first_pair,
    pair_point,
    first_out,
    points,
    normals,
    extinction,
    blocked,
    head_on,
    out,
    doubtful,
):
    x, y, z = points
    top_x, top_y, top_z = tops
    frame, table, scale = lamps
    nodes, per_step, intensity, index, per_bin, layout, _, _ = tables
    last_row, last_col = shape[0] - 1, shape[1] - 1
    cell, x0, y0 = origin
    for top in prange(top_x.size):
        highest, first, wide = levels
        hint = 0.0
        to_col, to_row = (top_x[top] - x0) / cell, (y0 - top_y[top]) / cell
        top_on_grid = 0.0 <= to_col <= last_col and 0.0 <= to_row <= last_row
        above = np.nan
        if top_on_grid:
            above = surface_height(flat, shape, to_col, to_row)
        lamps_here = first_lamp[top + 1] - first_lamp[top]
        for pair in range(first_pair[top], first_pair[top + 1]):
            i = pair_point[pair]
            at = first_out[top] + (pair - first_pair[top]) * lamps_here
            for k in range(lamps_here):
                out[at + k] = 0.0
            dx, dy, dz = top_x[top] - x[i], top_y[top] - y[i], top_z[top] - z[i]
            d2 = dx * dx + dy * dy + dz * dz
            d = math.sqrt(d2)
            facing = normals[i, 0] * dx + normals[i, 1] * dy + normals[i, 2] * dz
            if head_on:
                facing = d
            if not facing > 0.0:
                continue
            factor = facing / (d2 * d)
            if extinction > 0.0:
                factor *= math.exp(-extinction * d)
            most = 0.0
            for k in range(lamps_here):
                lamp = first_lamp[top] + k
                light = look_toward(
                    nodes, per_step, intensity, index, per_bin, layout, table[lamp], frame, lamp,
                    dx, dy, dz,
                )  # fmt: skip
                out[at + k] = light * scale[lamp] * factor
                most = max(most, out[at + k])
            if most <= 0.0 or not blocked:
                continue
            col, row = (x[i] - x0) / cell, (y0 - y[i]) / cell
            clear, unknown = False, True
            if top_on_grid and 0.0 <= col <= last_col and 0.0 <= row <= last_row:
                ground = surface_height(flat, shape, col, row)
                if ground - TOUCH_M > z[i] or above - TOUCH_M > top_z[top]:
                    clear, unknown = False, False
                else:
                    rise, unknown, hint = least_rise(
                        flat,
                        shape,
                        highest,
                        first,
                        wide,
                        (col, row, z[i]),
                        (to_col, to_row, top_z[top]),
                        0.0,
                        hint,
                    )
                    unknown |= np.isnan(ground) or np.isnan(above)
                    clear = rise < BLOCKED and rise <= 1e-9
                    unknown = unknown and clear
            if unknown:
                doubtful[pair] = True
            elif not clear:
                for k in range(lamps_here):
                    out[at + k] = 0.0


def pair_light(
    grid: Grid,
    pyramid: Pyramid,
    lights: Lights,
    first_lamp: NDArray[np.int64],
    first_pair: NDArray[np.int64],
    pair_point: NDArray[np.int64],
    points: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    normals: NDArray[np.float64],
    *,
    extinction_per_m: float = 0.0,
    blocked: bool = True,
    head_on: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_]]:
    """Illuminance by each luminaire of some tops on the receivers that are paired with the top.

    Parameters
    ----------
    grid : Grid
        The surface that blocks, curvature folded in.
    pyramid : Pyramid
        Of that surface.
    lights : Lights
        Luminaires, those of one top one after the other; all of a top hang at one point.
    first_lamp : ndarray of int64, shape (tops + 1,)
        Where a top's luminaires begin.
    first_pair : ndarray of int64, shape (tops + 1,)
        Where a top's receivers begin in `pair_point`.
    pair_point : ndarray of int64, shape (pairs,)
        Receivers of each top.
    points : tuple of ndarray, shape (n,)
        Coordinates and folded heights of the receivers themselves [m].
    normals : ndarray of float64, shape (n, 3)
        Unit normals of the receivers, as east, north, up.
    extinction_per_m : float
        Extinction of the air [1/m].
    blocked : bool
        False leaves the surface out: the most that a pair can have.
    head_on : bool
        True turns every receiver to the luminaire, whatever its normal.

    Returns
    -------
    lux : ndarray of float32
        Pair after pair the light of each of the top's luminaires [lx].
    first_out : ndarray of int64, shape (tops + 1,)
        Where a top's values begin.
    doubtful : ndarray of bool, shape (pairs,)
        Pairs whose ray runs over unknown ground: their light may be there or not.
    """
    tops = first_lamp[:-1]
    width, count = np.diff(first_lamp), np.diff(first_pair)
    first_out = np.concatenate([[0], np.cumsum(width * count)]).astype(np.int64)
    out = np.zeros(int(first_out[-1]), dtype=np.float32)
    doubtful = np.zeros(pair_point.size, dtype=np.bool_)
    _pair_light(
        pyramid.flat,
        pyramid.shape,
        tuple(pyramid[2:]),
        tuple(grid[1:]),
        tuple(np.ascontiguousarray(axis[tops]) for axis in lights[:3]),
        first_lamp,
        (lights.frame, lights.table, lights.scale),
        lights.tables,
        first_pair,
        pair_point,
        first_out,
        points,
        normals,
        float(extinction_per_m),
        blocked,
        head_on,
        out,
        doubtful,
    )
    return out, first_out, doubtful
