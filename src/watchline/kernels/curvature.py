"""Earth curvature and refraction, folded into heights once.

Over a sphere of radius R a point at distance r from a local origin lies r²/2R below the origin's
tangent plane; refraction bends light along with the Earth and takes back the share k. Lowering
every height by (1 - k)·r²/2R therefore turns the bent ray over a round Earth into a straight ray
over a flat one. Moving the origin changes the lowered heights by an affine function of x and y
only, and an affine function changes no line of sight, so one folded array serves every observer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth, R1 of GRS 80 (IUGG)."""

REFRACTION_COEFFICIENT = 0.13
"""Gauss's coefficient of refraction for visible light near the ground by day."""


def curvature_drop_m(
    x_m: ArrayLike,
    y_m: ArrayLike,
    origin_xy_m: tuple[float, float],
    refraction: float = REFRACTION_COEFFICIENT,
) -> NDArray[np.float64]:
    """Return how far the round Earth falls below the plane that touches it at the origin.

    Parameters
    ----------
    x_m, y_m : array_like
        Places [m] in the projected grid; they broadcast against one another.
    origin_xy_m : tuple of float
        The local origin [m], anywhere near the work.
    refraction : float
        Refraction coefficient k [-]; 0 for none.

    Returns
    -------
    ndarray of float64
        Drop [m], never negative for k < 1, of the broadcast shape.
    """
    east = np.asarray(x_m, dtype=np.float64) - origin_xy_m[0]
    north = np.asarray(y_m, dtype=np.float64) - origin_xy_m[1]
    return (1.0 - refraction) / (2.0 * EARTH_RADIUS_M) * (east * east + north * north)


def fold_curvature(
    z_m: ArrayLike,
    x_m: ArrayLike,
    y_m: ArrayLike,
    origin_xy_m: tuple[float, float],
    refraction: float = REFRACTION_COEFFICIENT,
) -> NDArray[np.floating]:
    """Lower heights by Earth curvature less refraction.

    Surface and ends of sight lines must be folded about the same origin. For a grid pass
    ``x_m`` of shape (cols,) and ``y_m`` of shape (rows, 1).

    Parameters
    ----------
    z_m : array_like
        Heights [m]; NaN stays NaN.
    x_m, y_m : array_like
        Where they are [m]; broadcast to the shape of `z_m`.
    origin_xy_m : tuple of float
        The local origin [m].
    refraction : float
        Refraction coefficient k [-].

    Returns
    -------
    ndarray
        Folded heights [m]: float32 for float32 input (rounded once, at most 0.25 mm below
        4,000 m), float64 otherwise.
    """
    heights = np.asarray(z_m)
    kind = np.float32 if heights.dtype == np.float32 else np.float64
    return (heights - curvature_drop_m(x_m, y_m, origin_xy_m, refraction)).astype(kind)
