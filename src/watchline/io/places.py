"""Places of observers from a file: a table of x, y, h, or points of a GIS file."""

from __future__ import annotations

import csv
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from watchline.errors import ProjectError
from watchline.io.vector import read_layer

HEIGHT_COLUMNS = ("h", "height", "height_m")

Place = tuple[float, float, float]


def read_places(path: Path, crs: str) -> list[Place]:
    """Observers of a file.

    Parameters
    ----------
    path : Path
        A CSV file with the columns x, y and h in the CRS given, or points of a GeoJSON,
        GeoPackage or whatever GDAL reads, with an attribute h (or height, height_m).
    crs : str
        CRS of the result.

    Returns
    -------
    list of (x, y, h)
        Coordinates and height above ground, m.

    Raises
    ------
    ProjectError
        Missing or unreadable file, no column of heights, or a value that is no number.
    """
    where = str(path)
    if not path.is_file():
        raise ProjectError("the file does not exist", where=where, mend="correct the path")
    places = _from_table(path) if path.suffix.lower() in (".csv", ".txt") else _from_gis(path, crs)
    if not places:
        raise ProjectError("it holds no place", where=where, mend="write at least one")
    return places


def _from_table(path: Path) -> list[Place]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as problem:
        raise ProjectError(
            "it is no table of text", where=str(path), mend="write a CSV file with x,y,h"
        ) from problem
    places = []
    for number, line in enumerate(lines, start=2):
        # Cells beyond the header's have no name, and lines too short have no value.
        fields = {str(key).strip().lower(): str(value or "").strip() for key, value in line.items()}
        height = _height_column(list(fields), path)
        try:
            x, y, h = (float(fields[name]) for name in ("x", "y", height))
        except KeyError as missing:
            raise ProjectError(
                f"it has no column {missing.args[0]}",
                where=str(path),
                mend="name the columns x, y and h in the first line",
            ) from missing
        except ValueError:
            x = y = h = np.nan
        if not np.isfinite([x, y, h]).all():
            raise ProjectError(
                "a coordinate or height is no number",
                where=f"{path}: line {number}",
                mend="write x,y,h in metres with decimal points",
            )
        places.append((x, y, h))
    return places


def _from_gis(path: Path, crs: str) -> list[Place]:
    frame = read_layer(path, layer=None, crs=None, to_crs=crs, where=str(path))
    kinds = set(frame.geom_type)
    if kinds - {"Point"}:
        raise ProjectError(
            f"it holds {', '.join(sorted(kinds))}, not points",
            where=str(path),
            mend="export single points",
        )
    column = _height_column([str(name) for name in frame.columns], path)
    heights = _numbers(frame, column)
    if not np.isfinite(heights).all():
        raise ProjectError(
            f"a value of '{column}' is no number",
            where=f"{path}: point {int(np.flatnonzero(~np.isfinite(heights))[0]) + 1}",
            mend="write every height above ground in metres",
        )
    x, y = shapely.get_coordinates(frame.geometry.to_numpy()).T
    return [(float(a), float(b), float(c)) for a, b, c in zip(x, y, heights, strict=True)]


def _numbers(frame: gpd.GeoDataFrame, column: str) -> np.ndarray:
    try:
        return frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        return np.full(len(frame), np.nan)


def _height_column(columns: list[str], path: Path) -> str:
    for name in columns:
        if name.lower() in HEIGHT_COLUMNS:
            return name
    raise ProjectError(
        f"none of {', '.join(columns)} is a height above ground",
        where=str(path),
        mend="name that column h",
    )
