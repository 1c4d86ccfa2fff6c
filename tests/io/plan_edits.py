"""Edits of a written plan file as a person makes them in a GIS."""

from __future__ import annotations

import functools
import sqlite3
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

import outputs_sample as sample
from watchline.io.plan import write_plan

SITE = sample.make_site()
PLAN = sample.make_plan(SITE)


@functools.cache
def _written() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_plan(PLAN, Path(folder) / "plan.gpkg", site=SITE).read_bytes()


def fresh(folder: Path, name: str = "mine.gpkg") -> Path:
    """The sample plan as a file that may be edited."""
    file = folder / name
    file.write_bytes(_written())
    return file


def sql(file: Path, *statements: str) -> None:
    """Change attributes in place."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous = OFF")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def rewrite(
    file: Path,
    layer: str,
    change: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame | pd.DataFrame | None],
    **options: object,
) -> None:
    """Replace a layer by a changed copy, as "save features as" does."""
    frame = pyogrio.read_dataframe(file, layer=layer)
    changed = change(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        options.setdefault("SPATIAL_INDEX", "NO")
        pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})
        pyogrio.write_dataframe(frame if changed is None else changed, file, layer=layer, **options)


def shift(file: Path, layer: str, key: str, east: float, north: float) -> None:
    """Move one row."""

    def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        column = "mount_id" if layer == "mounts" else "device_id"
        rows = frame[column] == key
        assert rows.any()
        frame.loc[rows, "geometry"] = frame.loc[rows, "geometry"].translate(east, north)
        return frame

    rewrite(file, layer, change)


def add(file: Path, layer: str, x: float, y: float, **cells: object) -> None:
    """Add one row with the given cells; the others are NULL."""

    def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        row = gpd.GeoDataFrame([cells], geometry=gpd.points_from_xy([x], [y]), crs=frame.crs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return gpd.GeoDataFrame(pd.concat([frame, row], ignore_index=True), crs=frame.crs)

    rewrite(file, layer, change)
