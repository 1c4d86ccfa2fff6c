"""One raster of heights, read honestly: what it declares is obeyed, what it lacks is refused.

Heights are values at *nodes*, the centres of the raster's cells, whatever the format says of
areas and points (the library below has already moved the nodes of point rasters by half a cell).
Only the asked window is ever read.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from watchline.errors import TerrainError

HeightUnit = Literal["m", "ft", "us-ft"]

METRES_PER: dict[str, float] = {"m": 1.0, "ft": 0.3048, "us-ft": 1200 / 3937}
"""International foot: exact since 1959. US survey foot: 1200/3937 m (NIST SP 811, B.6)."""

UNIT_NAMES: dict[str, str] = {"m": "metres", "ft": "feet", "us-ft": "US survey feet"}

UNIT_WORDS: dict[str, HeightUnit] = {
    "m": "m",
    "metre": "m",
    "metres": "m",
    "meter": "m",
    "meters": "m",
    "ft": "ft",
    "foot": "ft",
    "feet": "ft",
    "international foot": "ft",
    "foot (international)": "ft",
    "us-ft": "us-ft",
    "ftus": "us-ft",
    "us foot": "us-ft",
    "us survey foot": "us-ft",
    "us survey feet": "us-ft",
    "foot us survey": "us-ft",
    "foot us": "us-ft",
}

HGT_BYTES = {2 * 1201 * 1201, 2 * 3601 * 3601, 2 * 1801 * 3601, 2 * 7201 * 3601}
TURN_CELLS = 0.01
"""A raster may be turned by less than this part of a cell over its whole side."""


@dataclass(frozen=True)
class Raster:
    """An open raster of heights, checked.

    Attributes
    ----------
    path : Path
        Its file.
    where : str
        Place in messages: project key and file.
    crs : pyproj.CRS
        Horizontal CRS, two-dimensional.
    nodes : Affine
        Takes (column, row) of *nodes* to (x, y) in ``crs``.
    rows, cols : int
        Its size.
    unit : {"m", "ft", "us-ft"} or None
        Unit of the heights as the file declares it.
    vertical_datum : str
        Vertical CRS as the file declares it, or empty.
    nodata : float or None
        Declared no-data value.
    notes : tuple of str
        What was noticed on opening.
    dataset : rasterio.DatasetReader
        The open file.
    """

    path: Path
    where: str
    crs: CRS
    nodes: Affine
    rows: int
    cols: int
    unit: HeightUnit | None
    vertical_datum: str
    nodata: float | None
    notes: tuple[str, ...]
    dataset: rasterio.DatasetReader

    def read(
        self, top: int, left: int, rows: int, cols: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Nodes of a window.

        Parameters
        ----------
        top, left, rows, cols : int
            The window, within the raster.

        Returns
        -------
        raw : float32 array [rows, cols]
            Values as stored.
        heights : float32 array [rows, cols]
            The same with the file's scale and offset, in the file's unit; NaN where the file
            declares them unknown (no-data value, mask band, NaN).

        Raises
        ------
        TerrainError
            If the file ends early or is damaged.
        """
        window = Window(left, top, cols, rows)
        try:
            stored = self.dataset.read(1, window=window)
            known = self.dataset.read_masks(1, window=window) != 0
        except (RasterioError, OSError) as problem:
            raise TerrainError(
                f"its rows {top} to {top + rows - 1} cannot be read: it is truncated or damaged",
                where=self.where,
                mend="fetch or export the file again",
            ) from problem
        with np.errstate(over="ignore"):
            raw = stored.astype(np.float32)
            scale, offset = self.dataset.scales[0], self.dataset.offsets[0]
            heights = raw.copy() if (scale, offset) == (1.0, 0.0) else raw * scale + offset
        heights = heights.astype(np.float32, copy=False)
        heights[~known] = np.nan
        return raw, heights


@contextlib.contextmanager
def open_raster(path: Path, where: str, crs: str | None = None) -> Iterator[Raster]:
    """Open a raster of heights and check all that can be checked without reading it.

    Parameters
    ----------
    path : Path
        GeoTIFF/COG, .hgt, ESRI ASCII or whatever else GDAL reads.
    where : str
        Place in messages, e.g. ``project.toml: terrain.ground (dem.tif)``.
    crs : str, optional
        CRS to take where the file declares none (``terrain.crs`` of the project).

    Yields
    ------
    Raster
        The open raster.

    Raises
    ------
    TerrainError
        If it is unreadable, has no CRS or no place, is turned, or does not hold one band of
        real numbers.
    """
    with contextlib.ExitStack() as stack:
        # Without this option a GeoTIFF 1.0 hides its vertical CRS.
        stack.enter_context(rasterio.Env(GTIFF_REPORT_COMPD_CS=True))
        dataset = stack.enter_context(_open(path, where))
        _check_band(dataset, where, path)
        _check_transform(dataset, where, path)
        horizontal, vertical, notes = _horizontal_crs(dataset, where, path, crs)
        yield Raster(
            path=path,
            where=where,
            crs=horizontal,
            nodes=_nodes(dataset.transform),
            rows=dataset.height,
            cols=dataset.width,
            unit=_unit(dataset, vertical, where),
            vertical_datum="" if vertical is None else vertical.name,
            nodata=None if dataset.nodata is None else float(dataset.nodata),
            notes=tuple(notes),
            dataset=dataset,
        )


def _nodes(corners: Affine) -> Affine:
    """Transform of nodes, which lie in the middle of the cells, from that of the cells' corners."""
    a, b, c, d, e, f = corners[:6]
    return Affine(a, b, c + (a + b) / 2, d, e, f + (d + e) / 2)


def _open(path: Path, where: str) -> rasterio.DatasetReader:
    if not path.exists():
        raise TerrainError("the file does not exist", where=where, mend="correct the path")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return rasterio.open(path)
    except (RasterioError, OSError) as problem:
        mend = "give a GeoTIFF, an .hgt tile or an ESRI ASCII grid, and check that it is whole"
        if path.suffix.lower() == ".hgt":
            mend = (
                "an .hgt tile is named by its south-west corner, such as N31E034.hgt; rename it"
                if path.stat().st_size in HGT_BYTES
                else "an .hgt tile holds 1201 × 1201 or 3601 × 3601 heights of two bytes, and this "
                f"one has {path.stat().st_size:,} bytes; fetch it again"
            )
        raise TerrainError("it is no readable raster", where=where, mend=mend) from problem


def _check_band(dataset: rasterio.DatasetReader, where: str, path: Path) -> None:
    heights = [kind for kind in dataset.colorinterp if kind != ColorInterp.alpha]
    if len(heights) != 1:
        raise TerrainError(
            f"it has {len(heights)} bands and heights are one",
            where=where,
            mend=f"write the band of heights alone: gdal_translate -b 1 {path.name} heights.tif",
        )
    if dataset.dtypes[0].startswith("complex"):
        raise TerrainError(
            f"it holds complex numbers ({dataset.dtypes[0]}), not heights",
            where=where,
            mend="give a raster of heights",
        )
    if dataset.colorinterp[0] == ColorInterp.palette:
        raise TerrainError(
            "it is a picture with a colour table, not a raster of heights",
            where=where,
            mend="give the heights themselves, not a map drawn from them",
        )
    if min(dataset.shape) < 2:
        raise TerrainError(
            f"it has {dataset.height} × {dataset.width} heights, and a surface needs 2 × 2",
            where=where,
            mend="give a larger raster",
        )


def _check_transform(dataset: rasterio.DatasetReader, where: str, path: Path) -> None:
    a, b, _, d, e, _ = dataset.transform[:6]
    if dataset.transform.is_identity or a == 0 or e == 0:
        if b != 0 and d != 0:
            _refuse_turned(where, path, math.degrees(math.atan2(d, a)))
        raise TerrainError(
            "it does not say where it lies (no geotransform)",
            where=where,
            mend="give the georeferenced raster, with its world file where it has one",
        )
    if abs(b) * dataset.height > TURN_CELLS * abs(a) or abs(d) * dataset.width > TURN_CELLS * abs(
        e
    ):
        _refuse_turned(where, path, math.degrees(math.atan2(d, a)))


def _refuse_turned(where: str, path: Path, angle_deg: float) -> None:
    raise TerrainError(
        f"its rows are turned by {abs(angle_deg):.3g}° against its CRS",
        where=where,
        mend=f"straighten it: gdalwarp -r bilinear {path.name} straight.tif",
    )


def _horizontal_crs(
    dataset: rasterio.DatasetReader, where: str, path: Path, fallback: str | None
) -> tuple[CRS, CRS | None, list[str]]:
    """Horizontal CRS, vertical CRS where declared, and notes."""
    notes: list[str] = []
    declared = _declared_crs(dataset)
    if declared is None:
        if fallback is None:
            beside = ", nor does a .prj file beside it" if path.suffix.lower() == ".asc" else ""
            raise TerrainError(
                f"it declares no CRS{beside}",
                where=where,
                mend='write crs = "EPSG:…" under [terrain], as the supplier of the data says',
            )
        declared = _project_crs(fallback)
        notes.append(
            f"{path.name} declares no CRS; the project says that it is {crs_words(declared)}."
        )
    elif fallback is not None and not same_crs(
        flat := _split(declared)[0], _split(_project_crs(fallback))[0]
    ):
        notes.append(
            f"{path.name} declares {crs_words(flat)}, which counts; terrain.crs = {fallback} is "
            "for rasters that declare none."
        )
    horizontal, vertical = _split(declared)
    if horizontal.is_geocentric or not (horizontal.is_geographic or horizontal.is_projected):
        raise TerrainError(
            f"its CRS, {horizontal.name}, is neither geographic nor projected",
            where=where,
            mend="reproject it with gdalwarp -t_srs, or write the right crs under [terrain]",
        )
    return horizontal, vertical, notes


def _declared_crs(dataset: rasterio.DatasetReader) -> CRS | None:
    """CRS of the file, or None where it has none or one of its own making."""
    if not dataset.crs:
        return None
    try:
        crs = CRS.from_user_input(dataset.crs.to_wkt(version="WKT2_2019"))
    except (CRSError, RasterioError):
        return None
    return None if crs.is_engineering else crs


def _project_crs(text: str) -> CRS:
    try:
        return CRS.from_user_input(text)
    except CRSError as problem:
        raise TerrainError(
            f"'{text}' is no CRS",
            where="project.toml: terrain.crs",
            mend='write it as "EPSG:…"',
        ) from problem


def _split(crs: CRS) -> tuple[CRS, CRS | None]:
    """Two-dimensional horizontal part and vertical part."""
    if crs.is_compound:
        return crs.sub_crs_list[0].to_2d(), crs.sub_crs_list[1]
    return crs.to_2d(), None


def same_crs(one: CRS, other: CRS) -> bool:
    """Whether two CRSs are the same up to the order of their axes and their names."""
    if one.equals(other, ignore_axis_order=True):
        return True
    code = one.to_epsg(min_confidence=70)
    return code is not None and code == other.to_epsg(min_confidence=70)


def crs_words(crs: CRS) -> str:
    """A CRS in words: code and name."""
    code = crs.to_epsg(min_confidence=70)
    return f"EPSG:{code} ({crs.name})" if code else crs.name


def _unit(dataset: rasterio.DatasetReader, vertical: CRS | None, where: str) -> HeightUnit | None:
    """Unit of the heights as the file declares it: its band's tag, else its vertical axis."""
    words = [dataset.units[0]] if dataset.units[0] else []
    if vertical is not None and vertical.axis_info:
        words.append(vertical.axis_info[0].unit_name)
    units: list[HeightUnit] = []
    for word in words:
        unit = UNIT_WORDS.get(word.strip().lower().replace("_", " "))
        if unit is None:
            raise TerrainError(
                f"its heights are declared in '{word}'",
                where=where,
                mend="convert them to metres, or to feet, and declare that",
            )
        units.append(unit)
    if len(set(units)) > 1:
        raise TerrainError(
            f"its band says {UNIT_NAMES[units[0]]} and its vertical CRS {UNIT_NAMES[units[1]]}",
            where=where,
            mend="set the unit right: gdal_edit.py -units …, or gdalwarp -t_srs",
        )
    return units[0] if units else None
