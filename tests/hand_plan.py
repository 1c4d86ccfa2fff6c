"""A plan made by hand on the small project: three masts on its road, six cameras along its line."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
from shapely.geometry import Point

import watchline as wl
from small_project import CRS, make_project
from watchline.geo.chainage import from_chainage
from watchline.model.plan import PLAN_DEVICE_COLUMNS, PLAN_MOUNT_COLUMNS, Plan


def hand_made_plan(site) -> Plan:
    """Three masts on the road, each with two cameras that look along the line."""
    mounts, devices = [], []
    for k, s in enumerate((40.0, 130.0, 220.0)):
        x, y = (float(v[0]) for v in from_chainage(site.line, np.array([s]), 32.0))
        mount, at = f"M{k:03d}", Point(x, y)
        mounts.append((mount, mount, "mast-10", "mast", 10.0, s, 32.0, 0.0, 8000.0, False, at))
        for azimuth in (20.0, 200.0):
            name, lens = f"D{len(devices):03d}", (10.0, azimuth, 12.0, 8.0, 40.0, 25.0)
            devices.append((name, mount, "fixed-4mp-8mm", "camera", *lens, 900.0, at))
    return Plan(
        "hand", CRS,
        gpd.GeoDataFrame(mounts, columns=[*PLAN_MOUNT_COLUMNS, "geometry"], crs=CRS),
        gpd.GeoDataFrame(devices, columns=[*PLAN_DEVICE_COLUMNS, "geometry"], crs=CRS),
        29400.0, None, "EUR", "edited",
    )  # fmt: skip


def make_hand_project(folder: Path, text: str) -> Path:
    """The small project with the plan under ``plans/hand.gpkg``."""
    make_project(folder, text)
    (folder / "plans").mkdir()
    wl.write_plan(hand_made_plan(wl.read_site(folder)), folder / "plans" / "hand.gpkg")
    return folder
