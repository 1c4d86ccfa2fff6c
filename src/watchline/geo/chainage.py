"""Chainage: the coordinates (s, t) along and beside a line.

``s`` is the distance along the line from its start, ``t`` the distance from the line, positive to
the left of its direction. A point belongs to the nearest place of the line; where it lies beyond
an end (its foot would fall outside the line) it is not *beside* the line.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops
from shapely.geometry import LineString, MultiPolygon, Polygon

FloatArray = npt.NDArray[np.float64]
BEYOND_END_M = 1e-6


def vertices(line: LineString) -> FloatArray:
    """Vertices of a line, float64 [n, 2]."""
    return np.asarray(line.coords, dtype=np.float64)[:, :2]


def to_chainage(
    line: LineString, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Chainage, offset and "beside the line" of points.

    Parameters
    ----------
    line : LineString
        The directed line, in a metric CRS.
    x, y : float64 array [n]
        Coordinates in m.

    Returns
    -------
    s, t : float64 array [n]
        Chainage and signed offset in m.
    beside : bool array [n]
        False where the nearest place is an end of the line and the point lies beyond it.
    """
    points = vertices(line)
    flat_x = np.ascontiguousarray(x, dtype=np.float64).ravel()
    flat_y = np.ascontiguousarray(y, dtype=np.float64).ravel()
    return _project(points, flat_x, flat_y)


@numba.njit(cache=True)
def _project(points, x, y):  # noqa: ANN001, ANN202 - numba kernel on plain arrays
    count = len(x)
    s = np.empty(count)
    t = np.empty(count)
    beside = np.ones(count, dtype=np.bool_)
    segments = len(points) - 1
    start = np.zeros(segments + 1)
    for k in range(segments):
        start[k + 1] = start[k] + np.hypot(
            points[k + 1, 0] - points[k, 0], points[k + 1, 1] - points[k, 1]
        )
    for i in range(count):
        best = np.inf
        best_k = 0
        best_u = 0.0
        for k in range(segments):
            dx = points[k + 1, 0] - points[k, 0]
            dy = points[k + 1, 1] - points[k, 1]
            length2 = dx * dx + dy * dy
            u = ((x[i] - points[k, 0]) * dx + (y[i] - points[k, 1]) * dy) / length2
            clamped = min(1.0, max(0.0, u))
            ex = x[i] - (points[k, 0] + clamped * dx)
            ey = y[i] - (points[k, 1] + clamped * dy)
            distance2 = ex * ex + ey * ey
            if distance2 < best:
                best = distance2
                best_k = k
                best_u = u
        dx = points[best_k + 1, 0] - points[best_k, 0]
        dy = points[best_k + 1, 1] - points[best_k, 1]
        length = np.hypot(dx, dy)
        clamped = min(1.0, max(0.0, best_u))
        s[i] = start[best_k] + clamped * length
        left = dx * (y[i] - points[best_k, 1]) - dy * (x[i] - points[best_k, 0])
        # At a corner the nearest place is a vertex, and the side of one segment alone may
        # mislead: the turn of the line at the vertex decides with both segments.
        if best_u > 1.0 and best_k + 1 < segments:
            ax = points[best_k + 2, 0] - points[best_k + 1, 0]
            ay = points[best_k + 2, 1] - points[best_k + 1, 1]
            left = _corner_side(dx, dy, ax, ay, x[i], y[i], points[best_k + 1])
        elif best_u < 0.0 and best_k > 0:
            bx = points[best_k, 0] - points[best_k - 1, 0]
            by = points[best_k, 1] - points[best_k - 1, 1]
            left = _corner_side(bx, by, dx, dy, x[i], y[i], points[best_k])
        t[i] = np.sqrt(best) if left >= 0 else -np.sqrt(best)
        beyond_start = best_k == 0 and best_u * length < -BEYOND_END_M
        beyond_end = best_k == segments - 1 and (best_u - 1.0) * length > BEYOND_END_M
        beside[i] = not (beyond_start or beyond_end)
    return s, t, beside


@numba.njit(cache=True)
def _corner_side(bx, by, ax, ay, x, y, corner):  # noqa: ANN001, ANN202 - numba kernel
    """Positive where the point is left of a corner with directions b before and a after."""
    px = x - corner[0]
    py = y - corner[1]
    left_before = bx * py - by * px
    left_after = ax * py - ay * px
    turns_left = bx * ay - by * ax > 0
    # On the outer side of a corner the point is off both segments; a left turn has its outer
    # side on the right, where either segment suffices to say "right", and the other way round.
    return min(left_before, left_after) if turns_left else max(left_before, left_after)


def from_chainage(
    line: LineString, s: FloatArray, t: FloatArray | float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Coordinates of places given by chainage and offset.

    Parameters
    ----------
    line : LineString
        The directed line.
    s, t : float64 array [n]
        Chainage (clamped to the line) and offset in m.

    Returns
    -------
    x, y : float64 array [n]
    """
    points = vertices(line)
    lengths = np.hypot(*np.diff(points, axis=0).T)
    start = np.concatenate([[0.0], np.cumsum(lengths)])
    chainage = np.clip(np.asarray(s, dtype=np.float64), 0.0, start[-1])
    k = np.clip(np.searchsorted(start, chainage, side="right") - 1, 0, len(lengths) - 1)
    direction = np.diff(points, axis=0)[k] / lengths[k, None]
    along = (chainage - start[k])[:, None]
    offset = np.broadcast_to(np.asarray(t, dtype=np.float64), chainage.shape)[:, None]
    place = (
        points[k]
        + along * direction
        + offset * np.column_stack([-direction[:, 1], direction[:, 0]])
    )
    return place[:, 0], place[:, 1]


def bearing_deg(line: LineString, s: FloatArray) -> FloatArray:
    """Bearing of the line's direction at a chainage, degrees clockwise from grid north."""
    points = vertices(line)
    steps = np.diff(points, axis=0)
    start = np.concatenate([[0.0], np.cumsum(np.hypot(*steps.T))])
    k = np.clip(np.searchsorted(start, s, side="right") - 1, 0, len(steps) - 1)
    return np.degrees(np.arctan2(steps[k, 0], steps[k, 1])) % 360.0


def part(line: LineString, start_m: float, end_m: float) -> LineString:
    """The part of a line between two chainages."""
    return shapely.ops.substring(line, start_m, end_m)


def strip_polygon(
    line: LineString, sign: int, inner_m: float, outer_m: float, start_m: float, end_m: float
) -> Polygon | MultiPolygon:
    """Polygon of the strip between two distances on one side of a line, with flat ends.

    Parameters
    ----------
    line : LineString
        The directed line.
    sign : {1, -1}
        1 for the left side, −1 for the right.
    inner_m, outer_m : float
        Distances from the line, ``0 <= inner_m < outer_m``.
    start_m, end_m : float
        Chainage at which the strip begins and ends.
    """
    piece = part(line, start_m, end_m)
    outer = shapely.buffer(
        piece, sign * outer_m, cap_style="flat", join_style="mitre", single_sided=True
    )
    # A one-sided buffer may leave slivers on the wrong side at corners; the two-sided one with
    # round joins is exact in distance, so their intersection is the strip.
    strip = outer.intersection(piece.buffer(outer_m, cap_style="flat"))
    if inner_m > 0:
        strip = strip.difference(piece.buffer(inner_m, cap_style="flat"))
    return strip.buffer(0)
