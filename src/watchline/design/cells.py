"""The cells of ground at which the design judges the requirements."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from shapely.geometry import MultiPolygon, Polygon

from watchline.geo.chainage import part, strip_polygon, to_chainage
from watchline.kernels.grid import bilinear_heights_m, make_grid
from watchline.model.site import Site
from watchline.model.terrain import Terrain

PIECE_M = 500.0


def make_cells(site: Site, terrain: Terrain) -> pd.DataFrame:
    """Cells of the zone, the road, the areas and the no-watch areas.

    Cell centres lie on one grid of ``site.zone.cell_m``, aligned to multiples of it. The line is
    gone through in pieces, so work and memory grow with its length, not with its bounding box.

    Parameters
    ----------
    site : Site
        What is asked.
    terrain : Terrain
        The ground.

    Returns
    -------
    DataFrame
        Columns of :data:`watchline.model.candidates.CELL_COLUMNS`, then ``in:<where>`` and
        ``no_watch:<name>`` flags; ordered by chainage, then by offset.
    """
    size = site.zone.cell_m
    chunks = [
        _centres(strip_polygon(*_strip(site, start, end)), size)
        for start, end in _pieces(site.zone.start_m, site.zone.end_m)
    ]
    chunks += [_centres(site.road.centreline.buffer(site.road.width_m / 2), size)]
    chunks += [_centres(area.polygon, size) for area in (*site.areas, *site.no_watch)]
    indices = np.unique(np.concatenate(chunks), axis=0)
    x, y = ((indices + 0.5) * size).T
    return describe_cells(site, terrain, x, y, np.full(len(x), size))


def describe_cells(
    site: Site,
    terrain: Terrain,
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    size_m: npt.NDArray[np.float64],
) -> pd.DataFrame:
    """Table of cells given by their centres: chainage, ground, and the places they belong to.

    Parameters
    ----------
    x, y : float64 array [n]
        Centres in the site's CRS.
    size_m : float64 array [n]
        Sides of the cells in m.
    """
    s, t, beside = to_chainage(site.line, x, y)
    zone = site.zone
    distance = site.sign * t
    in_zone = (
        beside
        & (distance >= zone.inner_m)
        & (distance <= zone.outer_m)
        & (s >= zone.start_m)
        & (s <= zone.end_m)
    )
    points = shapely.points(x, y)
    cells = {
        "x": x,
        "y": y,
        "s": s,
        "t": t,
        "ground_z": ground_heights(terrain, x, y),
        "size_m": size_m,
        "in:zone": in_zone,
        "in:fence_strip": in_zone & (distance <= zone.inner_m + zone.fence_strip_m),
        "in:road": shapely.dwithin(points, site.road.centreline, site.road.width_m / 2),
    }
    for area in site.areas:
        cells[f"in:{area.name}"] = shapely.contains_xy(area.polygon, x, y)
    for area in site.no_watch:
        cells[f"no_watch:{area.name}"] = shapely.contains_xy(area.polygon, x, y)
    frame = pd.DataFrame(cells)
    used = frame.filter(regex="^(in|no_watch):").any(axis=1)
    return frame[used].sort_values(["s", "t"], kind="stable").reset_index(drop=True)


def ground_heights(
    terrain: Terrain, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Heights of the bare ground at points, bilinear between cell centres; NaN = unknown."""
    grid = make_grid(terrain.ground, terrain.cell_m, *terrain.origin)
    return bilinear_heights_m(grid, x, y)


def _pieces(start_m: float, end_m: float) -> list[tuple[float, float]]:
    edges = np.linspace(start_m, end_m, max(1, int(np.ceil((end_m - start_m) / PIECE_M))) + 1)
    return list(itertools.pairwise(edges))


def _strip(site: Site, start_m: float, end_m: float) -> tuple:  # type: ignore[type-arg]
    # A little longer than the piece, so that no cell is lost at a bend between two pieces.
    reach = site.zone.outer_m
    line = part(site.line, max(0.0, start_m - reach), min(site.line.length, end_m + reach))
    return line, site.sign, site.zone.inner_m, site.zone.outer_m, 0.0, line.length


def _centres(polygon: Polygon | MultiPolygon, size_m: float) -> npt.NDArray[np.int64]:
    """Grid indices [n, 2] of the cells whose centre lies in or on a polygon."""
    west, south, east, north = polygon.bounds
    columns = np.arange(np.floor(west / size_m), np.ceil(east / size_m) + 1)
    rows = np.arange(np.floor(south / size_m), np.ceil(north / size_m) + 1)
    i, j = (a.ravel().astype(np.int64) for a in np.meshgrid(columns, rows, indexing="ij"))
    inside = shapely.intersects_xy(polygon, (i + 0.5) * size_m, (j + 0.5) * size_m)
    return np.column_stack([i[inside], j[inside]])
