"""Light of given lamps on targets, by the design's kernel of pairs: what cameras see by."""

from __future__ import annotations

import numpy as np

from watchline.design.light_matrix import Scene, contributions
from watchline.design.light_points import Points, ground_z
from watchline.kernels.curvature import curvature_drop_m, fold_curvature
from watchline.kernels.grid import make_grid
from watchline.kernels.light_ray import build_pyramid
from watchline.model.lighting import Lighting
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.lamp_light import LAMP_REACH_M, FloatArray, LampLight, sector_shares
from watchline.physics.luminaires import Luminaire, pack_lights

SECTORS = 24
"""Sectors of 15°: of a lamp that lights the middle of a side, 3 % are lost to the bound."""
POINTS_AT_ONCE = 20_000


def lamp_light(site: Site, terrain: Terrain, lighting: Lighting) -> LampLight | None:
    """Light of a plan's lamps on targets, at least; None where there are no lamps.

    Lamps farther than :data:`~watchline.physics.lamp_light.LAMP_REACH_M` and rays over unknown
    ground give nothing; luminaires give their maintained light.

    Parameters
    ----------
    site : Site
        With the offers that the lights were chosen from; its `lighting` must not be None.
    terrain : Terrain
        The ground and what stands on it.
    lighting : Lighting
        The lights.
    """
    if not len(lighting.lights):
        return None
    scene = _hang(site, terrain, lighting)
    lamp = np.stack([scene.lights.x_m, scene.lights.y_m, scene.lights.z_m], axis=1)
    lamp = lamp[np.argsort(scene.lamp_of)]

    def light(x: FloatArray, y: FloatArray, height_m: float, extinction: float) -> FloatArray:
        lux = np.zeros((len(x), SECTORS))
        ground = ground_z(terrain, x, y)
        for first in range(0, len(x), POINTS_AT_ONCE):
            part = slice(first, first + POINTS_AT_ONCE)
            here = _points(x[part], y[part], ground[part] + height_m)
            found = contributions(
                scene, here, reach_m=LAMP_REACH_M, head_on=True, extinction_per_m=extinction
            ).tocoo()
            z = scene.fold(here.x, here.y, here.z)
            away = lamp[found.col] - np.stack([here.x, here.y, z], axis=1)[found.row]
            level = np.hypot(away[:, 0], away[:, 1])
            share = level / np.sqrt((away**2).sum(axis=1)) * found.data
            sectors = sector_shares(np.arctan2(away[:, 0], away[:, 1]), SECTORS)
            for k in range(SECTORS):
                lux[part, k] = np.bincount(
                    found.row, weights=share * sectors[:, k], minlength=len(here)
                )
        lux[np.isnan(ground)] = np.nan
        return lux

    return light


def _points(x: FloatArray, y: FloatArray, z: FloatArray) -> Points:
    none = np.zeros(len(x))
    up = np.tile([0.0, 0.0, 1.0], (len(x), 1))
    return Points(x, y, z, none, none, up, np.zeros(len(x), dtype=bool))


def _hang(site: Site, terrain: Terrain, lighting: Lighting) -> Scene:
    """The surface, and the lights pole by pole."""
    rules = site.lighting
    assert rules is not None
    offers = {offer.name: offer for offer in rules.luminaires}
    origin = terrain.local_origin
    surface = fold_curvature(
        terrain.surface, terrain.x, terrain.y[:, None], origin, terrain.refraction
    )
    grid = make_grid(surface, terrain.cell_m, *terrain.origin)
    rows = lighting.lights
    # What hangs at one point shares its rays; an edit may have moved one light of a pole.
    top = np.array(
        [
            f"{x:.3f} {y:.3f} {height:.3f}"
            for x, y, height in zip(rows.geometry.x, rows.geometry.y, rows["height_m"], strict=True)
        ]
    )
    order = np.argsort(top, kind="stable")
    starts = np.flatnonzero(np.r_[True, top[order][1:] != top[order][:-1]])
    x, y = rows.geometry.x.to_numpy(), rows.geometry.y.to_numpy()
    foot = ground_z(terrain, x, y) - curvature_drop_m(x, y, origin, terrain.refraction)
    z = foot + rows["height_m"].to_numpy(dtype=np.float64)
    luminaires = []
    for k in order:
        row = rows.iloc[int(k)]
        offer = offers[str(row["luminaire"])]
        luminaires.append(
            Luminaire(
                offer.photometry,
                float(x[k]),
                float(y[k]),
                float(z[k]),
                float(row["azimuth_deg"]),
                float(row["tilt_deg"]),
                float(row["roll_deg"]),
                offer.maintenance_factor,
            )
        )
    return Scene(
        grid,
        build_pyramid(grid),
        pack_lights(luminaires),
        order.astype(np.int64),
        np.append(starts, len(order)).astype(np.int64),
        origin,
        terrain.refraction,
    )
