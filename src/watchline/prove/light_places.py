"""Where the proof judges light, chosen anew from the site on a finer grid than the design's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString

from watchline.geo.chainage import to_chainage, vertices
from watchline.model.lighting import LightLimit, LightRequirement
from watchline.model.site import Site
from watchline.prove.cells import Cells
from watchline.prove.heights import Relief
from watchline.prove.light import Meters, triangle_z

FloatArray = npt.NDArray[np.float64]


def requirement_meters(
    site: Site, relief: Relief, cells: Cells, requirement: LightRequirement
) -> Meters:
    """Receivers of a requirement: cells of its place, or points of the line itself."""
    if requirement.where == "line":
        x, y = _along(site.line, site.zone.start_m, site.zone.end_m, cells.cell_m)
        s, t, _ = to_chainage(site.line, x, y)
    else:
        at = cells.place(requirement.where)
        x, y, s, t = cells.x[at], cells.y[at], cells.s[at], cells.t[at]
    order = np.argsort(s, kind="stable")
    x, y, s, t = x[order], y[order], s[order], t[order]
    normals = np.zeros((x.size, 3))
    if requirement.plane == "horizontal":
        normals[:, 2] = 1.0
    else:
        normals[:, :2] = _inward(site, s) * (1.0 if requirement.facing == "zone" else -1.0)
    return _meters(relief, (x, y, s, t), normals, requirement.height_m)


def limit_meters(site: Site, relief: Relief, limit: LightLimit, step_m: float) -> Meters:
    """Places of a limit; their normals are the line of sight of an eye there."""
    if limit.offset_m is not None:
        zone = site.zone
        x, y = _along(site.line, zone.start_m, zone.end_m, step_m)
        s, _, _ = to_chainage(site.line, x, y)
        # An offset counts from the line to the left; inward is left or right.
        across = _inward(site, s) * (site.sign * limit.offset_m)
        x, y = x + across[:, 0], y + across[:, 1]
    elif limit.area is None:
        x, y = np.zeros(0), np.zeros(0)
    elif limit.area.geom_type == "Point":
        x, y = np.array([limit.area.x]), np.array([limit.area.y])
    else:
        west, south, east, north = limit.area.bounds
        grid_x, grid_y = np.meshgrid(
            np.arange(west, east + step_m, step_m), np.arange(south, north + step_m, step_m)
        )
        inside = shapely.intersects_xy(limit.area, grid_x, grid_y)
        edge = shapely.get_coordinates(shapely.segmentize(limit.area.boundary, step_m))
        x = np.concatenate([grid_x[inside], edge[:, 0]])
        y = np.concatenate([grid_y[inside], edge[:, 1]])
    s, t, _ = to_chainage(site.line, x, y)
    order = np.argsort(s, kind="stable")
    bearing = np.radians(limit.looking_deg)
    normals = np.tile([np.sin(bearing), np.cos(bearing), 0.0], (x.size, 1))
    return _meters(relief, (x[order], y[order], s[order], t[order]), normals, limit.height_m)


def _meters(
    relief: Relief,
    place: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    normals: FloatArray,
    height_m: float,
) -> Meters:
    x, y, s, t = place
    z = relief.fold(triangle_z(relief, relief.ground, x, y) + height_m, x, y)
    return Meters(x, y, z, s, t, normals)


def _along(
    line: LineString, start_m: float, end_m: float, step_m: float
) -> tuple[FloatArray, FloatArray]:
    """Points of a line, both ends among them."""
    count = max(2, int(np.ceil((end_m - start_m) / step_m)) + 1)
    points = shapely.line_interpolate_point(line, np.linspace(start_m, end_m, count))
    return shapely.get_x(points), shapely.get_y(points)


def _inward(site: Site, s: FloatArray) -> FloatArray:
    """Unit vectors away from the line into the zone, float64 [n, 2]."""
    points = vertices(site.line)
    steps = np.diff(points, axis=0)
    ends = np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))
    at = np.minimum(np.searchsorted(ends, s, side="right"), len(steps) - 1)
    along = steps[at] / np.hypot(steps[at, 0], steps[at, 1])[:, None]
    # A quarter turn to the left is (x, y) -> (-y, x).
    return site.sign * np.column_stack([-along[:, 1], along[:, 0]])
