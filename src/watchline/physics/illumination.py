"""Illuminance of given luminaires on a terrain: hung, folded, cut where near, summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from watchline.kernels.curvature import REFRACTION_COEFFICIENT, curvature_drop_m, fold_curvature
from watchline.kernels.grid import Grid, make_points
from watchline.kernels.light import Illuminance, illuminate
from watchline.kernels.light_ray import triangle_heights_m
from watchline.physics.luminaires import NEAR_SIZES, Luminaire, near_parts, pack_lights

FloatArray = npt.NDArray[np.float64]
UPWARDS = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Receivers:
    """Places that are lit, each with one or more lux meters over it.

    Attributes
    ----------
    x, y : float64 array [n]
        CRS coordinates [m].
    heights_m : tuple of float
        Height of each meter above the ground.
    normals : float64 array [meters, 3] or [n, meters, 3]
        Which way each looks, as east, north, up.
    """

    x: FloatArray
    y: FloatArray
    heights_m: tuple[float, ...]
    normals: FloatArray


def facing(bearing_deg: float) -> tuple[float, float, float]:
    """Normal of a vertical receiver that looks toward a bearing, clockwise from grid north."""
    angle = np.radians(bearing_deg)
    return float(np.sin(angle)), float(np.cos(angle)), 0.0


def cast_light(
    surface: Grid,
    ground: Grid,
    luminaires: Sequence[Luminaire],
    receivers: Receivers,
    *,
    extinction_per_m: float = 0.0,
    skip_lx: float = 0.0,
    refraction: float = REFRACTION_COEFFICIENT,
) -> Illuminance:
    """Sum the light of luminaires that hang above the ground of a terrain.

    Parameters
    ----------
    surface : Grid
        Heights that block [m], not folded.
    ground : Grid
        Heights on which masts and receivers stand [m], on the same nodes; often the same grid.
    luminaires : sequence of Luminaire
        With `z` as the height above the ground [m]; at least one.
    receivers : Receivers
        Where the light is measured.
    extinction_per_m, skip_lx : float
        As in :func:`watchline.kernels.light.illuminate`.
    refraction : float
        Refraction coefficient of the air, for the Earth's curvature.

    Returns
    -------
    Illuminance
        Luminaires on unknown ground give `unknown_lx` of infinity everywhere: nothing is known.
    """
    rows, cols = surface.surface_m.shape
    x = surface.x0_m + surface.cell_m * np.arange(cols)
    y = surface.y0_m - surface.cell_m * np.arange(rows)
    middle = float(x.mean()), float(y.mean())
    folded = surface._replace(
        surface_m=fold_curvature(surface.surface_m, x, y[:, None], middle, refraction)
    )
    foot = triangle_heights_m(ground, receivers.x, receivers.y)
    foot -= curvature_drop_m(receivers.x, receivers.y, middle, refraction)
    places = make_points(receivers.x, receivers.y, foot)
    lamp_x, lamp_y = (np.array([getattr(one, axis) for one in luminaires]) for axis in "xy")
    lamp_z = triangle_heights_m(ground, lamp_x, lamp_y) + [one.z for one in luminaires]
    lamp_z -= curvature_drop_m(lamp_x, lamp_y, middle, refraction)
    hung = [replace(one, z=float(z)) for one, z in zip(luminaires, lamp_z, strict=True) if z == z]
    if hung:
        found = illuminate(
            folded,
            pack_lights(_cut_near(hung, places.x_m, places.y_m, foot, receivers.heights_m)),
            places,
            receivers.heights_m,
            receivers.normals,
            extinction_per_m=extinction_per_m,
            skip_lx=skip_lx,
        )
    else:
        found = _nothing(places.x_m.size, len(receivers.heights_m))
    if len(hung) < len(luminaires):
        found.unknown_lx[:] = np.inf
    return found


def _nothing(count: int, kinds: int) -> Illuminance:
    dark = np.zeros((count, kinds))
    return Illuminance(dark, dark.copy(), dark.copy(), 0)


def _cut_near(
    luminaires: Sequence[Luminaire],
    x: FloatArray,
    y: FloatArray,
    foot: FloatArray,
    heights_m: tuple[float, ...],
) -> list[Luminaire]:
    """Luminaires with those cut into parts that have a receiver within five of their sizes."""
    known = np.isfinite(foot)
    if not known.any():
        return list(luminaires)
    meters = np.concatenate(
        [np.column_stack([x[known], y[known], foot[known] + height]) for height in heights_m]
    )
    size = np.array([max(one.photometry.size_m[:2]) for one in luminaires])
    lamps = np.array([(one.x, one.y, one.z) for one in luminaires])
    nearest, _ = cKDTree(meters).query(lamps, distance_upper_bound=NEAR_SIZES * size.max() + 1e-9)
    parts: list[Luminaire] = []
    for one, distance in zip(luminaires, nearest, strict=True):
        # Within a centimetre of a meter no subdivision helps; it is in the lamp.
        parts += near_parts(one, max(float(distance), 0.01)) if np.isfinite(distance) else [one]
    return parts
