"""The zone as a grid along the line: where its cells are, and how fast each gait crosses them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from watchline.errors import TerrainError
from watchline.geo.chainage import vertices
from watchline.geo.grid import bilinear_at
from watchline.model.defence import Adversary, Defence, Gait
from watchline.model.site import Site
from watchline.model.terrain import Terrain

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
LEAST_STRETCH = 0.05
TOBLER_FALL = 3.5
TOBLER_BEST = 0.05
"""Tobler's hiking function: speed falls with e^(−3.5·|slope + 0.05|), best on a slope of −5 %."""


@dataclass(frozen=True)
class Strip:
    """The zone's cells: rows along the line, columns away from it.

    Attributes
    ----------
    s_m : float64 array [rows]
        Chainage of the rows.
    away_m : float64 array [cols]
        Distance of the columns from the line, rising.
    x, y, z : float64 array [rows, cols]
        Centres of the cells; ``z`` is the ground, NaN where unknown.
    row_m, col_m : float
        Distance of rows and of columns.
    stretch : float64 array [rows, cols]
        Metres of ground for a metre of chainage.
    slope : float64 array [rows, cols]
        Steepest slope of the ground, rise over run; 0 where it is unknown.
    """

    s_m: FloatArray
    away_m: FloatArray
    x: FloatArray
    y: FloatArray
    z: FloatArray
    row_m: float
    col_m: float
    stretch: FloatArray
    slope: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.s_m.size, self.away_m.size

    def entry_col(self, adversary: Adversary) -> int:
        """Column at which an adversary comes into the zone."""
        return 0 if adversary.direction == "inward" else self.away_m.size - 1

    def exit_col(self, adversary: Adversary) -> int:
        """Column at which he is out of it."""
        return self.away_m.size - 1 - self.entry_col(adversary)


def make_strip(site: Site, terrain: Terrain, cell_m: float) -> Strip:
    """Cut the zone into cells by chainage and offset.

    Parameters
    ----------
    site : Site
        Line, side and zone.
    terrain : Terrain
        The ground.
    cell_m : float
        Side of the cells, at most; the zone's length and width are divided evenly.

    Raises
    ------
    TerrainError
        The terrain is in another CRS than the site.
    """
    if terrain.crs != site.crs and pyproj.CRS(terrain.crs) != pyproj.CRS(site.crs):
        raise TerrainError(
            f"the terrain is in {terrain.crs}, the site in {site.crs}", mend="build it anew"
        )
    zone = site.zone
    rows = max(3, int(np.ceil((zone.end_m - zone.start_m) / cell_m - 1e-9)))
    cols = max(3, int(np.ceil((zone.outer_m - zone.inner_m) / cell_m - 1e-9)))
    row_m, col_m = (zone.end_m - zone.start_m) / rows, (zone.outer_m - zone.inner_m) / cols
    s = zone.start_m + (np.arange(rows) + 0.5) * row_m
    away = zone.inner_m + (np.arange(cols) + 0.5) * col_m
    foot_x, foot_y, normal_x, normal_y = _frame(site, s, zone.outer_m)
    offset = site.sign * away
    x = foot_x[:, None] + offset * normal_x[:, None]
    y = foot_y[:, None] + offset * normal_y[:, None]
    step = np.hypot(np.gradient(x, axis=0), np.gradient(y, axis=0))
    x0, y0 = terrain.origin
    cell = terrain.cell_m
    col, row = (x - x0) / cell, (y0 - y) / cell
    z = bilinear_at(terrain.ground, col.ravel(), row.ravel()).reshape(x.shape)
    # Slopes over the terrain's own cells: bilinear ground has none finer.
    east, north = (
        (_height(terrain, col + a, row - b) - _height(terrain, col - a, row + b)) / cell
        for a, b in ((0.5, 0.0), (0.0, 0.5))
    )
    slope = np.hypot(east, north)
    return Strip(
        s,
        away,
        x,
        y,
        z,
        row_m,
        col_m,
        np.maximum(step / row_m, LEAST_STRETCH),
        np.where(np.isfinite(slope), slope, 0.0),
    )


def slowness(
    strip: Strip, site: Site, adversary: Adversary, gaits: tuple[Gait, ...]
) -> list[FloatArray]:
    """Seconds a metre of each gait at every cell; infinite where it cannot go.

    Slopes are taken as Tobler's rule has them for the better of uphill and downhill: a direction
    that is told for a cell alone must not make the adversary slower than he can be.

    Parameters
    ----------
    strip : Strip
        The cells.
    site : Site
        Areas and road that his grounds name.
    adversary : Adversary
        Whose grounds.
    gaits : tuple of Gait
        His ways of moving.

    Returns
    -------
    list of float64 array [rows, cols]
        One a gait.
    """
    factor = np.ones(strip.shape)
    for name, share in adversary.grounds.items():
        factor = np.where(_inside(strip, site, name), share, factor)
    found = []
    for gait in gaits:
        speed = gait.speed_m_s * factor
        if gait.by_slope:
            speed = speed * np.exp(-TOBLER_FALL * (np.abs(strip.slope - TOBLER_BEST) - TOBLER_BEST))
        speed = np.where(strip.slope > gait.steepest, 0.0, speed)
        found.append(np.where(speed > 0, 1.0 / np.where(speed > 0, speed, 1.0), np.inf))
    return found


def barrier_columns(strip: Strip, defence: Defence) -> list[tuple[int, BoolArray]]:
    """First column beyond each barrier, and the rows in which it stands."""
    return [
        (
            int(np.clip(np.searchsorted(strip.away_m, barrier.distance_m), 1, strip.shape[1] - 1)),
            (strip.s_m >= barrier.start_m) & (strip.s_m <= barrier.end_m),
        )
        for barrier in defence.barriers
    ]


def _inside(strip: Strip, site: Site, name: str) -> BoolArray:
    """Cells in an area or on the road."""
    if name == "road":
        shapely.prepare(site.road.centreline)
        points = shapely.points(strip.x, strip.y)
        return shapely.dwithin(site.road.centreline, points, site.road.width_m / 2.0)
    area = next(area for area in site.areas if area.name == name)
    return shapely.intersects_xy(area.polygon, strip.x, strip.y)


def _height(terrain: Terrain, col: FloatArray, row: FloatArray) -> FloatArray:
    return bilinear_at(terrain.ground, col.ravel(), row.ravel()).reshape(col.shape)


def _frame(
    site: Site, s: FloatArray, outer_m: float
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Places of chainages on the line, and unit normals to its left.

    The normal turns evenly over the zone's width about a bend: so rows neither leave a wedge out
    on its outer side nor jump on its inner one.
    """
    line = site.line
    points = shapely.line_interpolate_point(line, s)
    ahead = shapely.line_interpolate_point(line, np.minimum(s + outer_m / 2, line.length))
    behind = shapely.line_interpolate_point(line, np.maximum(s - outer_m / 2, 0.0))
    dx, dy = (
        shapely.get_x(ahead) - shapely.get_x(behind),
        shapely.get_y(ahead) - shapely.get_y(behind),
    )
    length = np.hypot(dx, dy)
    if (length == 0).any():
        first, last = vertices(line)[[0, -1]]
        dx, dy = (
            np.where(length == 0, last[0] - first[0], dx),
            np.where(length == 0, last[1] - first[1], dy),
        )
        length = np.hypot(dx, dy)
    return shapely.get_x(points), shapely.get_y(points), -dy / length, dx / length
