"""The terrain as one file: a cloud-optimised GeoTIFF with the bands ground and surface."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import xarray as xr
from affine import Affine
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.windows import Window

from watchline.errors import ArtefactError
from watchline.geo.grid import Grid
from watchline.io.files import atomic_write
from watchline.model.provenance import SCHEMA_VERSION, Provenance
from watchline.model.terrain import Terrain

BANDS = ("ground", "surface")
TAG = "WATCHLINE_TERRAIN"
CACHE_BYTES = 64_000_000
"""Blocks of a file that are kept while pieces of it are read."""


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
    with _opened(Path(path)) as (raster, about, grid):
        ground, surface = raster.read(1), raster.read(2)
    return Terrain(
        data=heights_dataset(grid, ground, surface),
        crs=about["crs"],
        refraction=about["refraction"],
        notes=tuple(about["notes"]),
        provenance=Provenance(**about["provenance"]),
    )


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[tuple[DatasetReader, dict[str, Any], Grid]]:
    """A terrain's file, open and checked: the raster, what its tag says, and its grid."""
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
            where = about["grid"]
            grid = Grid(where["x0"], where["y0"], where["cell"], raster.height, raster.width)
            moved = np.abs(np.subtract(raster.transform[:6], grid.to_affine())).max()
            if moved > 1e-3:
                raise ArtefactError(
                    "it was moved since it was built", where=str(source), mend=again
                )
            yield raster, about, grid
    except (RasterioError, OSError, ValueError, KeyError, TypeError) as problem:
        raise ArtefactError("it is damaged", where=str(source), mend=again) from problem


class TerrainFile:
    """A terrain on disk of which the surface is read piece by piece, never as a whole.

    It is what :func:`watchline.design.see.compute_visibility` needs of a terrain, for lines whose
    raster does not fit in memory. Use it in a ``with`` block.

    Parameters
    ----------
    path : Path or str
        A file of :func:`write_terrain`.

    Raises
    ------
    ArtefactError
        As :func:`read_terrain`.

    Attributes
    ----------
    x, y : float64 array
        Centres of columns (ascending) and rows (descending) in m.
    refraction : float
        Refraction coefficient k.
    """

    def __init__(self, path: Path | str) -> None:
        self._stack = contextlib.ExitStack()
        # GDAL keeps blocks that it read, by default up to a twentieth of all memory.
        self._stack.enter_context(rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES))
        try:
            self._raster, about, grid = self._stack.enter_context(_opened(Path(path)))
        except BaseException:
            self._stack.close()
            raise
        self._path = path
        self.x, self.y = grid.x, grid.y
        self.refraction = float(about["refraction"])

    def __enter__(self) -> TerrainFile:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def cell_m(self) -> float:
        """Side of a cell in metres."""
        return float(self.x[1] - self.x[0])

    @property
    def local_origin(self) -> tuple[float, float]:
        """Centre of the grid: the origin for curvature."""
        return float(self.x.mean()), float(self.y.mean())

    def surface_piece(self, rows: slice, cols: slice) -> npt.NDArray[np.float32]:
        """Heights of what blocks sight on some rows and columns, float32.

        Raises
        ------
        ArtefactError
            The file is damaged there.
        """
        try:
            heights: npt.NDArray[np.float32] = self._raster.read(
                BANDS.index("surface") + 1, window=Window.from_slices(rows, cols)
            )
        except (RasterioError, OSError) as problem:
            raise ArtefactError(
                "it is damaged",
                where=str(self._path),
                mend="delete it and run again: it will be rebuilt",
            ) from problem
        return heights


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
