"""Height rasters in, rasters of sight and light out, for people who want nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.io import MemoryFile

from watchline.errors import TerrainError
from watchline.geo.grid import Grid
from watchline.io.files import atomic_write
from watchline.io.heights import NOISE_BELOW_GROUND_M, GroundReader
from watchline.io.raster import Raster, crs_words, open_raster, same_crs
from watchline.io.resample import resample

HIDDEN, SEEN, UNKNOWN = 0, 1, 255

Bounds = tuple[float, float, float, float]

MOST_CELLS = 1_000_000_000
"""Cells of the largest window: its arrays take some 20 GB."""

SELDOM = 0.2
"""A surface below the ground on more than this share of its cells is none."""

_SPARE_CELLS = 2  # round the range, so that every ray in it finds its nodes


@dataclass(frozen=True)
class Surroundings:
    """The heights round some places, on one grid.

    Attributes
    ----------
    surface : float32 array [rows, cols]
        Heights that block, m; NaN = unknown.
    ground : float32 array [rows, cols] or None
        Heights on which observers and targets stand, m; None where they stand on the surface.
    transform : Affine
        Corner transform of the arrays, as rasterio's.
    crs : str
        WKT of the CRS.
    """

    surface: npt.NDArray[np.float32]
    ground: npt.NDArray[np.float32] | None
    transform: Affine
    crs: str

    @property
    def cell_m(self) -> float:
        """Side of a cell, m."""
        return float(self.transform.a)


@dataclass(frozen=True)
class Band:
    """One band of a raster of results.

    Attributes
    ----------
    name : str
        Its description.
    values : array [rows, cols]
        Its values; all bands of a raster have one type.
    """

    name: str
    values: npt.NDArray[np.generic]


def read_crs(dem: Path) -> str:
    """WKT of the CRS of a raster of heights, checked to be projected and metric.

    Raises
    ------
    TerrainError
        Missing or unreadable file, no CRS, geographic CRS, heights in feet.
    """
    with open_raster(dem, str(dem)) as raster:
        _check(raster)
        return raster.crs.to_wkt()


def read_heights(dem: Path) -> tuple[npt.NDArray[np.float32], Affine, str]:
    """All heights of a raster in a projected metric CRS.

    Returns
    -------
    heights : float32 array [rows, cols]
        Metres; NaN = unknown.
    transform : Affine
        Corner transform, as rasterio's.
    crs : str
        WKT of the CRS.

    Raises
    ------
    TerrainError
        Missing or unreadable file, no CRS, geographic CRS, heights in feet.
    """
    with open_raster(dem, str(dem)) as raster:
        _check(raster)
        raw, stored = raster.read(0, 0, raster.rows, raster.cols)
        heights = GroundReader("m", None, None)(raw, stored)
        return heights, raster.dataset.transform, raster.crs.to_wkt()


def read_surroundings(
    dem: Path, places: Sequence[tuple[float, float]], range_m: float, surface: Path | None = None
) -> Surroundings:
    """Heights round some places; only the window that is in range is read.

    Parameters
    ----------
    dem : Path
        GeoTIFF/COG or whatever GDAL reads, in a projected metric CRS.
    places : sequence of (x, y)
        Places in the raster's CRS, m.
    range_m : float
        How far from them heights matter, m.
    surface : Path, optional
        A raster of heights that block, in the same CRS. Its grid is then the grid of the result,
        and the ground is interpolated bilinearly between the nodes of `dem`.

    Raises
    ------
    TerrainError
        Missing or unreadable file, no CRS, geographic CRS, heights in feet, cells that are not
        square, two CRSs, or no place within the raster.
    """
    xs, ys = [x for x, _ in places], [y for _, y in places]
    with open_raster(dem, str(dem)) as ground:
        _check(ground)
        if surface is None:
            heights, grid = _read_round(ground, xs, ys, range_m)
            return Surroundings(heights, None, Affine(*grid.to_affine()), ground.crs.to_wkt())
        with open_raster(surface, str(surface)) as top:
            _check(top)
            if not same_crs(top.crs, ground.crs):
                raise TerrainError(
                    f"its CRS is {crs_words(top.crs)}, that of {dem.name} is "
                    f"{crs_words(ground.crs)}",
                    where=str(surface),
                    mend="bring both into one CRS with gdalwarp -t_srs",
                )
            heights, grid = _read_round(top, xs, ys, range_m)
            stand = resample(ground, grid, top.crs, "bilinear", GroundReader("m", None, None))
            _check_above(heights, stand, surface, dem)
            return Surroundings(heights, stand, Affine(*grid.to_affine()), top.crs.to_wkt())


def _read_round(
    raster: Raster, xs: list[float], ys: list[float], range_m: float
) -> tuple[npt.NDArray[np.float32], Grid]:
    """Heights of the window round some places, and where it lies."""
    a, _, _, _, e, _ = raster.dataset.transform[:6]
    if not (a > 0 > e and math.isclose(a, -e, rel_tol=1e-6)):
        raise TerrainError(
            f"its cells are {abs(a):g} × {abs(e):g} m, not square and north up",
            where=raster.where,
            mend=f"warp it: gdalwarp -tr {abs(a):g} {abs(a):g} -r bilinear in.tif out.tif",
        )
    # A turn below a hundredth of a cell was let through, and is none.
    upright = (a, 0.0, raster.nodes.c - a / 2, 0.0, -a, raster.nodes.f + a / 2)
    whole = Grid.from_affine(upright, raster.rows, raster.cols)
    west, south, east, north = whole.bounds
    for x, y in zip(xs, ys, strict=True):
        if not (west <= x <= east and south <= y <= north):
            raise TerrainError(
                f"the observer at x = {x:.2f}, y = {y:.2f} lies outside, beyond x = {west:.2f} to "
                f"{east:.2f}, y = {south:.2f} to {north:.2f}",
                where=raster.where,
                mend=f"give a place inside the raster, in its own CRS, {crs_words(raster.crs)}",
            )
    spare = range_m + _SPARE_CELLS * whole.cell
    part = whole.covering((min(xs) - spare, min(ys) - spare, max(xs) + spare, max(ys) + spare))
    part = whole if part is None else part
    if part.rows * part.cols > MOST_CELLS:
        raise TerrainError(
            f"the window in range has {part.rows * part.cols / 1e6:,.0f} M cells",
            where=raster.where,
            mend="ask for fewer or nearer places at a time, a shorter range, or coarser cells",
        )
    top, left = part.offset_in(whole)
    raw, stored = raster.read(top, left, part.rows, part.cols)
    return GroundReader("m", None, None)(raw, stored), part


def _check_above(
    heights: npt.NDArray[np.float32], ground: npt.NDArray[np.float32], surface: Path, dem: Path
) -> None:
    """Refuse heights of things above the ground where heights of a surface are asked for."""
    known = ~(np.isnan(heights) | np.isnan(ground))
    below = (
        float(np.mean(heights[known] < ground[known] - NOISE_BELOW_GROUND_M)) if known.any() else 0
    )
    if below > SELDOM:
        raise TerrainError(
            f"it lies below {dem.name} on {below:.0%} of the cells: it holds heights above the "
            "ground, or does not belong to it",
            where=str(surface),
            mend="give heights above the datum, e.g. by `gdal_calc.py -A things.tif -B ground.tif "
            "--calc='A+B' --outfile=surface.tif`",
        )


def _check(raster: Raster) -> None:
    if not raster.crs.is_projected:
        raise TerrainError(
            f"its CRS {crs_words(raster.crs)} is not projected: its coordinates are degrees",
            where=raster.where,
            mend="reproject it, e.g. `gdalwarp -t_srs EPSG:32636 in.tif out.tif`",
        )
    units = {axis.unit_name for axis in raster.crs.axis_info[:2]}
    if units - {"metre", "meter"}:
        raise TerrainError(
            f"its CRS {crs_words(raster.crs)} counts in {', '.join(sorted(units))}, not in metres",
            where=raster.where,
            mend="reproject it, e.g. `gdalwarp -t_srs EPSG:32636 in.tif out.tif`",
        )
    if raster.unit not in (None, "m"):
        raise TerrainError(
            f"its heights are in {raster.unit}, not in metres",
            where=raster.where,
            mend="convert them, e.g. `gdal_calc.py --calc='A*0.3048'`",
        )


def seen_values(seen: np.ma.MaskedArray) -> npt.NDArray[np.uint8]:
    """Values of a viewshed: 1 seen, 0 hidden or out of range, 255 unknown."""
    values = np.where(np.ma.filled(seen, False), SEEN, HIDDEN).astype(np.uint8)
    values[np.ma.getmaskarray(seen)] = UNKNOWN
    return values


def write_bands(
    bands: Sequence[Band],
    transform: Affine,
    crs: str,
    path: Path,
    *,
    nodata: float | None,
    tags: dict[str, str],
) -> None:
    """Write bands as a COG with their descriptions.

    Parameters
    ----------
    bands : sequence of Band
        At least one; all of one shape and type.
    transform : Affine
        Corner transform.
    crs : str
        CRS.
    path : Path
        File to write.
    nodata : float or None
        Value that means "unknown"; None where no value does.
    tags : dict
        Kept in the file's metadata.

    Raises
    ------
    ArtefactError
        It cannot be written.
    """
    rows, cols = bands[0].values.shape
    kind = bands[0].values.dtype
    profile = {
        "driver": "COG",
        "width": cols,
        "height": rows,
        "count": len(bands),
        "dtype": str(kind),
        "crs": rasterio.crs.CRS.from_wkt(crs),
        "transform": transform,
        "nodata": nodata,
        "compress": "DEFLATE",
        # Shares may be averaged when zoomed out; codes and counts may not.
        "overview_resampling": "AVERAGE" if kind.kind == "f" else "NEAREST",
    }
    with atomic_write(path) as temporary, MemoryFile() as memory:
        with memory.open(**profile) as raster:
            raster.update_tags(**tags)
            for number, band in enumerate(bands, start=1):
                raster.write(band.values, number)
                raster.set_band_description(number, band.name)
        temporary.write_bytes(memory.getbuffer())


def write_light(
    bands: dict[str, npt.NDArray[np.float32]], transform: Affine, crs: str, path: Path
) -> None:
    """Write rasters of illuminance as one COG.

    Parameters
    ----------
    bands : dict of str to float32 array [rows, cols]
        Lux by the band's name; NaN where nothing was computed.
    transform : Affine
        Corner transform.
    crs : str
        CRS.
    path : Path
        File to write.
    """
    first = next(iter(bands.values()))
    profile = {
        "driver": "COG",
        "width": first.shape[1],
        "height": first.shape[0],
        "count": len(bands),
        "dtype": "float32",
        "crs": rasterio.crs.CRS.from_wkt(crs),
        "transform": transform,
        "nodata": np.nan,
        "compress": "DEFLATE",
        "predictor": 3,
    }
    with atomic_write(path) as temporary, MemoryFile() as memory:
        with memory.open(**profile) as raster:
            for k, (name, values) in enumerate(bands.items(), start=1):
                raster.write(values, k)
                raster.set_band_description(k, name)
                raster.set_band_unit(k, "lx")
        temporary.write_bytes(memory.getbuffer())
