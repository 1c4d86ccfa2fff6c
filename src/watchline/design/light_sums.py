"""Sums of chosen lights at points, by the kernel of sums: all lights, at any distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from watchline.design.light_points import Points, ground_z
from watchline.kernels.grid import make_grid
from watchline.model.terrain import Terrain
from watchline.physics.illumination import Receivers, cast_light
from watchline.physics.luminaires import Luminaire

SKIP_LX = 0.002


def sums_at(
    terrain: Terrain, luminaires: Sequence[Luminaire], points: Points
) -> npt.NDArray[np.float64]:
    """Illuminance at points [lx], at least: what is left out and what is unknown is not in it.

    Parameters
    ----------
    terrain : Terrain
        The ground and what stands on it.
    luminaires : sequence of Luminaire
        With `z` as the height above the ground.
    points : Points
        Receivers, all at one height above the ground.
    """
    if not luminaires:
        return np.zeros(len(points))
    height = float(np.nanmedian(points.z - ground_z(terrain, points.x, points.y)))
    found = cast_light(
        make_grid(terrain.surface, terrain.cell_m, *terrain.origin),
        make_grid(terrain.ground, terrain.cell_m, *terrain.origin),
        luminaires,
        Receivers(points.x, points.y, (max(height, 0.0),), points.normals[:, None, :]),
        skip_lx=SKIP_LX,
        refraction=terrain.refraction,
    )
    return found.lux[:, 0]
