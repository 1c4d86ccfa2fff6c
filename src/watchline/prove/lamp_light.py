"""Light of a plan's lamps on targets, recomputed for the proof: Embree rays, lamp by lamp."""

from __future__ import annotations

import numpy as np

from watchline.geo.chainage import to_chainage
from watchline.model.lighting import Lighting
from watchline.model.site import Site
from watchline.physics.lamp_light import LAMP_REACH_M, FloatArray, LampLight, sector_shares
from watchline.physics.luminaires import Luminaire, aimed_intensity_cd
from watchline.prove.heights import Relief
from watchline.prove.light import LEAST_LX, Lamp, clear_rays, lamps_of, triangle_z
from watchline.prove.scene import TOUCH_M, Scene, build_scene

SECTORS = 48
"""Twice as fine as the design's, and nested in them: the proof's least is never below it."""
PIECE_M = 500.0


def lamp_light(site: Site, relief: Relief, lighting: Lighting | None) -> LampLight | None:
    """Light of a plan's lamps on targets, at least; None where there are no lamps.

    Lamps farther than :data:`~watchline.physics.lamp_light.LAMP_REACH_M`, rays over unknown ground
    and rays to places under the surface give nothing.

    Parameters
    ----------
    site : Site
        With the luminaires that the project offers.
    relief : Relief
        The terrain.
    lighting : Lighting or None
        The plan's lights.

    Raises
    ------
    PlanError
        The lights do not belong to the site.
    """
    if site.lighting is None or lighting is None or not len(lighting.lights):
        return None
    lamps = lamps_of(site.lighting, relief, lighting)

    def light(x: FloatArray, y: FloatArray, height_m: float, extinction: float) -> FloatArray:
        lux = np.zeros((len(x), SECTORS))
        ground = triangle_z(relief, relief.ground, x, y)
        z = relief.fold(ground + height_m, x, y)
        surface = relief.fold(triangle_z(relief, relief.surface, x, y), x, y)
        buried = surface - TOUCH_M > z
        piece = np.floor(to_chainage(site.line, x, y)[0] / PIECE_M).astype(np.int64)
        for number in np.unique(piece):
            at = np.flatnonzero((piece == number) & ~buried & np.isfinite(z))
            if at.size:
                place = np.stack([x[at], y[at], z[at]], axis=1)
                lux[at] = _piece(relief, lamps, place, extinction)
        lux[np.isnan(z)] = np.nan
        return lux

    return light


def _piece(
    relief: Relief, lamps: tuple[Lamp, ...], place: FloatArray, extinction_per_m: float
) -> FloatArray:
    """Light on neighbouring places, float64 [n, sectors]."""
    lux = np.zeros((len(place), SECTORS))
    low, high = place.min(axis=0) - LAMP_REACH_M, place.max(axis=0) + LAMP_REACH_M
    near = [
        lamp.luminaire
        for lamp in lamps
        if low[0] <= lamp.luminaire.x <= high[0] and low[1] <= lamp.luminaire.y <= high[1]
    ]
    if not near:
        return lux
    scene = build_scene(
        relief,
        np.concatenate([place[:, 0], [lamp.x for lamp in near]]),
        np.concatenate([place[:, 1], [lamp.y for lamp in near]]),
    )
    for lamp in near:
        at, level_lx, bearing = _one(scene, lamp, place, extinction_per_m)
        lux[at] += level_lx[:, None] * sector_shares(bearing, SECTORS)
    return lux


def _one(
    scene: Scene, lamp: Luminaire, place: FloatArray, extinction_per_m: float
) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """Places that one lamp surely lights, its light there and its bearing.

    Returns
    -------
    at : int64 array [k]
        Numbers of the places.
    level_lx, bearing_rad : float64 array [k]
        What it gives to a vertical plane that faces it, and where it stands from there.
    """
    away = np.array([lamp.x, lamp.y, lamp.z]) - place
    level = np.hypot(away[:, 0], away[:, 1])
    at = np.flatnonzero(level <= LAMP_REACH_M)
    away, level = away[at], level[at]
    distance = np.sqrt((away**2).sum(axis=1))
    lux = aimed_intensity_cd(lamp, -away) * level / distance**3
    lux *= np.exp(-extinction_per_m * distance)
    bright = np.flatnonzero(lux > LEAST_LX)
    if bright.size:
        free, unknown = clear_rays(scene, lamp, *place[at[bright]].T)
        bright = bright[free & ~unknown]
    return at[bright], lux[bright], np.arctan2(away[bright, 0], away[bright, 1])
