"""Candidates of lights: places along the line, pole heights, luminaires and their aims."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from watchline.design.light_points import limit_places
from watchline.errors import InfeasibleError
from watchline.geo.chainage import bearing_deg, from_chainage, to_chainage
from watchline.kernels.grid import make_grid
from watchline.kernels.light_ray import triangle_heights_m
from watchline.model.lighting import LightingRules, LuminaireOffer
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.luminaires import Luminaire, aimed_intensity_cd, aimed_upward_share

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
OBSTACLE_M = 1.0


@dataclass(frozen=True)
class Heads:
    """Lights that may be chosen, in order of chainage; those of one top follow each other.

    Attributes
    ----------
    places : DataFrame
        One row per place: ``x, y, s, t, ground_z, mount_id, trench_m``.
    place, top : int64 array [n]
        Place, and place-and-height, of each head.
    bracket : int64 array [n]
        Which of the top's brackets: at most one head hangs on each.
    offer : int64 array [n]
        Which luminaire of the project.
    azimuth_deg, tilt_deg : float64 array [n]
        Aim.
    cost : float64 array [n]
        Price and energy.
    top_place : int64 array [tops]
        Place of each top.
    top_height_m, top_cost : float64 array [tops]
        Height above the ground, and cost of pole and trench.
    top_room : int64 array [tops]
        Most heads.
    feeder : int64 array [places]
        Feeder of each place, from 0.
    """

    places: pd.DataFrame
    place: IntArray
    top: IntArray
    bracket: IntArray
    offer: IntArray
    azimuth_deg: FloatArray
    tilt_deg: FloatArray
    cost: FloatArray
    top_place: IntArray
    top_height_m: FloatArray
    top_cost: FloatArray
    top_room: IntArray
    feeder: IntArray

    @property
    def s(self) -> FloatArray:
        """Chainage of each head in m."""
        return self.places["s"].to_numpy()[self.place]


def offered_heads(site: Site, terrain: Terrain, mounts: pd.DataFrame | None) -> Heads:
    """All heads that a site offers.

    Parameters
    ----------
    site : Site
        What is asked, with lighting.
    terrain : Terrain
        The ground and what stands on it.
    mounts : DataFrame, optional
        Masts and towers of a plan, with ``mount_id, height_m`` and point geometries.

    Raises
    ------
    InfeasibleError
        No light can hang anywhere, or limits forbid every one.
    """
    rules = site.lighting
    assert rules is not None
    places = _places(site, terrain, rules, mounts)
    if not len(places):
        raise InfeasibleError(
            "no light can hang anywhere: every place is excluded, built over, across the line or "
            "without terrain data",
            where="lighting",
            mend="change lighting.offsets, or shrink the exclusions",
        )
    tops, rows = [], []
    brackets = {
        azimuth: number
        for number, azimuth in enumerate(
            dict.fromkeys(a for offer in rules.luminaires for a in offer.azimuths_deg)
        )
    }
    toward = (bearing_deg(site.line, places["s"].to_numpy()) + site.sign * 90.0) % 360.0
    for number, place in enumerate(places.itertuples()):
        own = place.mount_id == ""
        trench = rules.poles.trench_per_m * place.trench_m
        heights = (
            [(height, price + trench, rules.poles.heads) for height, price in rules.poles.poles]
            if own
            else [(float(place.height_m), 0.0, rules.poles.mast_heads)]
        )
        for height, cost, room in heights:
            tops.append((number, height, round(cost, 2), room))
            for which, offer in enumerate(rules.luminaires):
                price = offer.price + rules.poles.energy_cost(offer.power_w)
                for azimuth in offer.azimuths_deg:
                    for tilt in offer.tilts_deg:
                        bearing = (toward[number] + azimuth) % 360.0
                        bracket = brackets[azimuth]
                        head = (number, len(tops) - 1, bracket, which, bearing, tilt, price)
                        rows.append(head)
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    top_columns = [np.array(column) for column in zip(*tops, strict=True)]
    heads = Heads(
        places,
        *(column.astype(np.int64) for column in columns[:4]),
        *(np.round(column.astype(np.float64), 6) for column in columns[4:]),
        top_columns[0].astype(np.int64),
        top_columns[1].astype(np.float64),
        top_columns[2].astype(np.float64),
        top_columns[3].astype(np.int64),
        np.arange(len(places)) % rules.poles.feeders,
    )
    return _allowed(heads, site, terrain, rules)


def _places(
    site: Site, terrain: Terrain, rules: LightingRules, mounts: pd.DataFrame | None
) -> pd.DataFrame:
    """Places of poles and masts in order of chainage."""
    zone, frames = site.zone, []
    if rules.poles.poles:
        length = zone.end_m - zone.start_m
        count = max(1, round(length / rules.poles.spacing_m))
        # Half a spacing from the ends, so that neighbours share the line evenly.
        along = zone.start_m + (np.arange(count) + 0.5) * length / count
        for offset in rules.poles.offsets_m:
            x, y = from_chainage(site.line, along, site.sign * offset)
            frames.append(pd.DataFrame({"x": x, "y": y, "mount_id": "", "height_m": np.nan}))
    if rules.poles.on_masts and mounts is not None and len(mounts):
        frames.append(
            pd.DataFrame(
                {
                    "x": mounts.geometry.x.to_numpy(),
                    "y": mounts.geometry.y.to_numpy(),
                    "mount_id": mounts["mount_id"].astype(str).to_numpy(),
                    "height_m": mounts["height_m"].to_numpy(dtype=np.float64),
                }
            )
        )
    if not frames:
        return pd.DataFrame()
    places = pd.concat(frames, ignore_index=True)
    x, y = places["x"].to_numpy(), places["y"].to_numpy()
    places["s"], places["t"], _ = to_chainage(site.line, x, y)
    grid = make_grid(terrain.ground, terrain.cell_m, *terrain.origin)
    places["ground_z"] = triangle_heights_m(grid, x, y)
    points = shapely.points(x, y)
    places["trench_m"] = shapely.distance(points, site.road.centreline)
    free = places["ground_z"].notna().to_numpy()
    own = (places["mount_id"] == "").to_numpy()
    barred = site.sign * places["t"].to_numpy() < 0
    for area in site.exclusions:
        barred |= shapely.intersects_xy(area.polygon, x, y)
    above = triangle_heights_m(
        make_grid(terrain.surface - terrain.ground, terrain.cell_m, *terrain.origin), x, y
    )
    barred |= above > OBSTACLE_M
    places = places[free & ~(own & barred)]
    return places.sort_values(["s", "t", "mount_id"], kind="stable").reset_index(drop=True)


def _allowed(heads: Heads, site: Site, terrain: Terrain, rules: LightingRules) -> Heads:
    """Heads without those that a limit on single lights forbids."""
    keep = np.ones(heads.place.size, dtype=bool)
    for limit in rules.limits:
        if not limit.binding:
            continue
        if limit.kind == "upward":
            kinds = {}
            for k in range(keep.size):
                key = (int(heads.offer[k]), float(heads.tilt_deg[k]))
                if key not in kinds:
                    offer = rules.luminaires[key[0]]
                    kinds[key] = aimed_upward_share(offer.photometry, key[1], offer.front_c_deg)
                keep[k] &= kinds[key] <= limit.most
        elif limit.kind == "intensity":
            x, y, z = limit_places(site, terrain, limit)
            keep &= most_intensity_cd(heads, site, rules, (x, y, z)) <= limit.most
    if not keep.any():
        raise InfeasibleError(
            "every light breaks a limit on single lights",
            where="light_limits",
            mend="raise the limit, or offer other luminaires, tilts or heights",
        )
    return Heads(
        heads.places,
        *(
            getattr(heads, name)[keep]
            for name in ("place", "top", "bracket", "offer", "azimuth_deg", "tilt_deg", "cost")
        ),
        heads.top_place,
        heads.top_height_m,
        heads.top_cost,
        heads.top_room,
        heads.feeder,
    )


def most_intensity_cd(
    heads: Heads, site: Site, rules: LightingRules, places: tuple[FloatArray, ...]
) -> FloatArray:
    """Largest intensity of each head toward any of some places [cd], with nothing in between."""
    x, y, z = places
    foot = heads.places
    lamp = np.stack(
        [
            foot["x"].to_numpy()[heads.place],
            foot["y"].to_numpy()[heads.place],
            foot["ground_z"].to_numpy()[heads.place] + heads.top_height_m[heads.top],
        ],
        axis=1,
    )
    found = np.zeros(heads.place.size)
    target = np.stack([x, y, z], axis=1)
    for k in range(found.size):
        one = as_luminaire(rules.luminaires[heads.offer[k]], lamp[k], heads, k)
        # The limit speaks of the new luminaire: dirt must not make it allowed.
        bare = Luminaire(
            one.photometry, one.x, one.y, one.z, one.azimuth_deg, one.tilt_deg, one.front_c_deg
        )
        found[k] = float(aimed_intensity_cd(bare, target - lamp[k]).max(initial=0.0))
    return found


def as_luminaire(offer: LuminaireOffer, place: FloatArray, heads: Heads, k: int) -> Luminaire:
    """A head as the light functions take it; `place` is x, y and height."""
    return Luminaire(
        offer.photometry,
        float(place[0]),
        float(place[1]),
        float(place[2]),
        float(heads.azimuth_deg[k]),
        float(heads.tilt_deg[k]),
        offer.front_c_deg,
        offer.maintenance_factor,
    )
