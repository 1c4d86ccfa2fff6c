"""A small real project for tests: 260 m of line on a crop of the Slovenian 1 m lidar."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.windows import Window

EXAMPLES = Path(__file__).parents[1] / "examples"
LIDAR = EXAMPLES / "slovenia" / "inputs" / "TM1_564_146.tif"
CRS = "EPSG:3794"
LINE_XY = [(564600.0, 146250.0), (564640.0, 146350.0), (564660.0, 146500.0)]

PROJECT = """\
schema_version = 1
name = "small"
crs = "EPSG:3794"
seed = 1

[line]
file = "inputs/line.geojson"
side = "left"

[zone]
outer = "40 m"
cell = "5 m"
fence_strip = "10 m"

[road]
offset = "30 m"
width = "4 m"

[terrain]
ground = "inputs/dem.tif"

[candidates]
spacing = "60 m"
road_clearance = "2 m"
structures = ["mast-6", "mast-10"]
devices = ["fixed-4mp-8mm", "fixed-4mp-16mm", "fixed-8mp-12mm"]

[[requirements]]
name = "zone in overview"
where = "zone"
quality = "overview"
share = "97 %"

[[requirements]]
name = "zone crouching"
where = "zone"
quality = "overview"
target_height = "0.5 m"
binding = false

[design]
work = 150
time_limit = "120 s"
"""


def lonlat(points, crs=CRS):
    back = Transformer.from_crs(crs, 4326, always_xy=True)
    return [list(back.transform(x, y)) for x, y in points]


def geojson(kind, coordinates):
    feature = {
        "type": "Feature",
        "properties": {},
        "geometry": {"type": kind, "coordinates": coordinates},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


def write_dem(path: Path, change=None, **profile):
    """A crop of 450 m × 450 m around the line; ``change(heights)`` may spoil it."""
    with rasterio.open(LIDAR) as source:
        window = Window(400, 400, 450, 450)
        heights = source.read(1, window=window)
        meta = {
            "driver": "GTiff",
            "width": 450,
            "height": 450,
            "count": 1,
            "dtype": "float32",
            "crs": source.crs,
            "transform": source.window_transform(window),
            "compress": "deflate",
            "nodata": np.nan,
        } | profile
    if change is not None:
        heights = change(heights)
    with rasterio.open(path, "w", **meta) as target:
        target.write(heights.astype(meta["dtype"]), 1)


def make_project(folder: Path, text: str = PROJECT, **files: str) -> Path:
    """Write the project into a folder; ``files`` replaces inputs by name (``line_geojson=…``)."""
    inputs = folder / "inputs"
    inputs.mkdir(parents=True, exist_ok=True)
    (folder / "project.toml").write_text(text, encoding="utf-8")
    line = files.get("line_geojson", geojson("LineString", lonlat(LINE_XY)))
    (inputs / "line.geojson").write_text(line, encoding="utf-8")
    if not (inputs / "dem.tif").exists():
        write_dem(inputs / "dem.tif")
    return folder


def run_cli(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    """Run the command line in this process: exit code, stdout, stderr."""
    from watchline.cli import main

    monkeypatch.setattr(sys, "argv", ["watchline", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err
