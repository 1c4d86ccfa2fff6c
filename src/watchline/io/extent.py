"""Which grid the terrain gets: what can matter, cut to what the rasters hold."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Geod, Transformer
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from watchline.errors import TerrainError
from watchline.geo.chainage import strip_polygon
from watchline.geo.grid import SNAP_CELLS, Bounds, Grid
from watchline.io.raster import Raster, crs_words, same_crs
from watchline.io.resample import place_to_node
from watchline.model.site import Site
from watchline.physics.reach import site_reach_m

MARGIN_CELLS = 4
"""Cells beyond what can matter, so that no interpolation there meets the grid's edge."""

MOST_CELLS = 150_000_000
"""Two grids of float32 then take 1.2 GB."""

SWAP_HINT_KM = 100.0
EDGE_STEPS = 32


def zone_polygon(site: Site) -> Polygon | MultiPolygon:
    """Polygon of the zone in the site's CRS."""
    zone = site.zone
    return strip_polygon(site.line, site.sign, zone.inner_m, zone.outer_m, zone.start_m, zone.end_m)


def bounds_that_matter(site: Site) -> Bounds:
    """Bounds of all that is seen or carries devices, widened by the largest range.

    Returns
    -------
    tuple of float
        West, south, east, north in m.
    """
    shapes = [
        zone_polygon(site),
        site.road.centreline.buffer(site.road.width_m / 2),
        *(area.polygon for area in site.areas),
        *(area.polygon for area in site.no_watch),
        *(Point(mount.x, mount.y) for mount in site.existing_mounts),
    ]
    west, south, east, north = shapely.total_bounds(shapes)
    reach = site_reach_m(site)
    return float(west - reach), float(south - reach), float(east + reach), float(north + reach)


def node_spacing_m(raster: Raster, crs: CRS, x: float, y: float) -> tuple[float, float]:
    """Distance between a raster's nodes along its rows and down its columns, at a place.

    Parameters
    ----------
    raster : Raster
        The raster.
    crs : pyproj.CRS
        Projected metric CRS of the place.
    x, y : float
        The place in m.

    Returns
    -------
    tuple of float
        Along a row and down a column, in m.
    """
    if same_crs(raster.crs, crs):
        return abs(raster.nodes.a), abs(raster.nodes.e)
    col, row = place_to_node(raster, crs)(np.array([x]), np.array([y]))
    cols = col[0] + np.array([-0.5, 0.5, 0.0, 0.0])
    rows = row[0] + np.array([0.0, 0.0, -0.5, 0.5])
    px, py = node_to_place(raster, crs, cols, rows)
    return float(np.hypot(px[1] - px[0], py[1] - py[0])), float(
        np.hypot(px[3] - px[2], py[3] - py[2])
    )


def node_to_place(
    raster: Raster, crs: CRS, col: npt.NDArray[np.float64], row: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Places in a CRS of fractional (column, row) of a raster's nodes."""
    a, b, c, d, e, f = raster.nodes[:6]
    x, y = a * col + b * row + c, d * col + e * row + f
    if same_crs(raster.crs, crs):
        return x, y
    px, py = Transformer.from_crs(raster.crs, crs, always_xy=True).transform(x, y)
    return np.asarray(px), np.asarray(py)


def choose_grid(site: Site, rasters: list[Raster]) -> Grid:
    """Grid of the terrain.

    The cell is the project's, or else the finest raster's. Where that raster is square and in the
    site's CRS, the cells' centres are its nodes and nothing is interpolated there; else the centres
    are whole multiples of the cell, rounded down to two digits.

    Parameters
    ----------
    site : Site
        What is asked.
    rasters : list of Raster
        The ground first.

    Raises
    ------
    TerrainError
        If the ground does not reach what matters, or the grid would be too large.
    """
    crs = CRS.from_user_input(site.crs)
    ground = rasters[0]
    wanted = bounds_that_matter(site)
    _held_bounds(site, crs, ground, wanted)  # a line far off is told before anything else
    middle = zone_polygon(site).representative_point()
    spacings = [min(node_spacing_m(raster, crs, middle.x, middle.y)) for raster in rasters]
    finest = rasters[int(np.argmin(spacings))]
    cell, x0, y0 = _lattice(finest, min(spacings), site.terrain.cell_m, crs)
    margin = MARGIN_CELLS * cell
    west, south, east, north = wanted
    wide = (west - margin, south - margin, east + margin, north + margin)
    held = _held_bounds(site, crs, ground, wide)
    box = (
        max(wide[0], held[0]),
        max(wide[1], held[1]),
        min(wide[2], held[2]),
        min(wide[3], held[3]),
    )
    # Inward to the lattice: a centre beyond the outermost nodes would only be unknown.
    left = math.ceil((box[0] - x0) / cell - SNAP_CELLS)
    right = math.floor((box[2] - x0) / cell + SNAP_CELLS)
    top = math.ceil((y0 - box[3]) / cell - SNAP_CELLS)
    bottom = math.floor((y0 - box[1]) / cell + SNAP_CELLS)
    rows, cols = bottom - top + 1, right - left + 1
    if rows < 2 or cols < 2:
        raise TerrainError(
            f"less than 2 × 2 cells of {cell:g} m are left of it near the line",
            where=ground.where,
            mend="give a raster that covers the zone, or a smaller cell under [terrain]",
        )
    if rows * cols > MOST_CELLS:
        coarser = cell * math.sqrt(rows * cols / MOST_CELLS)
        raise TerrainError(
            f"{rows:,} × {cols:,} cells of {cell:g} m are too many to hold",
            where="project.toml: terrain.cell",
            mend=f"write a cell of {math.ceil(coarser * 10) / 10:g} m or more, or leave out devices"
            f" that reach {site_reach_m(site):,.0f} m",
        )
    return Grid(x0 + left * cell, y0 - top * cell, cell, rows, cols)


def _lattice(
    finest: Raster, spacing: float, asked: float | None, crs: CRS
) -> tuple[float, float, float]:
    """Cell and one centre of the lattice on which the grid lies."""
    width, height = abs(finest.nodes.a), abs(finest.nodes.e)
    square = same_crs(finest.crs, crs) and math.isclose(width, height, rel_tol=1e-9)
    if square and (asked is None or math.isclose(asked, width, rel_tol=1e-9)):
        return width, finest.nodes.c, finest.nodes.f
    if asked is not None:
        return asked, 0.0, 0.0
    digits = 10.0 ** (math.floor(math.log10(spacing)) - 1)
    return round(math.floor(spacing / digits + 1e-6) * digits, 9), 0.0, 0.0


def _held_bounds(site: Site, crs: CRS, ground: Raster, wanted: Bounds) -> Bounds:
    """Bounds of the ground's nodes that lie within given bounds, in the site's CRS."""
    x, y = _edge(wanted)
    col, row = place_to_node(ground, crs)(x, y)
    finite = np.isfinite(col) & np.isfinite(row)
    if not finite.any():
        raise _far(site, crs, ground)
    left, right = max(0.0, col[finite].min()), min(ground.cols - 1.0, col[finite].max())
    top, bottom = max(0.0, row[finite].min()), min(ground.rows - 1.0, row[finite].max())
    if left >= right or top >= bottom:
        raise _far(site, crs, ground)
    px, py = node_to_place(ground, crs, *_edge((left, top, right, bottom)))
    return float(px.min()), float(py.min()), float(px.max()), float(py.max())


def _edge(bounds: Bounds) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Places all along the edge of a rectangle: its image in another CRS is bent."""
    west, south, east, north = bounds
    u = np.linspace(0.0, 1.0, EDGE_STEPS + 1)
    x, y = west + u * (east - west), south + u * (north - south)
    still = np.ones_like(u)
    return (
        np.concatenate([x, x, west * still, east * still]),
        np.concatenate([south * still, north * still, y, y]),
    )


def _far(site: Site, crs: CRS, ground: Raster) -> TerrainError:
    """The error for a line that does not lie on the terrain, with the likeliest reason."""
    swapped = _swapped_fits(site.line, crs, ground)
    distance = _distance_km(site.line, crs, ground)
    where = ground.where
    chainages = f"s = {site.zone.start_m:,.0f} to {site.zone.end_m:,.0f} m"
    if distance is None:
        what = f"the line ({chainages}) lies nowhere in {crs_words(crs)}"
    else:
        away = f"{distance:,.0f} km" if distance >= 10 else f"{distance:,.1f} km"
        what = f"the line ({chainages}) lies {away} from the terrain"
    if swapped:
        mend = "swap x and y of the line: swapped, it lies on the terrain"
    elif distance is None or distance > SWAP_HINT_KM:
        mend = "check the CRS of both, and whether x and y are swapped"
    else:
        mend = "give a raster that covers the line"
    return TerrainError(what, where=where, mend=mend)


def _swapped_fits(line: LineString, crs: CRS, ground: Raster) -> bool:
    """Whether the line would lie on the raster with its coordinates in the other order.

    Both orders are tried that people mix up: of the site's coordinates, and of longitude and
    latitude before they were projected.
    """
    x, y = np.asarray(line.coords, dtype=np.float64)[:, :2].T
    degrees = Transformer.from_crs(crs, crs.geodetic_crs.to_2d(), always_xy=True)
    lon, lat = degrees.transform(x, y)
    for px, py in ((y, x), degrees.transform(lat, lon, direction="INVERSE")):
        col, row = place_to_node(ground, crs)(np.asarray(px), np.asarray(py))
        if ((col >= 0) & (col <= ground.cols - 1) & (row >= 0) & (row <= ground.rows - 1)).all():
            return True
    return False


def _distance_km(line: LineString, crs: CRS, ground: Raster) -> float | None:
    """Geodesic distance from the line's middle to the raster, or None where there is none."""
    degrees = CRS.from_epsg(4326)
    middle = line.interpolate(0.5, normalized=True)
    lon, lat = Transformer.from_crs(crs, degrees, always_xy=True).transform(middle.x, middle.y)
    edge = _edge((0.0, 0.0, ground.cols - 1.0, ground.rows - 1.0))
    edge_lon, edge_lat = node_to_place(ground, degrees, *edge)
    finite = np.isfinite(edge_lon) & np.isfinite(edge_lat)
    if not (math.isfinite(lon) and math.isfinite(lat) and finite.any()):
        return None
    count = int(finite.sum())
    _, _, metres = Geod(ellps="WGS84").inv(
        np.full(count, lon), np.full(count, lat), edge_lon[finite], edge_lat[finite]
    )
    return float(np.min(metres)) / 1000.0
