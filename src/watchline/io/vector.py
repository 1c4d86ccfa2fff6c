"""Lines and polygons from GIS files, brought into the project's CRS."""

from __future__ import annotations

import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry import LineString, MultiPolygon, Polygon

from watchline.errors import LineError, ProjectError

PLAUSIBLE_M = 1e8


def read_layer(
    path: Path, *, layer: str | None, crs: str | None, to_crs: str, where: str
) -> gpd.GeoDataFrame:
    """One layer of a GIS file in the project's CRS.

    Parameters
    ----------
    path : Path
        GeoJSON, GeoPackage, Shapefile, KML or whatever GDAL reads.
    layer : str or None
        Layer; needed where the file has several.
    crs : str or None
        CRS of the file where it declares none.
    to_crs : str
        The project's CRS.
    where : str
        ``file: key`` of the project that names it, for messages.

    Raises
    ------
    ProjectError
        Missing, unreadable or empty file, several layers, no CRS, coordinates that do not fit.
    """
    if not path.is_file():
        raise ProjectError(f"the file {path} does not exist", where=where, mend="correct the path")
    try:
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        if layer is None and len(layers) > 1:
            raise ProjectError(
                f"{path.name} has several layers ({', '.join(layers)})",
                where=where,
                mend="name one with the key layer",
            )
        if layer is not None and layer not in layers:
            raise ProjectError(
                f"{path.name} has no layer '{layer}'",
                where=where,
                mend=f"take one of: {', '.join(layers)}",
            )
        frame = gpd.read_file(path, layer=layer)
    except (DataSourceError, DataLayerError, ValueError, UnicodeDecodeError) as error:
        raise ProjectError(
            f"{path.name} cannot be read as a GIS file ({_one_line(error)})",
            where=where,
            mend="export it again as GeoJSON or GeoPackage",
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty or frame.geometry.is_empty.all():
        raise ProjectError(f"{path.name} holds no geometry", where=where, mend="export it again")
    frame = frame[~(frame.geometry.is_empty | frame.geometry.isna())]
    if frame.crs is None:
        if crs is None:
            raise ProjectError(
                f"{path.name} declares no CRS", where=where, mend='say it, e.g. crs = "EPSG:4326"'
            )
        frame = frame.set_crs(parse_crs(crs, where))
    check_lonlat(frame, path, where)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        frame = frame.to_crs(to_crs)
    bounds = frame.total_bounds
    if not np.isfinite(bounds).all() or np.abs(bounds).max() > PLAUSIBLE_M:
        raise ProjectError(
            f"{path.name} does not fit into {to_crs}: its coordinates lie outside that CRS",
            where=where,
            mend="check the file's CRS, and whether x and y are swapped",
        )
    return frame


def check_lonlat(frame: gpd.GeoDataFrame, path: Path, where: str) -> None:
    """Refuse geographic coordinates that cannot be longitude and latitude in this order."""
    west, south, east, north = frame.total_bounds
    if frame.crs is None or not frame.crs.is_geographic:
        return
    if abs(south) > 90 or abs(north) > 90:
        swapped = abs(west) <= 90 and abs(east) <= 90
        raise ProjectError(
            f"{path.name} has latitudes of {south:.6g} to {north:.6g}, beyond ±90",
            where=where,
            mend="swap x and y: longitude comes first"
            if swapped
            else "its coordinates are not degrees: correct its CRS",
        )


def parse_crs(text: str, where: str) -> CRS:
    """A CRS from text.

    Raises
    ------
    ProjectError
        The text is no CRS.
    """
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise ProjectError(
            f"'{text}' is not a CRS", where=where, mend='write e.g. "EPSG:32636"'
        ) from error


def project_crs(text: str, where: str) -> CRS:
    """The project's CRS: projected, in metres.

    Raises
    ------
    ProjectError
        Not a CRS, geographic, or not metric.
    """
    crs = parse_crs(text, where)
    if not crs.is_projected:
        raise ProjectError(
            f"'{text}' ({crs.name}) is not a projected CRS: its coordinates are not metres",
            where=where,
            mend="take the UTM zone of the line; `watchline init LINE DEM` proposes it",
        )
    units = {axis.unit_name for axis in crs.axis_info[:2]}
    if units - {"metre", "meter"}:
        raise ProjectError(
            f"'{text}' ({crs.name}) counts in {', '.join(sorted(units))}, not in metres",
            where=where,
            mend="take a metric CRS such as the UTM zone of the line",
        )
    return crs


def read_line(frame: gpd.GeoDataFrame, path: Path, where: str, *, what: str = "line") -> LineString:
    """The one line of a layer, cleaned of repeated vertices.

    Raises
    ------
    LineError
        No line, several that do not join, zero length, or self-crossing.
    """
    geometries = [
        g for g in frame.geometry.explode() if g.geom_type in ("LineString", "LinearRing")
    ]
    if not geometries:
        kinds = ", ".join(sorted(set(frame.geom_type)))
        raise LineError(
            f"{path.name} holds no line but {kinds}", where=where, mend="export the line itself"
        )
    geometries = [g for g in geometries if g.length > 0]
    if not geometries:
        raise LineError(
            f"the {what} in {path.name} has no length", where=where, mend="draw at least two points"
        )
    merged = shapely.force_2d(shapely.line_merge(shapely.MultiLineString(geometries)))
    if merged.geom_type != "LineString":
        raise LineError(
            f"the {what} in {path.name} falls into {len(merged.geoms)} pieces that do not join",
            where=where,
            mend="join them into one, or keep one piece",
        )
    if len(geometries) == 1:
        merged = shapely.force_2d(geometries[0])  # merging may turn a line round
    coords = np.asarray(merged.coords)
    keep = np.r_[True, np.hypot(*np.diff(coords, axis=0).T) > 1e-6]
    line = LineString(coords[keep])
    if not line.is_simple:
        place = crossing_of(line)
        raise LineError(
            f"the {what} in {path.name} crosses itself"
            + (f" near x = {place[0]:.0f}, y = {place[1]:.0f}" if place else ""),
            where=where,
            mend="correct it in a GIS, or cut it into parts that are planned one by one",
        )
    if line.is_ring:
        raise LineError(
            f"the {what} in {path.name} is closed",
            where=where,
            mend="cut it open where no two parts of the zone meet",
        )
    return line


def crossing_of(line: LineString) -> tuple[float, float] | None:
    """A place at which a line crosses itself, or None."""
    noded = shapely.node(line)
    ends = {line.coords[0][:2], line.coords[-1][:2], *(c[:2] for c in line.coords)}
    for piece in shapely.get_parts(noded):
        for point in (piece.coords[0], piece.coords[-1]):
            if point[:2] not in ends:
                return float(point[0]), float(point[1])
    return None


def read_polygons(frame: gpd.GeoDataFrame, path: Path, where: str) -> Polygon | MultiPolygon:
    """All polygons of a layer as one geometry.

    Raises
    ------
    ProjectError
        The layer holds no polygon.
    """
    parts = [g for g in frame.geometry.explode() if g.geom_type == "Polygon"]
    if not parts:
        kinds = ", ".join(sorted(set(frame.geom_type)))
        raise ProjectError(
            f"{path.name} holds no polygon but {kinds}",
            where=where,
            mend="draw the area as a polygon, or give a circle",
        )
    return shapely.union_all([shapely.make_valid(shapely.force_2d(part)) for part in parts])


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120]
