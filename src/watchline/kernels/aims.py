"""The best aim of a lens over continuous azimuth and tilt: the deepest point of weighted boxes.

For a fixed lens every cell allows a region of aims (azimuth, tilt) that hold the whole of it. The
region is nearly a box: its edges bend only as far as a flat image bends straight lines. With boxes
around it the best aim becomes the point that the most weight of boxes covers, which a sweep over
azimuth finds exactly (Imai and Asano, J. Algorithms 4, 1983): boxes enter and leave as the field of
view turns past the bearings, and a tree over the tilts keeps the most weight. As the boxes hold the
whole region, the weight found is an upper bound of what any aim holds.

The boxes, with half fields of view ``h`` and ``v``, a cell of half width ``s`` whose centre lies at
``o`` off the axis, and the tangents of elevation ``e`` of its target's top and feet:

- A corner at the bearing ``b`` (``o − s`` or ``o + s``) lies between the upper and lower edge iff
  ``|atan(e / cos b) + tilt| <= v`` (:mod:`watchline.kernels.frames`).
- It lies between the left and right edge iff ``tan |b| <= tan h · (cos tilt − e' sin tilt)`` with
  ``e' = e / cos b``. The bracket is ``√(1 + e'²) · cos(tilt + atan e')``, so this is an interval of
  tilts about ``−atan e'``; at its widest it says ``sin |b| <= sin h · √(1 + e²)``.

The offsets that a cell can have are cut into bands. In each band every bound takes the offset that
binds least; the more bands, the closer the boxes.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

TURN = 2.0 * np.pi
BAND_RAD = 0.12
"""Half a field of view is cut into one band for each of these, and one more."""
MOST_BANDS = 8
SEAM_RAD = 1e-12
"""Rounding of the azimuth at which one sensor hands a cell over to the next: far below a pixel."""


@numba.njit(cache=True)
def aim_boxes(bearing, spread, top, feet, weight, sensors, half_h, half_v):
    """Boxes of aims around the regions that hold each whole cell.

    Parameters
    ----------
    bearing, spread, top, feet : float64 array [n]
        As for :func:`watchline.kernels.frames.in_frame`, one entry a cell.
    weight : float64 array [n]
        Worth of each cell; zero leaves it out.
    sensors : float64 array [sensors]
        Axes of the sensors relative to the azimuth of their housing in rad, ascending and evenly
        spaced.
    half_h, half_v : float
        Half the fields of view of one sensor in rad.

    Returns
    -------
    box : float64 array [boxes, 4]
        Azimuth from and to, in 0 … 2π, and tilt from and to, in rad. Boxes of one cell share no
        azimuth (but for a housing whose outer sensors overlap behind it: a looser bound).
    cell : int64 array [boxes]
        Cell of each box.
    """
    bands = min(MOST_BANDS, 1 + int(half_h / BAND_RAD))
    most = len(bearing) * len(sensors) * (2 * bands + 1)
    box = np.empty((most, 4))
    cell = np.empty(most, np.int64)
    count = 0
    apart = TURN if len(sensors) < 2 else sensors[1] - sensors[0]
    closed = len(sensors) * apart >= TURN - 1e-9
    tilts = np.empty(2)
    for i in range(len(bearing)):
        if weight[i] <= 0.0:
            continue
        flattest = min(abs(top[i]), abs(feet[i]))
        sine = np.sin(half_h) * np.sqrt(1.0 + flattest * flattest)
        reach = (np.arcsin(sine) if sine < 1.0 else 0.5 * np.pi) - spread[i]
        if reach < 0.0:
            continue
        for k in range(len(sensors)):
            axis = bearing[i] - sensors[k]
            # Where neighbours overlap, each sensor keeps to its half of the overlap. The next
            # sensor looks to the right of this one, so it takes over as the housing turns left.
            next_left = k < len(sensors) - 1 or closed
            next_right = k > 0 or closed
            left = min(reach, 0.5 * apart) if next_left else reach
            right = min(reach, 0.5 * apart) if next_right else reach
            for band in range(2 * bands - 1):
                # Bands from left to right: the azimuth is the bearing less the offset.
                low = -left if band == 0 else reach * _edge(band - bands, bands)
                high = right if band == 2 * bands - 2 else reach * _edge(band - bands + 1, bands)
                low, high = max(low, -left), min(high, right)
                if low >= high and bands > 1:
                    continue
                near = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
                far = max(abs(low), abs(high))
                if len(sensors) > 1:
                    between = (next_left and low < 0.0) or (next_right and high > 0.0)
                    if (apart - far if between else apart + near) < reach:
                        far = reach  # another sensor may see the cell here, farther off its axis
                _band_tilts(near, far, spread[i], top[i], feet[i], half_h, half_v, tilts)
                if tilts[0] > tilts[1]:
                    continue
                from_azimuth, to_azimuth = _turned(axis + low), _turned(axis + high)
                # A box that another of the cell follows ends before that begins.
                if high < right:
                    to_azimuth = np.nextafter(to_azimuth, -1.0)
                elif right < reach:
                    to_azimuth = max(0.0, to_azimuth - SEAM_RAD)
                for turn in range(2):
                    start, end = from_azimuth, to_azimuth
                    if end < start:
                        start = start if turn == 0 else 0.0
                        end = TURN if turn == 0 else end
                    elif turn == 1:
                        break
                    if start <= end:
                        box[count, 0], box[count, 1] = start, end
                        box[count, 2], box[count, 3] = tilts[0], tilts[1]
                        cell[count] = i
                        count += 1
    return box[:count], cell[:count]


@numba.njit(cache=True)
def _edge(number, bands):
    """Edge of a band as a share of the reach: ``±number`` of ``bands``, closer towards the ends."""
    share = abs(number) / bands if number <= 0 else number / bands
    share = share * (2.0 - share)
    return -share if number < 0 else share


@numba.njit(cache=True)
def _turned(angle):
    """The angle in 0 … 2π."""
    return angle - TURN * np.floor(angle / TURN)


@numba.njit(cache=True)
def _band_tilts(near, far, spread, top, feet, half_h, half_v, tilts):
    """Tilts that can hold a cell at some offset from ``near`` to ``far``: written from and to."""
    outer = np.cos(min(near + spread, 0.5 * np.pi - 1e-9))
    # The corner nearer to the axis lies beyond it where the offset is less than the spread.
    inner = np.cos(min(max(abs(near - spread), far - spread), 0.5 * np.pi - 1e-9))
    edge = np.cos(min(far + spread, 0.5 * np.pi - 1e-9))
    highest = top / outer if top >= 0.0 else top / inner
    lowest = feet / inner if feet >= 0.0 else feet / outer
    low, high = -half_v - np.arctan(lowest), half_v - np.arctan(highest)
    need = np.tan(min(near + spread, 0.5 * np.pi - 1e-9)) / np.tan(half_h)
    for end in range(2):
        e = top if end == 0 else feet
        steep = np.arctan(e / edge)
        flat = np.arctan(e / outer)
        share = need * np.cos(max(abs(steep), abs(flat)))
        if share > 1.0:
            low, high = 1.0, -1.0
            break
        room = np.arccos(share)
        low = max(low, -max(steep, flat) - room)
        high = min(high, -min(steep, flat) + room)
    tilts[0], tilts[1] = low, high


class Sweep(NamedTuple):
    """Boxes of aims in the order in which a field of view that turns meets them.

    Attributes
    ----------
    box : float64 array [boxes, 4]
        From :func:`aim_boxes`.
    cell : int64 array [boxes]
        Cell of each box.
    enter, leave : int64 array [boxes]
        Boxes in the order of their first and of their last azimuth.
    stops : float64 array [stops]
        First tilts of the boxes, ascending: some best aim has one of them.
    first, last : int64 array [boxes]
        Stops that each box holds: ``first`` to ``last − 1``.
    """

    box: np.ndarray
    cell: np.ndarray
    enter: np.ndarray
    leave: np.ndarray
    stops: np.ndarray
    first: np.ndarray
    last: np.ndarray


@numba.njit(cache=True)
def make_sweep(bearing, spread, top, feet, weight, sensors, half_h, half_v):
    """Boxes of aims, sorted once for many weights: arguments as for :func:`aim_boxes`."""
    box, cell = aim_boxes(bearing, spread, top, feet, weight, sensors, half_h, half_v)
    stops = np.unique(box[:, 2])
    return Sweep(
        box,
        cell,
        np.argsort(box[:, 0]),
        np.argsort(box[:, 1]),
        stops,
        np.searchsorted(stops, box[:, 2]),
        np.searchsorted(stops, box[:, 3], side="right"),
    )


@numba.njit(cache=True)
def deepest_aim(sweep, weight, held):
    """Aim in the boxes of most weight, in the middle of those that are equally good.

    Parameters
    ----------
    sweep : Sweep
        The boxes.
    weight : float64 array [cells]
        Weight of each cell, at least 0.
    held : bool array [cells]
        Written: the cells of the boxes that hold the aim.

    Returns
    -------
    worth : float
        Weight of the boxes that hold the aim; 0 without boxes.
    azimuth, tilt : float
        The aim in rad; NaN without weight.
    """
    held[:] = False
    box, cell = sweep.box, sweep.cell
    size = 1
    while size < len(sweep.stops):
        size *= 2
    best = np.zeros(2 * size)
    added = np.zeros(2 * size)
    worth, azimuth, tilt = 0.0, np.nan, np.nan
    gone = 0
    for i in sweep.enter:
        value = weight[cell[i]]
        if value <= 0.0:
            continue
        while box[sweep.leave[gone], 1] < box[i, 0]:
            out = sweep.leave[gone]
            if weight[cell[out]] > 0.0:
                _add(best, added, size, sweep.first[out], sweep.last[out], -weight[cell[out]])
            gone += 1
        _add(best, added, size, sweep.first[i], sweep.last[i], value)
        if best[1] > worth * (1.0 + 1e-12):
            worth = best[1]
            azimuth = box[i, 0]
            node = 1
            while node < size:
                node *= 2
                if best[node + 1] > best[node]:
                    node += 1
            tilt = sweep.stops[min(node - size, len(sweep.stops) - 1)]
    # Sums that go up and down drift: the weight is summed anew, and the bound is the larger.
    low_a, high_a, low_t, high_t = 0.0, TURN, -np.pi, np.pi
    total = 0.0
    for i in range(len(box)):
        inside = box[i, 0] <= azimuth <= box[i, 1] and box[i, 2] <= tilt <= box[i, 3]
        if inside and weight[cell[i]] > 0.0:
            total += weight[cell[i]]
            held[cell[i]] = True
            low_a, high_a = max(low_a, box[i, 0]), min(high_a, box[i, 1])
            low_t, high_t = max(low_t, box[i, 2]), min(high_t, box[i, 3])
    if np.isnan(azimuth):
        return 0.0, azimuth, tilt
    return max(total, worth), 0.5 * (low_a + high_a), 0.5 * (low_t + high_t)


@numba.njit(cache=True)
def _add(best, added, size, first, last, weight):
    """Add a weight to the stops ``first`` to ``last − 1`` of a tree that knows its largest sum."""
    if first >= last:
        return
    left, right = first + size, last + size
    begin, end = left, right - 1
    while left < right:
        if left & 1:
            best[left] += weight
            added[left] += weight
            left += 1
        if right & 1:
            right -= 1
            best[right] += weight
            added[right] += weight
        left >>= 1
        right >>= 1
    begin >>= 1
    end >>= 1
    while begin >= 1:
        best[begin] = max(best[2 * begin], best[2 * begin + 1]) + added[begin]
        if end != begin:
            best[end] = max(best[2 * end], best[2 * end + 1]) + added[end]
        begin >>= 1
        end >>= 1
