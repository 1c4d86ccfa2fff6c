"""Small made-up sites, terrains and plans for the tests of the proof."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import xarray as xr
from shapely.geometry import LineString, Point

from watchline.model.catalogue import Catalogue, Device, Services, Structure
from watchline.model.plan import Plan
from watchline.model.site import (
    CandidateRules,
    DesignRules,
    Requirement,
    Road,
    Site,
    TerrainSource,
    Zone,
)
from watchline.model.terrain import Terrain

CRS = "EPSG:32636"
EAST, NORTH = 600_000.0, 3_450_000.0


def device(key: str, kind: str = "camera", **change: object) -> Device:
    """A camera of 1920 × 1080 px on a 5.12 mm wide sensor with a 4 mm lens: 1500 px."""
    values: dict[str, object] = {
        "id": key,
        "name": key,
        "kind": kind,
        "width_px": 1920,
        "height_px": 1080,
        "sensor_width_mm": 5.12,
        "focal_min_mm": 2.0,
        "focal_max_mm": 16.0,
        "sensors": 1,
        "spacing_deg": 0.0,
        "acuity_arcmin": 0.0,
        "time_share": 1.0,
        "range_m": 500.0,
        "price": 1000.0,
        "power_w": 10.0,
    }
    return Device(**(values | change))  # type: ignore[arg-type]


DEVICES = {
    d.id: d
    for d in (
        device("cam"),
        device("short", range_m=60.0),
        device("ptz", "ptz", time_share=0.2),
        device("ring", "panoramic", sensors=4, spacing_deg=90.0, sensor_width_mm=8.0),
        device("eyes", "observer", width_px=0, height_px=0, acuity_arcmin=1.0, range_m=300.0),
    )
}
STRUCTURES = {
    "mast": Structure("mast", "mast", "mast", 10.0, 2, 5000.0),
    "tower": Structure("tower", "tower", "tower", 10.0, 4, 20000.0),
}


def flat(
    height: float = 0.0, cell_m: float = 5.0, x_m: float = 400.0, y_m: float = 200.0
) -> Terrain:
    """A level plain round the line, NaN-free."""
    x = EAST - 100.0 + cell_m * np.arange(int(x_m / cell_m) + 1)
    y = NORTH + y_m / 2 - cell_m * np.arange(int(y_m / cell_m) + 1)
    ground = np.full((y.size, x.size), height, dtype=np.float32)
    return terrain_of(x, y, ground, ground.copy())


def terrain_of(x, y, ground, surface, refraction=0.13) -> Terrain:
    data = xr.Dataset(
        {"ground": (("y", "x"), ground), "surface": (("y", "x"), surface)}, {"x": x, "y": y}
    )
    return Terrain(data, CRS, refraction)


def change(terrain: Terrain, x0, x1, y0, y1, *, surface=None, ground=None) -> Terrain:
    """A terrain with other heights at the nodes of a box, given relative to the line's start."""
    data = terrain.data.copy(deep=True)
    in_x = (data.x >= EAST + x0) & (data.x <= EAST + x1)
    in_y = (data.y >= NORTH + y0) & (data.y <= NORTH + y1)
    for name, value in (("surface", surface), ("ground", ground)):
        if value is not None:
            data[name] = data[name].where(~(in_x & in_y), value).astype(np.float32)
    return replace(terrain, data=data)


def requirement(name="seen", where="zone", px_per_m=20.0, **change: object) -> Requirement:
    return Requirement(name, where, "", px_per_m, **change)  # type: ignore[arg-type]


def site(*requirements: Requirement, outer_m=20.0, length_m=200.0, cell_m=4.0, **change) -> Site:
    """A zone north of a line that runs east for 200 m, road in its middle."""
    line = LineString([(EAST, NORTH), (EAST + length_m, NORTH)])
    road = LineString([(EAST, NORTH + 10), (EAST + length_m, NORTH + 10)])
    values = {
        "name": "test",
        "folder": Path(),
        "crs": CRS,
        "line": line,
        "side": "left",
        "zone": Zone(0.0, outer_m, 0.0, length_m, cell_m, 4.0),
        "road": Road(road, 4.0),
        "terrain": TerrainSource(Path("dem.tif")),
        "requirements": requirements or (requirement(),),
        "catalogue": Catalogue("EUR", DEVICES, STRUCTURES, Services(1, 1, 1), {}),
        "candidates": CandidateRules(50.0, 25.0, 1.0, tuple(DEVICES), tuple(STRUCTURES)),
        "design": DesignRules(),
    }
    return Site(**(values | change))  # type: ignore[arg-type]


def plan(*devices: dict, mounts: dict | None = None) -> Plan:
    """Devices as dicts: at (x, y from the line's start), model, mount, and the aim."""
    rows, stands = [], {}
    for number, given in enumerate(devices):
        x, y = given["at"]
        mount = given.get("mount", f"M{number:03d}")
        model = given.get("model", "cam")
        row = {
            "device_id": f"D{number:03d}",
            "mount_id": mount,
            "model": model,
            "kind": DEVICES[model].kind,
            "height_m": given.get("height_m", 6.0),
            "azimuth_deg": given.get("azimuth_deg", 90.0),
            "tilt_deg": given.get("tilt_deg", 5.0),
            "focal_mm": given.get("focal_mm", 4.0),
            "hfov_deg": 65.0,
            "vfov_deg": 40.0,
            "cost": 1000.0,
            "geometry": Point(EAST + x, NORTH + y),
        }
        rows.append(row)
        stands.setdefault(mount, (x, y))
    table = [
        {
            "mount_id": mount,
            "name": mount,
            "structure": (mounts or {}).get(mount, "tower"),
            "kind": (mounts or {}).get(mount, "tower"),
            "height_m": 10.0,
            "s": x,
            "t": y,
            "ground_z": 0.0,
            "cost": 5000.0,
            "existing": False,
            "geometry": Point(EAST + x, NORTH + y),
        }
        for mount, (x, y) in stands.items()
    ]
    return Plan(
        "test",
        CRS,
        gpd.GeoDataFrame(table, geometry="geometry", crs=CRS),
        gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS),
        0.0,
        None,
        "EUR",
        "edited",
    )
