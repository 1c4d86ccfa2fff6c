"""In how many realisations of an uncertain terrain is a cell seen: one fan for all of them.

The realisations share the rays, the surface samples and their weights; each has a horizon of its
own, as each mount height has in :mod:`watchline.kernels.fan`, whose geometry this sweep follows. A
sample's height in a realisation is the surface plus that realisation's error there, which is
interpolated from a coarse grid (:mod:`watchline.kernels.error_field`). The realisations lie next to
one another in memory, so that the compiler makes vectors of them. A sample that is below every
realisation's horizon even with the largest error costs nothing more; that changes no bit.

Sway moves the head horizontally. What it does along the ray is computed: all slopes from a head
that is δ nearer are those over a distance shorter by δ. What it does across the ray is left out:
the ray then passes an obstacle sideways by less than δ, which is less than half a cell.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from watchline.kernels.error_field import ErrorFields
from watchline.kernels.grid import Grid
from watchline.kernels.ray import TOUCH_M
from watchline.kernels.sight import RANGE_SLACK

LOST = -1
"""Stands for a cell of which nothing is known."""

_FIRST_RAYS = 16
_NO_HORIZON = -1e30
_SLACK_M = 1e-3  # what rounding may do to a sample's height


@njit(cache=True, fastmath={"nnan", "nsz", "reassoc"})
def _raise(horizon, near, far, near_share, far_share, height, eyes, inverse):
    """Raise one ray's horizons to a sample; return the lowest of them."""
    lowest = np.float32(np.inf)
    for r in range(eyes.size):
        error = near[r] * near_share + far[r] * far_share
        slope = (height - eyes[r] + error) * inverse[r]
        level = horizon[r]
        level = slope if slope > level else level
        horizon[r] = level
        lowest = level if level < lowest else lowest
    return lowest


@njit(cache=True, fastmath={"nnan", "nsz", "reassoc"})
def _count(left, right, share, near, far, near_share, far_share, height, eyes, inverse):
    """In how many realisations a target lies above the horizon between two rays."""
    seen = 0
    for r in range(eyes.size):
        error = near[r] * near_share + far[r] * far_share
        slope = (height - eyes[r] + error) * inverse[r]
        seen += slope >= left[r] + share * (right[r] - left[r])
    return seen


@njit(cache=True)
def _split(horizon, lowest, holed, rays):
    """Give every ray two children, in place; each takes on a quarter of its parent's neighbour."""
    own, other = np.float32(0.75), np.float32(0.25)
    for k in range(rays - 1, -1, -1):
        right, left = min(k + 1, rays - 1), max(k - 1, 0)
        for r in range(horizon.shape[1]):
            middle = horizon[k, r] * own
            high = middle + other * horizon[right, r]
            low = middle + other * horizon[left, r]
            horizon[2 * k + 1, r] = high
            horizon[2 * k, r] = low
        # No higher than the lowest of the mixed horizons.
        middle = own * lowest[k]
        high = middle + other * lowest[right]
        low = middle + other * lowest[left]
        lowest[2 * k + 1] = high
        lowest[2 * k] = low
        holed[2 * k + 1] = holed[k]
        holed[2 * k] = holed[k]


@njit(cache=True)
def _kept(share, shared):
    return (1.0 - share) ** 2 + share**2 + 2.0 * share * (1.0 - share) * shared


@njit(cache=True)
def _errors_on_line(fields, place, step, shared, begin, end, out):
    """Errors of coarse columns begin … end - 1 on a line at the coarse place `place`."""
    at = place / step
    node = min(int(at), fields.shape[0] - 2)
    share = at - node
    scale = 1.0 / np.sqrt(_kept(share, shared))
    near, far = np.float32((1.0 - share) * scale), np.float32(share * scale)
    for c in range(begin, end):
        for r in range(out.shape[1]):
            out[c, r] = near * fields[node, c, r] + far * fields[node + 1, c, r]


@njit(cache=True)
def _sample(
    here, other, errors, step, shared, q0, at, rays, first, last, eyes, inverse, top, bounds,
    horizon, lowest, holed,
):  # fmt: skip
    """Sample rays first … last - 1 at the distance `at`, midway between two lines of heights."""
    size = here.size
    gap = 2.0 * at / rays
    low_eye, most, least = bounds
    half = np.float32(0.5)
    for ray in range(first, last):
        q = min(max(q0 - at + (ray + 0.5) * gap, 0.0), size - 1.0)
        node = min(int(q), size - 2)
        part = np.float32(q - node)
        near = (here[node] + other[node]) * half
        far = (here[node + 1] + other[node + 1]) * half
        height = near + part * (far - near)
        if np.isnan(height):
            holed[ray] = True
            continue
        highest = height + top - low_eye
        if highest * (most if highest > 0 else least) <= lowest[ray]:
            continue
        place = q / step
        column = min(int(place), errors.shape[0] - 2)
        share = place - column
        scale = 1.0 / np.sqrt(_kept(share, shared))
        lowest[ray] = _raise(
            horizon[ray], errors[column], errors[column + 1],
            np.float32((1.0 - share) * scale), np.float32(share * scale),
            np.float32(height), eyes, inverse,
        )  # fmt: skip


@njit(cache=True)
def _inverse(away, shifts, step, out):
    """One over the distance of the swayed heads to a line, and its bounds."""
    most, least = np.float32(0.0), np.float32(np.inf)
    for r in range(out.size):
        out[r] = 1.0 / max(away - step * shifts[r], 0.5 * away)
        most = max(most, out[r])
        least = min(least, out[r])
    return most, least


@njit(cache=True)
def _sweep(
    surface, stand, fields, step, shared, p0, q0, eyes, shifts, head, top, reach, direction, wide,
    spacing, counts,
):  # fmt: skip
    """Sweep one cone outward, line by line; see the fan for the geometry."""
    lines, size = surface.shape
    n = eyes.size
    own = int(np.floor(p0 + 0.5))
    if direction > 0:
        steps = int(min(lines - 1.0, p0 + reach + 1.0)) - own
    else:
        steps = own - int(max(0.0, np.ceil(p0 - reach - 1.0)))
    room = _FIRST_RAYS
    while 2.0 * (steps + 1) > spacing * room:
        room *= 2
    horizon = np.full((room, n), np.float32(_NO_HORIZON))
    lowest = np.full(room, np.float32(_NO_HORIZON))
    holed = np.zeros(room, dtype=np.bool_)
    errors = np.zeros((fields.shape[1], n), dtype=np.float32)
    inverse = np.empty(n, dtype=np.float32)
    low_eye = eyes.min()
    rays = _FIRST_RAYS
    reach2 = reach * reach * RANGE_SLACK
    for s in range(steps + 1):
        line = own + direction * s
        away = (line - p0) * direction
        if away < 0.0:
            continue
        width = min(away, np.sqrt(max(reach2 - away * away, 0.0)))
        begin = int(max(np.ceil(q0 - width), 0.0))
        end = int(min(np.floor(q0 + width), size - 1.0)) + 1
        coarse_begin = int(max(q0 - away - 2, 0.0) / step)
        coarse_end = min(int(min(q0 + away + 2, size - 1.0) / step) + 2, errors.shape[0])
        _errors_on_line(fields, line, step, shared, coarse_begin, coarse_end, errors)
        most, least = _inverse(max(away, 1e-9), shifts, direction, inverse)
        for q in range(begin, end):
            aside = abs(q - q0)
            if aside > away or (aside == away and not wide) or (away == 0.0 and direction < 0):
                continue
            if aside * aside + away * away > reach2:
                continue
            place = ((q - q0) / max(away, 1e-9) + 1.0) * rays / 2 - 0.5
            ray = min(int(max(place, 0.0)), rays - 2)
            share = min(max(place - ray, 0.0), 1.0)
            height = stand[line, q]
            if np.isnan(height) or holed[ray if share < 0.5 else ray + 1]:
                counts[line, q] = LOST
                continue
            if np.isnan(surface[line, q]):
                counts[line, q] = LOST
                continue
            highest = height + head + top - low_eye
            if highest * (most if highest > 0 else least) < min(lowest[ray], lowest[ray + 1]):
                continue
            at = q / step
            column = min(int(at), errors.shape[0] - 2)
            part = at - column
            scale = 1.0 / np.sqrt(_kept(part, shared))
            counts[line, q] += _count(
                horizon[ray], horizon[ray + 1], np.float32(share),
                errors[column], errors[column + 1],
                np.float32((1.0 - part) * scale), np.float32(part * scale),
                np.float32(height + head + TOUCH_M), eyes, inverse,
            )  # fmt: skip
        if s == 0 or s == steps:
            continue
        while 2.0 * away > spacing * rays:
            _split(horizon, lowest, holed, rays)
            rays *= 2
        gap = 2.0 * away / rays
        width = min(away, np.sqrt(max((reach + 2.0) ** 2 - away * away, 0.0)) + 2.0)
        left = max(q0 - width, -1.0)
        right = min(q0 + width, size * 1.0)
        first = max(int(np.ceil((left - q0 + away) / gap - 0.5)), 0)
        last = min(int(np.floor((right - q0 + away) / gap - 0.5)) + 1, rays)
        here = surface[line]
        _sample(
            here, here, errors, step, shared, q0, away, rays, first, last, eyes, inverse, top,
            (low_eye, most, least), horizon, lowest, holed,
        )  # fmt: skip
        if s > 1:
            between = away - 0.5
            middle = line - 0.5 * direction
            _errors_on_line(fields, middle, step, shared, coarse_begin, coarse_end, errors)
            most, least = _inverse(between, shifts, direction, inverse)
            _sample(
                here, surface[line - direction], errors, step, shared, q0, between, rays, first,
                last, eyes, inverse, top, (low_eye, most, least), horizon, lowest, holed,
            )  # fmt: skip


@njit(cache=True, parallel=True)
def _sweep_all(
    by_row, by_col, stand_by_row, stand_by_col, fields_by_row, fields_by_col, step, shared, row,
    col, eyes, shifts_row, shifts_col, head, top, reach, spacing, counts, counts_by_col,
):  # fmt: skip
    for cone in prange(4):
        direction = 1 if cone % 2 == 0 else -1
        if cone < 2:
            _sweep(
                by_col, stand_by_col, fields_by_col, step, shared, col, row, eyes, shifts_col,
                head, top, reach, direction, True, spacing, counts_by_col,
            )  # fmt: skip
        else:
            _sweep(
                by_row, stand_by_row, fields_by_row, step, shared, row, col, eyes, shifts_row,
                head, top, reach, direction, False, spacing, counts,
            )  # fmt: skip


def count_realisations(
    grid: Grid,
    stand_m: NDArray[np.floating],
    observer_xy_m: tuple[float, float],
    eyes_m: NDArray[np.floating],
    target_height_m: float,
    max_range_m: float,
    fields: ErrorFields,
    sway_m: NDArray[np.floating],
    spacing: float,
) -> NDArray[np.int32]:
    """Count the realisations in which an observer sees each cell.

    Parameters
    ----------
    grid : Grid
        The surface that blocks, curvature folded in.
    stand_m : ndarray, shape (rows, cols)
        The ground on which targets stand, folded likewise [m]; NaN where unknown.
    observer_xy_m : tuple of float
        Where the observer stands [m], between the outermost nodes.
    eyes_m : ndarray, shape (n,)
        Height of the eye in each realisation [m], the error of its ground included.
    target_height_m : float
        Height of the target above its ground [m].
    max_range_m : float
        Largest horizontal distance [m].
    fields : ErrorFields
        The n realisations of the error, added to surface and ground alike.
    sway_m : ndarray, shape (n, 2)
        How far the head has moved to the east and to the north [m].
    spacing : float
        Largest gap between rays, in cells.

    Returns
    -------
    ndarray of int32, shape (rows, cols)
        Between 0 and n; :data:`LOST` where the cell is unknown, or ground under the ray.
    """
    surface = grid.surface_m
    level = float(np.nanmean(surface)) if not np.isnan(surface).all() else 0.0
    by_row, stand = (
        np.ascontiguousarray(heights - level, dtype=np.float32) for heights in (surface, stand_m)
    )
    values = fields.values_m
    # No interpolated error exceeds the largest node's over what interpolation leaves at least.
    kept = (1.0 + fields.shared) / 2
    largest = float(np.abs(values).max(initial=0.0)) / kept
    counts = np.zeros(surface.shape, dtype=np.int32)
    counts_by_col = np.zeros(surface.shape[::-1], dtype=np.int32)
    sway = np.asarray(sway_m, dtype=np.float64) / grid.cell_m
    _sweep_all(
        by_row,
        np.ascontiguousarray(by_row.T),
        stand,
        np.ascontiguousarray(stand.T),
        values,
        np.ascontiguousarray(values.transpose(1, 0, 2)),
        fields.step,
        fields.shared,
        (grid.y0_m - observer_xy_m[1]) / grid.cell_m,
        (observer_xy_m[0] - grid.x0_m) / grid.cell_m,
        (np.asarray(eyes_m, dtype=np.float64) - level + TOUCH_M).astype(np.float32),
        np.ascontiguousarray(-sway[:, 1]),
        np.ascontiguousarray(sway[:, 0]),
        float(target_height_m),
        np.float32(largest + _SLACK_M),
        min(float(max_range_m) / grid.cell_m, float(sum(surface.shape))),
        float(spacing),
        counts,
        counts_by_col,
    )
    # Every cell lies in one cone, so one of the two is zero.
    return counts + counts_by_col.T
