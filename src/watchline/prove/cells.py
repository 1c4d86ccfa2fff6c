"""The cells at which the proof judges: chosen anew from the site, finer than the design's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from watchline.errors import ProjectError
from watchline.geo.chainage import part, to_chainage
from watchline.model.site import Site

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
PIECE_M = 200.0
"""The line is walked in pieces of this length, so that no grid over its whole extent is made."""
ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Cells:
    """Centres of the proof's cells, in order of chainage.

    Attributes
    ----------
    x, y, s, t : float64 array [n]
        Coordinates, chainage and offset in m.
    places : dict of str to bool array [n]
        Which cells belong to what requirements call ``where``.
    no_watch : dict of str to bool array [n]
        Which cells belong to a no-watch area.
    cell_m : float
        Side of the cells in m.
    """

    x: FloatArray
    y: FloatArray
    s: FloatArray
    t: FloatArray
    places: dict[str, BoolArray]
    no_watch: dict[str, BoolArray]
    cell_m: float

    def __len__(self) -> int:
        return self.x.size

    def place(self, where: str) -> BoolArray:
        """Cells of a place, by the name that requirements use.

        Raises
        ------
        ProjectError
            If the site has no such place.
        """
        if where not in self.places:
            raise ProjectError(
                f"there is no place '{where}'",
                where="requirements: where",
                mend="name one of " + ", ".join(self.places),
            )
        return self.places[where]


def proof_cells(site: Site, cell_m: float) -> Cells:
    """All cells whose centre lies in the zone, on the road, in an area or a no-watch area.

    Centres lie on ``(i + 1/2, j + 1/2) · cell_m`` in the site's CRS. The zone is taken by
    chainage and offset, the road by distance from its centreline, areas by their polygons.

    Parameters
    ----------
    site : Site
        What is asked.
    cell_m : float
        Side of the cells in m, above zero.

    Returns
    -------
    Cells
    """
    areas = {area.name: area.polygon for area in site.areas}
    forbidden = {area.name: area.polygon for area in site.no_watch}
    zone, road = site.zone, site.road
    chunks = [
        _near_line(site.line, zone.start_m, zone.end_m, zone.outer_m + cell_m, cell_m),
        _near_line(
            road.centreline, 0.0, road.centreline.length, road.width_m / 2.0 + cell_m, cell_m
        ),
        *(_in_shape(shape, cell_m) for shape in (*areas.values(), *forbidden.values())),
    ]
    column, row = _distinct(np.concatenate(chunks))
    x, y = (column + 0.5) * cell_m, (row + 0.5) * cell_m
    s, t, beside = to_chainage(site.line, x, y)
    inwards = site.sign * t
    in_zone = beside & (s >= zone.start_m) & (s <= zone.end_m)
    in_zone &= (inwards >= zone.inner_m) & (inwards <= zone.outer_m)
    shapely.prepare(road.centreline)
    on_road = shapely.dwithin(road.centreline, shapely.points(x, y), road.width_m / 2.0)
    places = {
        "zone": in_zone,
        "fence_strip": in_zone & (inwards <= zone.inner_m + zone.fence_strip_m),
        "road": on_road,
    }
    places |= {name: shapely.intersects_xy(shape, x, y) for name, shape in areas.items()}
    no_watch = {name: shapely.intersects_xy(shape, x, y) for name, shape in forbidden.items()}
    used = np.any([*places.values(), *no_watch.values()], axis=0)
    order = np.flatnonzero(used)[np.lexsort((t[used], s[used]))]
    return Cells(
        x[order],
        y[order],
        s[order],
        t[order],
        {name: flag[order] for name, flag in places.items()},
        {name: flag[order] for name, flag in no_watch.items()},
        cell_m,
    )


def _near_line(
    line: LineString, start_m: float, end_m: float, reach_m: float, cell_m: float
) -> npt.NDArray[np.int64]:
    """Indices of the cells within reach of a line, piece by piece, some of them twice."""
    return np.concatenate(
        [
            _in_shape(part(line, start, min(start + PIECE_M, end_m)).buffer(reach_m), cell_m)
            for start in np.arange(start_m, end_m, PIECE_M)
        ]
    )


def _distinct(index: npt.NDArray[np.int64]) -> tuple[FloatArray, FloatArray]:
    """Columns and rows without repetition."""
    low = index.min(axis=0)
    width = int(index[:, 1].max() - low[1]) + 1
    key = np.unique((index[:, 0] - low[0]) * width + (index[:, 1] - low[1]))
    column, row = np.divmod(key, width)
    return (column + low[0]).astype(np.float64), (row + low[1]).astype(np.float64)


def _in_shape(shape: BaseGeometry, cell_m: float) -> npt.NDArray[np.int64]:
    """Indices (i, j) [n, 2] of the cells whose centre lies in or on a shape."""
    west, south, east, north = (np.floor(edge / cell_m) for edge in shape.bounds)
    columns = np.arange(west - 1, east + 2)
    shapely.prepare(shape)
    found = []
    for first in np.arange(south - 1, north + 2, ROWS_AT_ONCE):
        rows = np.arange(first, min(first + ROWS_AT_ONCE, north + 2))
        i, j = (a.ravel() for a in np.meshgrid(columns, rows))
        inside = shapely.intersects_xy(shape, (i + 0.5) * cell_m, (j + 0.5) * cell_m)
        found.append(np.stack([i[inside], j[inside]], axis=1))
    return np.concatenate(found).astype(np.int64)
