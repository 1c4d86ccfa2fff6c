"""Light, recomputed for the proof: Embree rays over the triangulated surface, lamp by lamp.

The design sums by a kernel of its own with its own shadows; here intensities come from the
photometric tables by :mod:`watchline.physics.luminaires`, directions and distances are worked out
anew in float64, and shadows are rays of Embree. Lights farther than a reach count nothing toward
what is asked, and as if nothing stood in between where they could do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from watchline.errors import PlanError
from watchline.model.lighting import Lighting, LightingRules
from watchline.physics.luminaires import (
    NEAR_SIZES,
    Luminaire,
    aimed_intensity_cd,
    near_parts,
)
from watchline.prove.heights import SNAP, Relief
from watchline.prove.scene import TOUCH_M, Scene, _over_holes, build_scene

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
REACH_M = 300.0
PIECE_M = 500.0
LEAST_LX = 1e-7
"""Rays of pairs that give less are not traced: they count as dark, and as light where it harms."""


@dataclass(frozen=True)
class Lamp:
    """A light of the plan where it hangs.

    Attributes
    ----------
    luminaire : Luminaire
        With its folded height above the datum.
    s : float
        Chainage [m].
    pole, feeder : int
        Number of its pole and of its feeder, from 0.
    name : str
        Its key in the plan.
    new : float
        What its light is multiplied with when it is new and clean.
    """

    luminaire: Luminaire
    s: float
    pole: int
    feeder: int
    name: str
    new: float


@dataclass(frozen=True)
class Meters:
    """Receivers in order of chainage.

    Attributes
    ----------
    x, y, z, s, t : float64 array [n]
        Coordinates, folded height of the receiver itself, chainage and offset [m].
    normals : float64 array [n, 3]
        Which way they look.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    s: FloatArray
    t: FloatArray
    normals: FloatArray


@dataclass(frozen=True)
class Lux:
    """Illuminance of receivers [lx], each float64 [n].

    Attributes
    ----------
    sure : float64 array
        By rays that are surely clear.
    open : float64 array
        What rays over unknown ground would add.
    pole, feeder : float64 array
        The most that lights of one pole, of one feeder, give in `sure`.
    which_pole, which_feeder : int64 array
        Whose that is.
    """

    sure: FloatArray
    open: FloatArray
    pole: FloatArray
    feeder: FloatArray
    which_pole: npt.NDArray[np.int64]
    which_feeder: npt.NDArray[np.int64]


def triangle_z(relief: Relief, heights: npt.NDArray[np.float32], x: FloatArray, y: FloatArray):  # type: ignore[no-untyped-def] # noqa: ANN201
    """Heights on triangles split from north-west to south-east; NaN where unknown."""
    col, row = relief.nodes(x, y)
    rows, cols = heights.shape
    inside = (col >= -SNAP) & (col <= cols - 1 + SNAP) & (row >= -SNAP) & (row <= rows - 1 + SNAP)
    left = np.clip(np.floor(np.where(inside, col, 0)), 0, cols - 2).astype(np.int64)
    top = np.clip(np.floor(np.where(inside, row, 0)), 0, rows - 2).astype(np.int64)
    east, south = np.clip(col - left, 0, 1), np.clip(row - top, 0, 1)
    upper = east >= south
    total = np.zeros(col.shape)
    for weight, down, right in (
        (1.0 - np.maximum(east, south), np.zeros_like(top), np.zeros_like(top)),
        (np.minimum(east, south), np.ones_like(top), np.ones_like(top)),
        (np.abs(east - south), np.where(upper, 0, 1), np.where(upper, 1, 0)),
    ):
        node = heights[top + down, left + right].astype(np.float64)
        total += np.where(weight > SNAP, weight * node, 0.0)
    return np.where(inside, total, np.nan)


def lamps_of(rules: LightingRules, relief: Relief, lighting: Lighting) -> tuple[Lamp, ...]:
    """The lights of a plan, hung over the ground.

    Raises
    ------
    PlanError
        A light's luminaire or pole is unknown, or its photometric file is another one.
    """
    offers = {offer.name: offer for offer in rules.luminaires}
    poles = {str(name): k for k, name in enumerate(lighting.poles["pole_id"])}
    feeders = lighting.poles["feeder"].to_numpy(dtype=np.int64) - 1
    x, y = lighting.lights.geometry.x.to_numpy(), lighting.lights.geometry.y.to_numpy()
    ground = triangle_z(relief, relief.ground, x, y)
    z = relief.fold(ground + lighting.lights["height_m"].to_numpy(dtype=np.float64), x, y)
    lamps = []
    for k, row in enumerate(lighting.lights.itertuples()):
        offer = offers.get(str(row.luminaire))
        if offer is None or str(row.pole_id) not in poles:
            what = "luminaire" if offer is None else "pole"
            name = row.luminaire if offer is None else row.pole_id
            raise PlanError(
                f"the light {row.light_id} names the {what} '{name}', which is not there",
                where="lights",
                mend=f"name a {what} of the project" if offer is None else "add it to poles",
            )
        if str(row.sha256) and str(row.sha256) != offer.photometry.sha256:
            raise PlanError(
                f"the light {row.light_id} was planned with another file than {offer.file}",
                where="lights",
                mend="put that file back, or plan anew",
            )
        one = Luminaire(
            offer.photometry,
            float(x[k]),
            float(y[k]),
            float(z[k]),
            float(row.azimuth_deg),
            float(row.tilt_deg),
            float(row.roll_deg),
            offer.maintenance_factor,
        )
        pole = poles[str(row.pole_id)]
        new = 1.0 / offer.maintenance_factor
        lamps.append(Lamp(one, float(row.s), pole, int(feeders[pole]), str(row.light_id), new))
    return tuple(lamps)


def light_on(
    relief: Relief, lamps: Sequence[Lamp], meters: Meters, reach_m: float = REACH_M
) -> Lux:
    """Illuminance of receivers by the lamps within reach.

    Parameters
    ----------
    relief : Relief
        The terrain.
    lamps : sequence of Lamp
        The lights.
    meters : Meters
        Receivers, in order of chainage.
    reach_m : float
        Lamps farther from a receiver are left out.
    """
    count = meters.x.size
    feeders = 1 + max((lamp.feeder for lamp in lamps), default=0)
    sure, unsure = np.zeros(count), np.zeros(count)
    of_feeder = np.zeros((feeders, count))
    pole_most, which_pole = np.zeros(count), np.full(count, -1)
    surface = relief.fold(
        triangle_z(relief, relief.surface, meters.x, meters.y), meters.x, meters.y
    )
    # Under the surface, as in a building, there is no light.
    buried = surface - TOUCH_M > meters.z
    lamp_x = np.array([lamp.luminaire.x for lamp in lamps])
    lamp_y = np.array([lamp.luminaire.y for lamp in lamps])
    for first, last in _pieces(meters.s):
        part = slice(first, last)
        x, y = meters.x[part], meters.y[part]
        near = (lamp_x >= x.min() - reach_m) & (lamp_x <= x.max() + reach_m)
        near &= (lamp_y >= y.min() - reach_m) & (lamp_y <= y.max() + reach_m)
        here = [lamps[k] for k in np.flatnonzero(near)]
        if not here:
            continue
        hull_x = np.concatenate([x, [lamp.luminaire.x for lamp in here]])
        hull_y = np.concatenate([y, [lamp.luminaire.y for lamp in here]])
        scene = build_scene(relief, hull_x, hull_y)
        for pole in sorted({lamp.pole for lamp in here}):
            total = np.zeros(last - first)
            for lamp in here:
                if lamp.pole != pole:
                    continue
                for one in _parts(lamp.luminaire, meters, part):
                    clear, doubt = _one(scene, one, meters, part, buried[part], reach_m)
                    total += clear
                    unsure[part] += doubt
                    of_feeder[lamp.feeder, part] += clear
            sure[part] += total
            more = total > pole_most[part]
            pole_most[part] = np.where(more, total, pole_most[part])
            which_pole[part] = np.where(more, pole, which_pole[part])
    unsure[np.isnan(meters.z)] = np.inf
    which = of_feeder.argmax(axis=0)
    return Lux(sure, unsure, pole_most, of_feeder.max(axis=0), which_pole, which)


def _pieces(s: FloatArray) -> list[tuple[int, int]]:
    """Index ranges of receivers by stretches of the line."""
    if not s.size:
        return []
    edges = np.arange(s[0], s[-1] + PIECE_M, PIECE_M)
    at = np.searchsorted(s, edges)
    bounds = [*at.tolist(), s.size]
    return [(a, b) for a, b in pairwise(bounds) if b > a]


def _parts(luminaire: Luminaire, meters: Meters, part: slice) -> tuple[Luminaire, ...]:
    """A luminaire, cut into parts where a receiver is within five of its sizes."""
    size = max(luminaire.photometry.size_m[:2])
    if not size > 0:
        return (luminaire,)
    away = np.sqrt(
        (meters.x[part] - luminaire.x) ** 2
        + (meters.y[part] - luminaire.y) ** 2
        + (meters.z[part] - luminaire.z) ** 2
    )
    nearest = float(np.nanmin(away)) if np.isfinite(away).any() else np.inf
    return (
        near_parts(luminaire, max(nearest, 0.01)) if nearest < NEAR_SIZES * size else (luminaire,)
    )


def _one(
    scene: Scene, lamp: Luminaire, meters: Meters, part: slice, buried: BoolArray, reach_m: float
) -> tuple[FloatArray, FloatArray]:
    """What one lamp gives surely, and what it may give over unknown ground."""
    lux = unblocked_lux(lamp, meters, part, reach_m)
    lux[buried] = 0.0
    clear, doubt = np.zeros(lux.size), np.zeros(lux.size)
    at = np.flatnonzero(lux > LEAST_LX)
    if at.size:
        free, unknown = clear_rays(
            scene, lamp, meters.x[part][at], meters.y[part][at], meters.z[part][at]
        )
        clear[at[free & ~unknown]] = lux[at[free & ~unknown]]
        doubt[at[unknown]] = lux[at[unknown]]
    return clear, doubt


def unblocked_lux(
    lamp: Luminaire, meters: Meters, part: slice, reach_m: float = np.inf, beyond_m: float = 0.0
) -> FloatArray:
    """Illuminance by one lamp as if nothing stood in between, by I·cos/d² [lx]."""
    away = np.stack([meters.x[part], meters.y[part], meters.z[part]], axis=1)
    away -= [lamp.x, lamp.y, lamp.z]
    level = np.hypot(away[:, 0], away[:, 1])
    cosine = -(away * meters.normals[part]).sum(axis=1)
    lux = np.zeros(level.size)
    at = np.flatnonzero((level <= reach_m) & (level > beyond_m) & (cosine > 0))
    distance = np.sqrt((away[at] ** 2).sum(axis=1))
    lux[at] = aimed_intensity_cd(lamp, away[at]) * cosine[at] / distance**3
    return lux


def clear_rays(
    scene: Scene, lamp: Luminaire, x: FloatArray, y: FloatArray, z: FloatArray
) -> tuple[BoolArray, BoolArray]:
    """Whether rays from receivers to a lamp are clear, and whether they cross unknown ground.

    No part of a ray is exempt: what stands beside a receiver casts its shadow on it.
    """
    relief = scene.relief
    unknown = np.isnan(z)
    place = np.array([lamp.x]), np.array([lamp.y])
    top = float(relief.fold(triangle_z(relief, relief.surface, *place), *place)[0])
    if np.isnan(top) or np.isnan(lamp.z):
        return np.ones(x.size, dtype=bool), np.ones(x.size, dtype=bool)
    if top - TOUCH_M > lamp.z:
        return np.zeros(x.size, dtype=bool), unknown
    free = np.ones(x.size, dtype=bool)
    if scene.embree is not None:
        origin = np.stack([x, y, z + TOUCH_M], axis=1) - scene.shift_m
        end = np.array([lamp.x, lamp.y, lamp.z + TOUCH_M]) - scene.shift_m
        hit = scene.embree.run(
            origin.astype(np.float32),
            (end - origin).astype(np.float32),
            1.0,
            query="OCCLUDED",
        )
        free = np.asarray(hit) < 0
    if scene.unknown is not None:
        col0, row0 = relief.nodes(lamp.x, lamp.y)
        col, row = relief.nodes(x, y)
        zero, one = np.zeros(x.size), np.ones(x.size)
        unknown |= free & _over_holes(
            scene.unknown,
            float(col0) - scene.first_col,
            float(row0) - scene.first_row,
            col - scene.first_col,
            row - scene.first_row,
            zero,
            one,
        )
    return free, unknown


def as_new(lamps: Sequence[Lamp]) -> tuple[Lamp, ...]:
    """The same lamps new and clean, as limits take them."""
    return tuple(
        replace(
            lamp,
            luminaire=replace(lamp.luminaire, factor=lamp.luminaire.factor * lamp.new),
        )
        for lamp in lamps
    )
