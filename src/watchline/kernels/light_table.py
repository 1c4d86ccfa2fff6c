"""Photometric tables as kernels take them: looked up in a direction, and bounded in a cone.

A table gives intensity by azimuth and polar angle about its pole, bilinear between its nodes and
zero outside. Many tables lie in the same flat arrays, so that one compiled function serves all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

DEGREE = math.pi / 180.0
BINS = 512
"""Bins of an index into a table's angles: one look and a step or two find any node."""
CONE_BIN_DEG = 2.0
CONE_RADII_DEG = (1.0, 4.0, 12.0)
"""Cones for which the highest intensity is kept; wider ones take the whole table's."""
_CONE_ROWS, _CONE_COLS = round(180 / CONE_BIN_DEG), round(360 / CONE_BIN_DEG)
EDGE_DEG = 1e-9


class Tables(NamedTuple):
    """All photometric tables of a scene.

    Parameters
    ----------
    nodes : ndarray of float64
        Azimuths of table 0, its polar angles, those of table 1, … [deg].
    per_step : ndarray of float64
        For each node 1 over the step to the next one [1/deg]; 0 for the last of an axis.
    intensity : ndarray of float64
        Intensities of table 0 azimuth by azimuth, of table 1, … [cd].
    index : ndarray of int32, shape (tables, 2, 512)
        Last node that is not beyond the beginning of each bin, of azimuths and polar angles.
    per_bin : ndarray of float64, shape (tables, 2)
        Bins a degree of azimuth and of polar angle.
    layout : ndarray of int64, shape (tables, 4)
        First azimuth in `nodes`, number of azimuths, number of polar angles, first intensity.
    cones : ndarray of float32, shape (tables, radii, polar bins, azimuth bins)
        Highest intensity within each cone of :data:`CONE_RADII_DEG` round any direction of a bin.
    peaks : ndarray of float64, shape (tables,)
        Highest intensity [cd].
    """

    nodes: NDArray[np.float64]
    per_step: NDArray[np.float64]
    intensity: NDArray[np.float64]
    index: NDArray[np.int32]
    per_bin: NDArray[np.float64]
    layout: NDArray[np.int64]
    cones: NDArray[np.float32]
    peaks: NDArray[np.float64]


class Lights(NamedTuple):
    """Luminaires as the kernel takes them.

    Parameters
    ----------
    x_m, y_m, z_m : ndarray of float64, shape (n,)
        Where they hang [m]; heights folded like the surface.
    frame : ndarray of float64, shape (n, 3, 3)
        Rows: the table's axes (azimuth 0°, azimuth 90°, pole) as east, north, up.
    table : ndarray of int64, shape (n,)
        Which photometric table.
    scale : ndarray of float64, shape (n,)
        Factor on the intensities: maintenance, dimming, number of luminaires, tilt.
    tables : Tables
        The photometric tables.
    """

    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    z_m: NDArray[np.float64]
    frame: NDArray[np.float64]
    table: NDArray[np.int64]
    scale: NDArray[np.float64]
    tables: Tables


_ARC_STEPS = 64
_ARCS = np.degrees(np.arctan(np.arange(_ARC_STEPS + 1) / _ARC_STEPS))


@njit(cache=True, inline="always")
def angle_deg(across, along):
    """Angle of a vector in degrees, as ``degrees(atan2(across, along))``, to 1e-13.

    The C library's function is half of a lookup's time. Here the nearest of 65 known angles is
    turned away, and four terms of the series are enough for what remains.
    """
    x, y = abs(along), abs(across)
    longer, shorter = max(x, y), min(x, y)
    if longer == 0.0:
        return 0.0
    k = int(shorter / longer * _ARC_STEPS + 0.5)
    slope = k / _ARC_STEPS
    rest = (shorter - slope * longer) / (longer + slope * shorter)
    square = rest * rest
    series = 1.0 - square * (1.0 / 3.0 - square * (1.0 / 5.0 - square * (1.0 / 7.0)))
    angle = _ARCS[k] + rest * series * (1.0 / DEGREE)
    if y > x:
        angle = 90.0 - angle
    if along < 0.0:
        angle = 180.0 - angle
    return -angle if across < 0.0 else angle


@njit(cache=True)
def _index_nodes(nodes):
    index = np.zeros(BINS, dtype=np.int32)
    span = nodes[-1] - nodes[0]
    for k in range(BINS):
        begin = nodes[0] + span * k / BINS
        at = 0
        while at < nodes.size - 2 and nodes[at + 1] <= begin:
            at += 1
        index[k] = at
    return index


@njit(cache=True, inline="always")
def _interval(nodes, first, count, index, which, axis, per_bin, value):
    """Interval of a value within the nodes: the last node that is not beyond it."""
    k = int((value - nodes[first]) * per_bin)
    at = index[which, axis, min(max(k, 0), BINS - 1)]
    while at < count - 2 and value >= nodes[first + at + 1]:
        at += 1
    return at


@njit(cache=True, inline="always")
def look_up(nodes, per_step, intensity, index, per_bin, layout, which, first, second, pole):
    """Intensity [cd] in a direction given by its components along the table's axes.

    The arrays of :class:`Tables` come one by one: taking them out of a tuple, or slicing them,
    counts references, which takes longer than the lookup.
    """
    begin, azimuths = layout[which, 0], layout[which, 1]
    polars, cells = layout[which, 2], layout[which, 3]
    polar = angle_deg(math.sqrt(first * first + second * second), pole)
    at_polar = begin + azimuths
    if polar < nodes[at_polar] - EDGE_DEG or polar > nodes[at_polar + polars - 1] + EDGE_DEG:
        return 0.0
    azimuth = angle_deg(second, first)
    while azimuth < nodes[begin] - EDGE_DEG:
        azimuth += 360.0
    if azimuth > nodes[begin + azimuths - 1] + EDGE_DEG:
        return 0.0
    i = _interval(nodes, begin, azimuths, index, which, 0, per_bin[which, 0], azimuth)
    j = _interval(nodes, at_polar, polars, index, which, 1, per_bin[which, 1], polar)
    u = min(max((azimuth - nodes[begin + i]) * per_step[begin + i], 0.0), 1.0)
    v = min(max((polar - nodes[at_polar + j]) * per_step[at_polar + j], 0.0), 1.0)
    k = cells + i * polars + j
    low = intensity[k] * (1.0 - v) + intensity[k + 1] * v
    high = intensity[k + polars] * (1.0 - v) + intensity[k + polars + 1] * v
    return low * (1.0 - u) + high * u


@njit(cache=True, inline="always")
def look_toward(nodes, per_step, intensity, index, per_bin, layout, which, frame, lamp, dx, dy, dz):
    """Intensity [cd] of a luminaire with its axes in `frame` toward a place, see :func:`look_up`.

    (dx, dy, dz) leads from the place to the luminaire, of any length.
    """
    first = -(frame[lamp, 0, 0] * dx + frame[lamp, 0, 1] * dy + frame[lamp, 0, 2] * dz)
    second = -(frame[lamp, 1, 0] * dx + frame[lamp, 1, 1] * dy + frame[lamp, 1, 2] * dz)
    pole = -(frame[lamp, 2, 0] * dx + frame[lamp, 2, 1] * dy + frame[lamp, 2, 2] * dz)
    return look_up(nodes, per_step, intensity, index, per_bin, layout, which, first, second, pole)


@njit(cache=True)
def table_intensity(tables, which, first, second, pole):
    """Intensity [cd] of :class:`Tables` in a direction, see :func:`look_up`."""
    nodes, per_step, intensity, index, per_bin, layout, _, _ = tables
    return look_up(nodes, per_step, intensity, index, per_bin, layout, which, first, second, pole)


@njit(cache=True)
def cone_intensity(tables, which, first, second, pole, cone_deg):
    """Upper bound of the intensity [cd] within an angle of a direction."""
    cones, peaks = tables.cones, tables.peaks
    radius = 0
    while radius < len(CONE_RADII_DEG) and cone_deg > CONE_RADII_DEG[radius]:
        radius += 1
    if radius == len(CONE_RADII_DEG):
        return peaks[which]
    polar = angle_deg(math.sqrt(first * first + second * second), pole)
    azimuth = angle_deg(second, first)
    if azimuth < 0.0:
        azimuth += 360.0
    row = min(int(polar / CONE_BIN_DEG), _CONE_ROWS - 1)
    col = min(int(azimuth / CONE_BIN_DEG), _CONE_COLS - 1)
    return np.float64(cones[which, radius, row, col])


def _highest_in_bins(
    azimuth: NDArray[np.float64], polar: NDArray[np.float64], table: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Highest intensity in each bin of polar angle and azimuth, exact.

    A bilinear function has its highest value over a rectangle in a corner, so it is enough to look
    at all crossings of the table's own lines with the bins' edges.
    """
    start = azimuth[0]
    rows = np.union1d(np.arange(_CONE_ROWS + 1) * CONE_BIN_DEG, polar)
    edges = np.arange(_CONE_COLS + 1) * CONE_BIN_DEG
    # Azimuths are counted from 0 here; a node at the end of the circle stands at its beginning too.
    cols = np.unique(np.concatenate([edges, np.mod(azimuth, 360.0)]))
    values = np.zeros((rows.size, cols.size))
    inside_rows = np.flatnonzero((rows >= polar[0]) & (rows <= polar[-1]))
    by_row = np.empty((azimuth.size, inside_rows.size))
    for i in range(azimuth.size):
        by_row[i] = np.interp(rows[inside_rows], polar, table[i])
    # A place on the seam is both the first and the last azimuth: both are looked at.
    for shift in (0.0, 360.0):
        at = start + np.mod(cols - start, 360.0) + shift
        inside = np.flatnonzero((at >= start - 1e-9) & (at <= azimuth[-1] + 1e-9))
        for k, row in enumerate(inside_rows):
            seen = np.interp(at[inside], azimuth, by_row[:, k])
            values[row, inside] = np.maximum(values[row, inside], seen)
    # A seam that rounding moved to just under 360° belongs to 0° as well.
    values[:, 0] = np.maximum(values[:, 0], values[:, -1])
    values[:, -1] = values[:, 0]
    out = np.empty((_CONE_ROWS, _CONE_COLS))
    row_at = np.searchsorted(rows, np.arange(_CONE_ROWS + 1) * CONE_BIN_DEG)
    col_at = np.searchsorted(cols, edges)
    for i in range(_CONE_ROWS):
        stripe = values[row_at[i] : row_at[i + 1] + 1].max(axis=0)
        for j in range(_CONE_COLS):
            out[i, j] = stripe[col_at[j] : col_at[j + 1] + 1].max()
    return out


@njit(cache=True)
def _widened(bins, radius_deg):
    """Highest value within an angle of any direction of each bin."""
    rows, cols = bins.shape
    out = np.zeros(bins.shape, dtype=np.float32)
    # From the bin's middle: the bin's half diagonal and the cone's own angle.
    reach = (radius_deg + CONE_BIN_DEG * 0.7072) * DEGREE
    for i in range(rows):
        polar = (i + 0.5) * CONE_BIN_DEG * DEGREE
        low = max(math.floor((polar - reach) / DEGREE / CONE_BIN_DEG), 0)
        high = min(math.floor((polar + reach) / DEGREE / CONE_BIN_DEG), rows - 1)
        side = cols // 2
        # A circle round a direction spans asin(sin r / sin θ) to both sides, if no pole is in it.
        if reach < polar and polar + reach < math.pi and math.sin(reach) < math.sin(polar):
            width = math.asin(math.sin(reach) / math.sin(polar)) / DEGREE / CONE_BIN_DEG
            side = min(math.ceil(width + 0.5), side)
        for j in range(cols):
            top = 0.0
            for row in range(low, high + 1):
                for step in range(-side, side + 1):
                    top = max(top, bins[row, (j + step) % cols])
            out[i, j] = np.float32(top * (1.0 + 1e-6))
    return out


def make_tables(
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]],
) -> Tables:
    """Lay photometric tables into flat arrays.

    Parameters
    ----------
    parts : sequence of (azimuth_deg, polar_deg, intensity_cd)
        Angles ascending, at least two azimuths and two polar angles; intensities of shape
        (azimuths, polar angles).

    Returns
    -------
    Tables
    """
    layout = np.zeros((len(parts), 4), dtype=np.int64)
    index = np.zeros((len(parts), 2, BINS), dtype=np.int32)
    cones = np.zeros((len(parts), len(CONE_RADII_DEG), _CONE_ROWS, _CONE_COLS), dtype=np.float32)
    nodes, cells = 0, 0
    for k, (azimuth, polar, table) in enumerate(parts):
        layout[k] = nodes, azimuth.size, polar.size, cells
        index[k, 0], index[k, 1] = _index_nodes(azimuth), _index_nodes(polar)
        bins = _highest_in_bins(azimuth, polar, table)
        for r, radius in enumerate(CONE_RADII_DEG):
            cones[k, r] = _widened(bins, radius)
        nodes += azimuth.size + polar.size
        cells += table.size
    axes = [axis for azimuth, polar, _ in parts for axis in (azimuth, polar)]
    return Tables(
        np.concatenate(axes),
        np.concatenate([np.append(1.0 / np.diff(axis), 0.0) for axis in axes]),
        np.concatenate([table.ravel() for _, _, table in parts]),
        index,
        np.array([[BINS / np.ptp(azimuth), BINS / np.ptp(polar)] for azimuth, polar, _ in parts]),
        layout,
        cones,
        np.array([float(table.max()) for _, _, table in parts]),
    )
