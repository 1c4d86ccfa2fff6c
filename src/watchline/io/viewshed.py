"""Height rasters in, rasters of sight and light out, for people who want nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.io import MemoryFile

from watchline.errors import TerrainError
from watchline.io.files import atomic_write
from watchline.io.heights import GroundReader
from watchline.io.raster import crs_words, open_raster

HIDDEN, SEEN, UNKNOWN = 0, 1, 255


def read_heights(path: Path) -> tuple[npt.NDArray[np.float32], Affine, str]:
    """Heights of a raster in a projected metric CRS.

    Parameters
    ----------
    path : Path
        GeoTIFF/COG or whatever GDAL reads.

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
    if not path.is_file():
        raise TerrainError("the file does not exist", where=str(path), mend="correct the path")
    with open_raster(path, str(path)) as raster:
        if not raster.crs.is_projected:
            raise TerrainError(
                f"its CRS {crs_words(raster.crs)} is not projected: its coordinates are degrees",
                where=str(path),
                mend="reproject it, e.g. `gdalwarp -t_srs EPSG:32636 in.tif out.tif`",
            )
        if raster.unit not in (None, "m"):
            raise TerrainError(
                f"its heights are in {raster.unit}, not in metres",
                where=str(path),
                mend="convert them, e.g. `gdal_calc.py --calc='A*0.3048'`",
            )
        raw, stored = raster.read(0, 0, raster.rows, raster.cols)
        heights = GroundReader("m", None, None)(raw, stored)
        return heights, raster.dataset.transform, raster.crs.to_wkt()


def write_viewshed(seen: np.ma.MaskedArray, transform: Affine, crs: str, path: Path) -> None:
    """Write a viewshed as a COG: 1 seen, 0 hidden or out of range, 255 unknown.

    Parameters
    ----------
    seen : masked bool array [rows, cols]
        As :func:`watchline.see.viewshed` gives it.
    transform : Affine
        Corner transform.
    crs : str
        CRS.
    path : Path
        File to write.
    """
    values = np.where(np.ma.filled(seen, False), SEEN, HIDDEN).astype(np.uint8)
    values[np.ma.getmaskarray(seen)] = UNKNOWN
    profile = {
        "driver": "COG",
        "width": values.shape[1],
        "height": values.shape[0],
        "count": 1,
        "dtype": "uint8",
        "crs": rasterio.crs.CRS.from_wkt(crs),
        "transform": transform,
        "nodata": UNKNOWN,
        "compress": "DEFLATE",
        "overview_resampling": "NEAREST",
    }
    with atomic_write(path) as temporary, MemoryFile() as memory:
        with memory.open(**profile) as raster:
            raster.write(values, 1)
            raster.set_band_description(1, "seen")
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
