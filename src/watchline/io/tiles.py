"""Heights of a project's terrain in the tiles of a web map, read from its own file.

Tiles are those of Web Mercator (EPSG:3857), 256 pixels a side, numbered from the north-west. The
file's overviews serve the small scales, so that a long line costs no more than a short one.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import Resampling, reproject
from rio_tiler.errors import RioTilerError, TileOutsideBounds
from rio_tiler.io import Reader

from watchline.errors import ArtefactError

FloatArray = npt.NDArray[np.float64]
TILE_PIXELS = 256
EARTH_M = 2.0 * math.pi * 6_378_137.0
"""Circumference of the sphere of Web Mercator."""
SURFACE_BAND = 2
PREVIEW_PIXELS = 1024
COARSER, FEW_TILES = 2.0, 0.5
"""A tile whose pixels are so much larger than the terrain's cells, and whose side is longer than
this share of the terrain's, is made of a preview of the terrain."""


def tile_heights(file: Path, z: int, x: int, y: int, rim: int = 0) -> FloatArray | None:
    """Heights of the surface in one tile, float64 [rows, cols] in m, NaN = unknown.

    Parameters
    ----------
    file : Path
        A terrain of this program.
    z, x, y : int
        The tile.
    rim : int
        Pixels more on every side.

    Returns
    -------
    float64 array [256 + 2 rim, 256 + 2 rim] or None
        None where the tile does not meet the terrain.

    Raises
    ------
    ArtefactError
        The file is missing or damaged.
    """
    if x >= 2**z or y >= 2**z:
        return None
    size = TILE_PIXELS + 2 * rim
    try:
        with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), Reader(str(file)) as reader:
            if not reader.tile_exists(x, y, z):
                return None
            coarse = pixel_m(z, y) > COARSER * min(map(abs, reader.dataset.res))
            if coarse and pixel_m(z, y) * TILE_PIXELS > FEW_TILES * _span_m(reader):
                heights = _warped(reader, z, x, y, rim)
            else:
                image = reader.tile(
                    x,
                    y,
                    z,
                    tilesize=TILE_PIXELS,
                    indexes=SURFACE_BAND,
                    buffer=float(rim) if rim else None,
                    reproject_method="bilinear",
                    resampling_method="bilinear",
                )
                heights = np.asarray(image.array.filled(np.nan)[0], dtype=np.float64)
    except TileOutsideBounds:
        return None
    except (RasterioError, RioTilerError, OSError) as problem:
        raise _damaged(file, problem) from problem
    assert heights.shape == (size, size)
    return heights if np.isfinite(heights).any() else None


def _span_m(reader: Reader) -> float:
    """Longer side of a terrain in m."""
    dataset = reader.dataset
    return float(max(dataset.width * abs(dataset.res[0]), dataset.height * abs(dataset.res[1])))


def _warped(reader: Reader, z: int, x: int, y: int, rim: int) -> FloatArray:
    """A tile of which the terrain is a small part: a preview of it, warped to the tile's pixels.

    The reader would lay out the whole tile at the terrain's own fineness first, gigapixels of it.
    """
    image = reader.preview(indexes=SURFACE_BAND, max_size=PREVIEW_PIXELS)
    side, size = EARTH_M / 2**z / TILE_PIXELS, TILE_PIXELS + 2 * rim
    west = x * side * TILE_PIXELS - EARTH_M / 2.0 - rim * side
    north = EARTH_M / 2.0 - y * side * TILE_PIXELS + rim * side
    heights = np.full((size, size), np.nan)
    reproject(
        np.asarray(image.array.filled(np.nan)[0], dtype=np.float64),
        heights,
        src_transform=image.transform,
        src_crs=image.crs,
        src_nodata=np.nan,
        dst_transform=rasterio.Affine(side, 0.0, west, 0.0, -side, north),
        dst_crs="EPSG:3857",
        dst_nodata=np.nan,
        resampling=Resampling.average,
    )
    return heights


def terrain_preview(file: Path) -> tuple[FloatArray, float, tuple[float, float, float, float]]:
    """The whole surface, made small: heights, side of a cell in m, bounds in degrees.

    Raises
    ------
    ArtefactError
        The file is missing or damaged.
    """
    try:
        with Reader(str(file)) as reader:
            image = reader.preview(indexes=SURFACE_BAND, max_size=PREVIEW_PIXELS)
            west, south, east, north = reader.get_geographic_bounds(rasterio.CRS.from_epsg(4326))
            width = reader.bounds[2] - reader.bounds[0]
    except (RasterioError, RioTilerError, OSError) as problem:
        raise _damaged(file, problem) from problem
    heights: FloatArray = np.asarray(image.array.filled(np.nan)[0], dtype=np.float64)
    return heights, width / heights.shape[1], (west, south, east, north)


def pixel_m(z: int, y: int) -> float:
    """Side of a tile's pixels on the ground [m], at the tile's middle."""
    turn = math.pi * (1.0 - 2.0 * (y + 0.5) / 2**z)
    return EARTH_M / 2**z / TILE_PIXELS / math.cosh(turn)


def tile_places(z: int, x: int, y: int) -> tuple[FloatArray, FloatArray]:
    """Web Mercator coordinates of a tile's pixels' middles, float64 [256, 256] each."""
    side = EARTH_M / 2**z
    along = (np.arange(TILE_PIXELS) + 0.5) / TILE_PIXELS
    east = (x + along) * side - EARTH_M / 2.0
    north = EARTH_M / 2.0 - (y + along) * side
    columns, rows = np.meshgrid(east, north)
    return columns, rows


def _damaged(file: Path, problem: Exception) -> ArtefactError:
    return ArtefactError(
        f"the terrain cannot be read ({' '.join(str(problem).split())[:120]})",
        where=str(file),
        mend="delete it and run again: it will be rebuilt",
    )
