"""The points at which the design judges light: requirements' planes and limits' places."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from watchline.design.cells import make_cells
from watchline.errors import InfeasibleError
from watchline.geo.chainage import bearing_deg, from_chainage, to_chainage
from watchline.kernels.grid import make_grid
from watchline.kernels.light_ray import triangle_heights_m
from watchline.model.lighting import LightLimit, LightRequirement
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
EDGE_SLACK_M = 0.01


@dataclass(frozen=True)
class Points:
    """Receivers, in order of chainage.

    Attributes
    ----------
    x, y, z : float64 array [n]
        Coordinates, and height above the datum of the receiver itself [m].
    s, t : float64 array [n]
        Chainage and offset [m].
    normals : float64 array [n, 3]
        Which way they look, as east, north, up.
    edge : bool array [n]
        Points that count toward no mean.
    """

    x: FloatArray
    y: FloatArray
    z: FloatArray
    s: FloatArray
    t: FloatArray
    normals: FloatArray
    edge: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return self.x.size


def light_cells(site: Site, terrain: Terrain, cell_m: float) -> pd.DataFrame:
    """Cells of the zone, the road and the areas, with points along edges and the line itself.

    The line's points lie every ``cell_m`` along it, flagged ``in:line``. So do those on the edges
    of zone and fence strip, where light is weakest: flagged ``edge``, they count toward a minimum
    and toward no mean.
    """
    finer = replace(site, zone=replace(site.zone, cell_m=cell_m), no_watch=())
    cells = make_cells(finer, terrain)
    zone = site.zone
    count = max(2, round((zone.end_m - zone.start_m) / cell_m) + 1)
    along = np.linspace(zone.start_m, zone.end_m, count)
    flags = [name for name in cells.columns if name.startswith("in:")]
    cells["in:line"] = cells["edge"] = False
    parts = [cells]
    strip = zone.inner_m + zone.fence_strip_m
    for away, places in (
        (0.0, ["line"]),
        (zone.inner_m, ["zone", "fence_strip"]),
        (min(strip, zone.outer_m), ["zone", "fence_strip"]),
        (zone.outer_m, ["zone"]),
    ):
        x, y = from_chainage(site.line, along, site.sign * away)
        s, t, beside = to_chainage(site.line, x, y)
        # On the inside of a bend an offset point is nearer to another piece of the line.
        kept = beside | (places == ["line"])
        kept &= np.abs(np.abs(t) - away) < EDGE_SLACK_M
        edge = {"x": x, "y": y, "s": s, "t": t, "edge": places != ["line"]}
        edge |= dict.fromkeys((*flags, "in:line"), False)
        edge |= {f"in:{name}": True for name in places}
        parts.append(pd.DataFrame(edge)[kept])
    together = pd.concat(parts, ignore_index=True)
    return together.sort_values(["s", "t"], kind="stable").reset_index(drop=True)


def requirement_points(
    site: Site, terrain: Terrain, cells: pd.DataFrame, requirement: LightRequirement
) -> Points:
    """Receivers of one requirement.

    Raises
    ------
    InfeasibleError
        It has no point, or the ground is unknown at one.
    """
    chosen = cells[cells[f"in:{requirement.where}"].astype(bool)]
    if not len(chosen):
        raise InfeasibleError(
            f"'{requirement.where}' holds no point",
            where=f"light_requirements '{requirement.name}'",
            mend="make the place larger, or lighting.cell smaller",
        )
    x, y, s, t = (chosen[name].to_numpy(dtype=np.float64) for name in ("x", "y", "s", "t"))
    edge = chosen["edge"].to_numpy(dtype=bool)
    points = points_at(site, terrain, requirement, (x, y, s, t), edge)
    z = points.z
    if requirement.binding and np.isnan(z).any():
        first = float(s[np.isnan(z)][0])
        raise InfeasibleError(
            f"the ground is unknown at {int(np.isnan(z).sum()):,} points, first at s = {first:.0f} "
            "m, so that no light can be shown to reach them",
            where=f"light_requirements '{requirement.name}'",
            mend="give terrain data there, or shorten the zone",
        )
    return points


def points_at(
    site: Site,
    terrain: Terrain,
    requirement: LightRequirement,
    place: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    edge: npt.NDArray[np.bool_],
) -> Points:
    """Receivers of a requirement at given places: x, y, chainage and offset, by chainage."""
    x, y, s, t = place
    z = ground_z(terrain, x, y) + requirement.height_m
    return Points(x, y, z, s, t, plane_normals(site, requirement, s), edge)


def plane_normals(site: Site, requirement: LightRequirement, s: FloatArray) -> FloatArray:
    """Normals of a requirement's plane at chainages, float64 [n, 3]."""
    normals = np.zeros((s.size, 3))
    if requirement.plane == "horizontal":
        normals[:, 2] = 1.0
        return normals
    turn = -90.0 if requirement.facing == "zone" else 90.0
    bearing = np.radians(bearing_deg(site.line, s) + site.sign * turn)
    normals[:, 0], normals[:, 1] = np.sin(bearing), np.cos(bearing)
    return normals


def ground_z(terrain: Terrain, x: FloatArray, y: FloatArray) -> FloatArray:
    """Heights of the triangulated ground [m]; NaN = unknown."""
    return triangle_heights_m(make_grid(terrain.ground, terrain.cell_m, *terrain.origin), x, y)


def limit_places(
    site: Site, terrain: Terrain, limit: LightLimit
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places of a limit: coordinates and height above the datum [m].

    A line beside the line is taken every ``cell_m``; an area at its cells and along its edge.
    """
    assert site.lighting is not None
    step = site.lighting.poles.cell_m
    if limit.offset_m is not None:
        zone = site.zone
        count = max(2, round((zone.end_m - zone.start_m) / step) + 1)
        along = np.linspace(zone.start_m, zone.end_m, count)
        x, y = from_chainage(site.line, along, limit.offset_m)
    elif limit.area is None:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    elif limit.area.geom_type == "Point":
        x, y = np.array([limit.area.x]), np.array([limit.area.y])
    else:
        x, y = _area_points(limit.area, step)
    z = ground_z(terrain, x, y) + limit.height_m
    known = np.isfinite(z)
    return x[known], y[known], z[known]


def _area_points(shape, step: float) -> tuple[FloatArray, FloatArray]:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Grid points within a shape, and points along its edge, where light is strongest."""
    west, south, east, north = shape.bounds
    columns = np.arange(np.floor(west / step), np.ceil(east / step) + 1) + 0.5
    rows = np.arange(np.floor(south / step), np.ceil(north / step) + 1) + 0.5
    x, y = (a.ravel() * step for a in np.meshgrid(columns, rows))
    inside = shapely.intersects_xy(shape, x, y)
    edge = shapely.get_coordinates(shapely.segmentize(shape.boundary, step))
    return np.concatenate([x[inside], edge[:, 0]]), np.concatenate([y[inside], edge[:, 1]])


def limit_points(site: Site, terrain: Terrain, limit: LightLimit) -> Points:
    """Receivers of a limit; their normals are those of an eye that looks to its bearing."""
    x, y, z = limit_places(site, terrain, limit)
    s, t, _ = to_chainage(site.line, x, y)
    s = np.clip(s, site.zone.start_m, site.zone.end_m)
    bearing = np.radians(limit.looking_deg)
    normals = np.tile([np.sin(bearing), np.cos(bearing), 0.0], (x.size, 1))
    order = np.lexsort((t, s))
    edge = np.zeros(x.size, dtype=bool)
    return Points(x[order], y[order], z[order], s[order], t[order], normals, edge)
