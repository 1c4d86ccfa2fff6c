"""Candidates: where mounts could stand. Crests of the road first, even spacing after.

Crests first is a heuristic: from a place where the ground falls away on both sides both slopes are
seen. For guards and targets on a terrain profile a finite set of places made from its convex points
is known to hold an optimal choice (Eliş 2017, doi:10.1007/s10479-017-2432-4); masts, lenses and
ground beside the road are outside that result, so gaps are filled evenly.
"""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.signal import find_peaks

from watchline.design.cells import ground_heights, make_cells
from watchline.errors import InfeasibleError
from watchline.geo.chainage import from_chainage, to_chainage
from watchline.kernels.grid import bilinear_heights_m, make_grid
from watchline.model.candidates import Candidates
from watchline.model.catalogue import Structure
from watchline.model.provenance import Provenance
from watchline.model.site import Site
from watchline.model.terrain import Terrain
from watchline.physics.reach import site_reach_m

PROFILE_STEP_M = 5.0
CREST_PROMINENCE_M = 0.5
OBSTACLE_M = 1.0
FloatArray = npt.NDArray[np.float64]


def propose_candidates(site: Site, terrain: Terrain) -> Candidates:
    """Sites of mounts along the road with the structures that may stand there, and the cells.

    Parameters
    ----------
    site : Site
        What is asked.
    terrain : Terrain
        The ground and what stands on it.

    Returns
    -------
    Candidates
        Mounts (one row per site and structure) and cells.

    Raises
    ------
    InfeasibleError
        No place is left for any mount.
    """
    spots = pd.concat([_road_spots(site, terrain), _existing_spots(site)], ignore_index=True)
    spots["ground_z"] = ground_heights(terrain, spots.x.to_numpy(), spots.y.to_numpy())
    allowed = spots["existing"] | _may_stand(site, terrain, spots)
    spots = spots[allowed & spots["ground_z"].notna()].reset_index(drop=True)
    if spots.empty:
        raise InfeasibleError(
            "no mount can stand anywhere along the road: every place is excluded, built over, "
            "across the line or without terrain data",
            where="candidates",
            mend="move the road, shrink the exclusions, or change candidates.road_clearance",
        )
    return Candidates(
        mounts=_mounts(site, spots),
        cells=make_cells(site, terrain),
        range_m=site_reach_m(site),
        target_heights_m=tuple(sorted({r.target_height_m for r in site.requirements} | {1.7})),
        provenance=Provenance(
            {**site.provenance.inputs, **terrain.provenance.inputs},
            site.seed,
            site.provenance.watchline_version,
        ),
    )


def stations(profile_z: FloatArray, step_m: float, spacing_m: float, crest_m: float) -> FloatArray:
    """Distances along a road at which mounts are offered: crests first, even spacing after.

    Parameters
    ----------
    profile_z : float64 array [n]
        Heights of the road every ``step_m``; NaN = unknown (never a crest).
    step_m : float
        Distance between the heights in m.
    spacing_m : float
        Largest gap that is left between stations in m.
    crest_m : float
        Smallest distance between crests in m.

    Returns
    -------
    float64 array [m]
        Ascending distances in m.
    """
    length = (len(profile_z) - 1) * step_m
    # A summit at the road's end is a crest too: the profile is continued downward beyond it.
    low = np.nanmin(profile_z) - 1.0 if np.isfinite(profile_z).any() else 0.0
    padded = np.concatenate([[low], np.nan_to_num(profile_z, nan=low), [low]])
    peaks, found = find_peaks(padded, prominence=CREST_PROMINENCE_M)
    chosen: list[float] = []
    for peak in peaks[np.argsort(-found["prominences"], kind="stable")]:
        place = (peak - 1) * step_m
        if all(abs(place - other) >= crest_m for other in chosen):
            chosen.append(place)
    fixed = np.array(sorted({0.0, length, *chosen}))
    filled = [fixed[:1]]
    for start, end in itertools.pairwise(fixed):
        parts = max(1, int(np.ceil((end - start) / spacing_m - 1e-9)))
        filled.append(np.linspace(start, end, parts + 1)[1:])
    return np.concatenate(filled)


def _road_spots(site: Site, terrain: Terrain) -> pd.DataFrame:
    road, rules = site.road, site.candidates
    count = max(2, round(road.centreline.length / PROFILE_STEP_M) + 1)
    step = road.centreline.length / (count - 1)
    x, y = from_chainage(road.centreline, np.arange(count) * step)
    along = stations(ground_heights(terrain, x, y), step, rules.spacing_m, rules.crest_spacing_m)
    offset = road.width_m / 2 + rules.road_clearance_m
    spots = []
    for side in (1, -1):
        x, y = from_chainage(road.centreline, along, side * offset)
        s, t, _ = to_chainage(site.line, x, y)
        spots.append(pd.DataFrame({"x": x, "y": y, "s": s, "t": t}))
    frame = pd.concat(spots, ignore_index=True)
    frame["name"] = ""
    frame["existing"] = False
    return frame.sort_values(["s", "t"], kind="stable")


def _existing_spots(site: Site) -> pd.DataFrame:
    x = np.array([mount.x for mount in site.existing_mounts], dtype=np.float64)
    y = np.array([mount.y for mount in site.existing_mounts], dtype=np.float64)
    s, t, _ = to_chainage(site.line, x, y)
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            "s": s,
            "t": t,
            "name": pd.Series([mount.name for mount in site.existing_mounts], dtype=object),
            "existing": np.ones(len(x), dtype=bool),
        }
    )


def _may_stand(site: Site, terrain: Terrain, spots: pd.DataFrame) -> pd.Series:
    """Whether a new mount may stand: on the zone's side, not excluded, not in an obstacle."""
    x, y = spots.x.to_numpy(), spots.y.to_numpy()
    free = site.sign * spots.t.to_numpy() > 0
    for area in site.exclusions:
        free &= ~shapely.intersects_xy(area.polygon, x, y)
    # The nearest cell decides, as obstacles are drawn cell by cell.
    grid = make_grid(terrain.surface - terrain.ground, terrain.cell_m, *terrain.origin)
    x0, y0 = terrain.origin
    cell = terrain.cell_m
    above = bilinear_heights_m(
        grid, x0 + np.round((x - x0) / cell) * cell, y0 + np.round((y - y0) / cell) * cell
    )
    return pd.Series(free & ~(above > OBSTACLE_M), index=spots.index)


def _mounts(site: Site, spots: pd.DataFrame) -> gpd.GeoDataFrame:
    catalogue = site.catalogue
    existing = {mount.name: mount for mount in site.existing_mounts}
    services = catalogue.services
    trench = shapely.distance(shapely.points(spots.x, spots.y), site.road.centreline)
    rows = []
    for number, spot in enumerate(spots.itertuples()):
        if spot.existing:
            own = existing[str(spot.name)]
            offers = [(catalogue.structures[own.structure], own.reuse_cost)]
        else:
            offers = [
                (structure, structure.price)
                for structure in (catalogue.structures[k] for k in site.candidates.structures)
            ]
        for structure, price in offers:
            row = _mount(number, spot, structure, price, trench[number], services)
            row["capacity"] = max(0, structure.capacity - site.candidates.spare_capacity)
            rows.append(row)
    frame = pd.DataFrame(rows)
    frame.insert(0, "mount", np.arange(len(frame)))
    return gpd.GeoDataFrame(frame, geometry=gpd.points_from_xy(frame.x, frame.y), crs=site.crs)


def _mount(number, spot, structure: Structure, price, trench_m, services) -> dict:  # type: ignore[no-untyped-def, type-arg] # noqa: ANN001
    return {
        "site": number,
        "name": spot.name or f"{structure.name} at {spot.s:.0f} m",
        "structure": structure.id,
        "kind": structure.kind,
        "height_m": structure.height_m,
        "s": spot.s,
        "t": spot.t,
        "x": spot.x,
        "y": spot.y,
        "ground_z": spot.ground_z,
        "capacity": structure.capacity,
        "cost": mount_cost(price, trench_m, services),
        "existing": bool(spot.existing),
    }


def mount_cost(price: float, trench_m: float, services) -> float:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Fixed cost of a mount: structure (or its reuse), connection, and trench to the road."""
    per_metre = services.power_trench_per_m + services.data_trench_per_m
    return float(round(price + services.connection + per_metre * trench_m, 2))
