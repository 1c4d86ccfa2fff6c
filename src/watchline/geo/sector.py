"""Sectors: the ground that a device faces, as polygons for maps."""

from __future__ import annotations

import numpy as np
from shapely.geometry import Polygon

ARC_STEP_DEG = 3.0
POINT_M = 1e-3
"""An inner distance below this is the centre itself."""
WHOLE_DEG = 1e-6
"""A sector whose gap is narrower than this is a whole ring."""


def sector_polygon(
    x: float, y: float, azimuth_deg: float, width_deg: float, near_m: float, far_m: float
) -> Polygon:
    """Sector of a ring about a place, between two distances.

    Arcs are drawn by chords of at most :data:`ARC_STEP_DEG`, whose corners lie on the arc: the
    polygon is never larger than the true sector on its outer side.

    Parameters
    ----------
    x, y : float
        Centre in m.
    azimuth_deg : float
        Bearing of the middle, clockwise from grid north.
    width_deg : float
        Angle that it spans; 360 and more make a whole ring.
    near_m, far_m : float
        Inner and outer distance in m, ``0 <= near_m``; empty where ``far_m <= near_m``.

    Returns
    -------
    Polygon
        In the coordinates' CRS; possibly empty.
    """
    if not far_m > near_m or not width_deg > 0 or not np.isfinite(far_m):
        return Polygon()
    whole = width_deg >= 360.0 - WHOLE_DEG
    width = min(width_deg, 360.0)
    count = max(2, int(np.ceil(width / ARC_STEP_DEG)) + 1)
    bearings = np.radians(azimuth_deg + np.linspace(-width / 2, width / 2, count))
    rim = np.column_stack([np.sin(bearings), np.cos(bearings)])
    centre = np.array([x, y])
    outer = centre + far_m * rim
    if whole:
        # The last bearing is the first one, but for rounding, which would cross the ring.
        hole = [(centre + near_m * rim)[:-1]] if near_m > POINT_M else []
        return Polygon(outer[:-1], hole)
    inner = centre + near_m * rim[::-1] if near_m > POINT_M else centre[None, :]
    return Polygon(np.vstack([outer, inner]))
