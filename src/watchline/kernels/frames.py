"""Which cells a camera's image holds: pinhole frames on plain arrays.

A direction has a bearing ``b`` relative to the optical axis and the tangent ``e`` of its elevation.
With the axis tilted down by ``tilt``, its image lies (per unit of focal length) at

    right = sin b / depth,  up = (e·cos tilt + cos b·sin tilt) / depth,
    depth = cos b·cos tilt − e·sin tilt.

Vertically this means: with ``w = atan(e / cos b)`` the point lies in the frame iff
``−v/2 ≤ w + tilt ≤ v/2``, so for a given azimuth every cell allows an interval of tilts, and the
best tilt is the one that most intervals hold (interval stabbing), exactly.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True)
def in_frame(bearing, spread, top, feet, azimuth, tilt, tan_h, tan_v):
    """Whether a whole cell lies in a frame.

    Parameters
    ----------
    bearing : float
        Bearing of the cell's centre in rad.
    spread : float
        Half the angle that the cell takes up in rad; negative to ask "any part of it".
    top, feet : float
        Tangents of the elevation of the target's top and feet (the extremes over the cell).
    azimuth, tilt : float
        Axis of the camera in rad; tilt positive downward.
    tan_h, tan_v : float
        Tangents of half the fields of view.
    """
    off = bearing - azimuth
    off = off - 2.0 * np.pi * np.round(off / (2.0 * np.pi))
    cos_t = np.cos(tilt)
    sin_t = np.sin(tilt)
    if spread < 0.0:
        # Any part: the place nearest to the axis decides, but beyond a right angle (straight below
        # a steep axis) the farthest may come into the frame again.
        near = max(0.0, abs(off) + spread)
        return _holds(near, top, feet, cos_t, sin_t, tan_h, tan_v) or _holds(
            abs(off) - spread, top, feet, cos_t, sin_t, tan_h, tan_v
        )
    if spread > 0.0 and abs(off) + spread >= 0.5 * np.pi:
        # Between two ends that are held, a place may be out there: such a cell is not promised.
        return False
    return _holds(off - spread, top, feet, cos_t, sin_t, tan_h, tan_v) and _holds(
        off + spread, top, feet, cos_t, sin_t, tan_h, tan_v
    )


@numba.njit(cache=True)
def _holds(off, top, feet, cos_t, sin_t, tan_h, tan_v):
    """Whether the frame holds the target's top and feet, ``off`` rad beside its axis."""
    cos_b = np.cos(off)
    side = abs(np.sin(off))
    for end in range(2):
        e = top if end == 0 else feet
        depth = cos_b * cos_t - e * sin_t
        if depth <= 0.0 or side > tan_h * depth:
            return False
        if abs(e * cos_t + cos_b * sin_t) > tan_v * depth:
            return False
    return True


@numba.njit(cache=True)
def best_tilt(bearing, spread, top, feet, weight, azimuth, half_h, half_v):
    """Tilt that holds the most weight of cells within half a horizontal field of an azimuth.

    Parameters
    ----------
    bearing, spread, top, feet : float64 array [n]
        As for :func:`in_frame`, one entry a cell.
    weight : float64 array [n]
        Worth of each cell; zero leaves it out.
    azimuth, half_h, half_v : float
        Axis and half the fields of view in rad.

    Returns
    -------
    tilt : float
        In rad, positive downward; NaN where no cell fits.
    worth : float
        Weight that it holds.
    """
    low = np.empty(len(bearing))
    high = np.empty(len(bearing))
    worth = np.empty(len(bearing))
    count = 0
    for i in range(len(bearing)):
        if weight[i] <= 0.0:
            continue
        off = bearing[i] - azimuth
        off = off - 2.0 * np.pi * np.round(off / (2.0 * np.pi))
        edge = abs(off) + spread[i]
        if edge > half_h or edge >= 0.49 * np.pi:
            continue
        # The cosine lowers both ends of the angle, so each end takes the side that binds.
        near = max(0.0, abs(off) - spread[i])
        cos_top = np.cos(near) if top[i] < 0.0 else np.cos(edge)
        cos_feet = np.cos(edge) if feet[i] < 0.0 else np.cos(near)
        highest = np.arctan(top[i] / cos_top)
        lowest = np.arctan(feet[i] / cos_feet)
        if highest - lowest > 2.0 * half_v:
            continue
        low[count] = -half_v - lowest
        high[count] = half_v - highest
        worth[count] = weight[i]
        count += 1
    if count == 0:
        return np.nan, 0.0
    order_low = np.argsort(low[:count])
    order_high = np.argsort(high[:count])
    best = 0.0
    best_low = low[order_low[0]]
    best_high = best_low
    current = 0.0
    j = 0
    for n in range(count):
        i = order_low[n]
        while high[order_high[j]] < low[i]:
            current -= worth[order_high[j]]
            j += 1
        current += worth[i]
        if current > best + 1e-9:
            best = current
            best_low = low[i]
            best_high = high[order_high[j]]
    # The middle of the interval of equally good tilts: room on both edges of the frame.
    return 0.5 * (best_low + best_high), best


@numba.njit(cache=True)
def frame_cells(
    bearing, spread, top, feet, wanted, azimuths, tilt, tan_h, tan_v, full, most_height, held
):
    """Mark the cells that one device holds: any of its sensors holds the whole cell.

    Parameters
    ----------
    bearing, spread, top, feet : float64 array [n]
        As for :func:`in_frame`, one entry a cell.
    wanted : bool array [n]
        Cells to look at; the others are not held.
    azimuths : float64 array [sensors]
        Axes of the sensors in rad.
    tilt, tan_h, tan_v : float
        As for :func:`in_frame`.
    full : bool
        True for devices that turn or look all round: then ``tan_h`` and ``tan_v`` are the
        tangents of the lowest (below the horizon) and highest elevation that they reach.
    most_height : float
        Tallest target, as an angle in rad, that fits into the image of such a device.
    held : bool array [n]
        Written.
    """
    for i in range(len(bearing)):
        held[i] = False
        if not wanted[i]:
            continue
        if full:
            tall = np.arctan(top[i]) - np.arctan(feet[i])
            held[i] = top[i] <= tan_v and feet[i] >= -tan_h and tall <= most_height
            continue
        for sensor in range(len(azimuths)):
            if in_frame(
                bearing[i], spread[i], top[i], feet[i], azimuths[sensor], tilt, tan_h, tan_v
            ):
                held[i] = True
                break
