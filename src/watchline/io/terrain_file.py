"""The terrain as one file: a cloud-optimised GeoTIFF with the bands ground and surface."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
import xarray as xr
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile

from watchline.errors import ArtefactError
from watchline.geo.grid import Grid
from watchline.io.files import atomic_write
from watchline.model.provenance import SCHEMA_VERSION, Provenance
from watchline.model.terrain import Terrain

BANDS = ("ground", "surface")
TAG = "WATCHLINE_TERRAIN"


def write_terrain(terrain: Terrain, path: Path | str) -> Path:
    """Write a terrain as a cloud-optimised GeoTIFF, whole or not at all.

    Two float32 bands, NaN = unknown, deflated with the floating-point predictor; everything else
    that a terrain holds stands in the tag :data:`TAG` as JSON.

    Parameters
    ----------
    terrain : Terrain
        What to write.
    path : Path or str
        Where to.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtefactError
        If it cannot be written, for instance because the disk is full.
    """
    target = Path(path)
    grid = grid_of(terrain)
    about = {
        "crs": terrain.crs,
        "refraction": terrain.refraction,
        "grid": {"x0": grid.x0, "y0": grid.y0, "cell": grid.cell},
        "notes": list(terrain.notes),
        "provenance": terrain.provenance.as_dict(),
    }
    # Built in memory and then written by us: GDAL tells nobody when the disk fills on closing.
    with MemoryFile() as memory:
        with memory.open(
            driver="COG",
            width=grid.cols,
            height=grid.rows,
            count=len(BANDS),
            dtype="float32",
            crs=terrain.crs,
            transform=Affine(*grid.to_affine()),
            nodata=math.nan,
            compress="DEFLATE",
            predictor="FLOATING_POINT",
            blocksize=512,
            overview_resampling="AVERAGE",
            num_threads="1",
        ) as raster:
            for band, name in enumerate(BANDS, start=1):
                raster.write(np.asarray(terrain.data[name].values, dtype=np.float32), band)
                raster.set_band_description(band, name)
                raster.set_band_unit(band, "m")
            raster.update_tags(**{TAG: json.dumps(about, ensure_ascii=True, sort_keys=True)})
        with atomic_write(target) as temporary, temporary.open("wb") as file:
            file.write(memory.getbuffer())
    return target


def read_terrain(path: Path | str) -> Terrain:
    """Read a terrain that :func:`write_terrain` wrote.

    Parameters
    ----------
    path : Path or str
        The file.

    Raises
    ------
    ArtefactError
        If it is missing, damaged, of another version, or no terrain of this program.
    """
    source = Path(path)
    again = "delete it and run again: it will be rebuilt"
    if not source.is_file():
        raise ArtefactError("there is no such terrain", where=str(source), mend="build it first")
    try:
        with rasterio.open(source) as raster:
            about = json.loads(raster.tags().get(TAG, "null"))
            if about is None or raster.descriptions != BANDS:
                raise ArtefactError("it is no terrain of watchline", where=str(source), mend=again)
            version = about["provenance"]["schema_version"]
            if version != SCHEMA_VERSION:
                raise ArtefactError(
                    f"it has layout {version}, and this program reads {SCHEMA_VERSION}",
                    where=str(source),
                    mend=again,
                )
            ground, surface = raster.read(1), raster.read(2)
            where = about["grid"]
            grid = Grid(where["x0"], where["y0"], where["cell"], raster.height, raster.width)
            moved = np.abs(np.subtract(raster.transform[:6], grid.to_affine())).max()
    except (RasterioError, OSError, ValueError, KeyError, TypeError) as problem:
        raise ArtefactError("it is damaged", where=str(source), mend=again) from problem
    if moved > 1e-3:
        raise ArtefactError("it was moved since it was built", where=str(source), mend=again)
    return Terrain(
        data=heights_dataset(grid, ground, surface),
        crs=about["crs"],
        refraction=about["refraction"],
        notes=tuple(about["notes"]),
        provenance=Provenance(**about["provenance"]),
    )


def heights_dataset(
    grid: Grid, ground: npt.NDArray[np.float32], surface: npt.NDArray[np.float32]
) -> xr.Dataset:
    """Heights with their coordinates and units, read-only.

    Parameters
    ----------
    grid : Grid
        Where they lie.
    ground, surface : float32 array [rows, cols]
        Heights in m; they become read-only.
    """
    for heights in (ground, surface):
        heights.setflags(write=False)
    about = {"units": "m"}
    return xr.Dataset(
        {
            "ground": (("y", "x"), ground, {**about, "long_name": "height of the bare ground"}),
            "surface": (("y", "x"), surface, {**about, "long_name": "height of what blocks sight"}),
        },
        coords={
            "x": ("x", grid.x, {**about, "standard_name": "projection_x_coordinate"}),
            "y": ("y", grid.y, {**about, "standard_name": "projection_y_coordinate"}),
        },
        attrs={"cell_m": grid.cell},
    )


def grid_of(terrain: Terrain) -> Grid:
    """The grid of a terrain."""
    x0, y0 = terrain.origin
    rows, cols = terrain.ground.shape
    cell = terrain.data.attrs.get("cell_m")
    if cell is None:
        # Over the whole width: rounding then matters least.
        cell = (float(terrain.data.x[-1]) - x0) / (cols - 1)
    return Grid(x0, y0, float(cell), rows, cols)
