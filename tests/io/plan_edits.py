"""Edits of a written plan file as a person makes them in a GIS."""

from __future__ import annotations

import sqlite3
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


def fresh(folder: Path, name: str = "mine.gpkg") -> Path:
    """The sample plan as a file that may be edited."""
    return write_plan(PLAN, folder / name, site=SITE)


def sql(file: Path, *statements: str) -> None:
    """Change attributes in place."""
    connection = sqlite3.connect(file)
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
