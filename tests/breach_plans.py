"""A defence for the small project, and a plan of it made by hand."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from shapely.geometry import Point

from small_project import CRS
from watchline.geo.chainage import from_chainage
from watchline.model.plan import PLAN_DEVICE_COLUMNS, PLAN_MOUNT_COLUMNS, Plan

DEFENCE = """
[[adversaries]]
name = "on foot"
gaits = [
  { name = "running", speed = "3 m/s" },
  { name = "crawling", speed = "0.3 m/s", target_height = "0.5 m" },
]

[[barriers]]
name = "fence"
distance = "30 m"
delay = "45 s"

[detection]
communication = "95 %"
assessment = "5 s"
grades = [{ px_per_m = 20, probability = "90 %", within = "10 s" }]

[[states]]
name = "fog"
probability = "5 %"
visibility = "40 m"

[response]
required = "50 %"
call_out = "10 s"
call_out_sd = "3 s"
speed = "30 km/h"
cross_speed = "3 m/s"
travel_spread = "10 %"

[[posts]]
name = "gate"
chainage = "60 m"

[[patrols]]
name = "patrol"
start = "120 m"
end = "240 m"
"""


def hand_made_plan(site) -> Plan:
    """Three masts on the road, each with two cameras that look along the line."""
    mounts, devices = [], []
    for k, s in enumerate((40.0, 130.0, 220.0)):
        x, y = (float(v[0]) for v in from_chainage(site.line, np.array([s]), 32.0))
        mount = f"M{k:03d}"
        mounts.append(
            (mount, mount, "mast-10", "mast", 10.0, s, 32.0, 0.0, 1.0, False, Point(x, y))
        )
        for azimuth in (20.0, 200.0):
            name = f"D{len(devices):03d}"
            devices.append(
                (
                    name,
                    mount,
                    "fixed-4mp-8mm",
                    "camera",
                    10.0,
                    azimuth,
                    12.0,
                    8.0,
                    40.0,
                    25.0,
                    1.0,
                    Point(x, y),
                )
            )
    return Plan(
        "hand", CRS,
        gpd.GeoDataFrame(mounts, columns=[*PLAN_MOUNT_COLUMNS, "geometry"], crs=CRS),
        gpd.GeoDataFrame(devices, columns=[*PLAN_DEVICE_COLUMNS, "geometry"], crs=CRS),
        9.0, None, "EUR", "edited",
    )  # fmt: skip
